/**
 * An authority that vouches for one server on this machine and is thrown away with it: X.509 certificates (RFC 5280), written
 * as DER by hand, since Node reads them and makes none.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto"

/** PEM texts. */
export interface Authority {
  /** The certificate that clients have to trust. */
  readonly ca: string
  /** What the server shows, for 127.0.0.1 and localhost. */
  readonly leaf: { readonly cert: string; readonly key: string }
}

const lengthOf = (length: number): Buffer => {
  if (length < 128) return Buffer.from([length])
  const digits = Buffer.from(length.toString(16).padStart(length > 255 ? 4 : 2, "0"), "hex")
  return Buffer.concat([Buffer.from([0x80 | digits.length]), digits])
}

const der = (tag: number, ...content: ReadonlyArray<Uint8Array>): Buffer => {
  const inside = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag]), lengthOf(inside.length), inside])
}

const sequence = (...content: ReadonlyArray<Uint8Array>): Buffer => der(0x30, ...content)
const integer = (bytes: Uint8Array): Buffer => der(0x02, bytes)
const yes = der(0x01, Buffer.from([0xff]))
const octets = (content: Uint8Array): Buffer => der(0x04, content)
const bits = (content: Uint8Array, unused = 0): Buffer => der(0x03, Buffer.from([unused]), content)
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, "hex"))

const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"))
const commonName = oid("550403")
const basicConstraints = oid("551d13")
const keyUsage = oid("551d0f")
const subjectAltName = oid("551d11")

const name = (text: string): Buffer => sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(text)))))

/** `20261126120000Z`. */
const time = (millis: number): Buffer =>
  der(0x18, Buffer.from(DateTime.formatIso(DateTime.makeUnsafe(millis)).replace(/[-:T]|\.\d+/g, "")))

interface Subject {
  readonly name: string
  readonly publicKey: KeyObject
  readonly extensions: ReadonlyArray<Buffer>
}

const day = 24 * 60 * 60_000

const certificate = (subject: Subject, issuer: string, issuerKey: KeyObject, now: number): string => {
  const serial = randomBytes(16)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ecdsaWithSha256,
    name(issuer),
    sequence(time(now - day), time(now + 365 * day)),
    name(subject.name),
    subject.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...subject.extensions))
  )
  const whole = sequence(body, ecdsaWithSha256, bits(sign("sha256", body, issuerKey)))
  return `-----BEGIN CERTIFICATE-----\n${
    whole.toString("base64").replace(/.{64}/g, "$&\n")
  }\n-----END CERTIFICATE-----\n`
}

/** Makes an authority and a server's certificate, good from the day before `now` for a year. */
export const makeAuthority = (now: number): Authority => {
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const server = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const issuer = "throw-away authority of a fault server"
  const ca = {
    name: issuer,
    publicKey: authority.publicKey,
    extensions: [
      sequence(basicConstraints, yes, octets(sequence(yes))),
      sequence(keyUsage, yes, octets(bits(Buffer.from([0x04]), 2)))
    ]
  }
  const names = sequence(der(0x82, Buffer.from("localhost")), der(0x87, Buffer.from([127, 0, 0, 1])))
  const leaf = {
    name: "127.0.0.1",
    publicKey: server.publicKey,
    extensions: [sequence(subjectAltName, octets(names))]
  }
  return {
    ca: certificate(ca, issuer, authority.privateKey, now),
    leaf: {
      cert: certificate(leaf, issuer, authority.privateKey, now),
      key: server.privateKey.export({ type: "pkcs8", format: "pem" }).toString()
    }
  }
}
