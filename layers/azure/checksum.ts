/**
 * The checksum that goes with bytes, and what a reply confirms of it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import { crc64nvme } from "../../src/codec/Crc64nvme.ts"
import { requestIdOf } from "../../src/http/replyStat.ts"
import type { TransportReply } from "../../src/http/Transport.ts"
import type { Verified } from "../../src/ObjectInfo.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { AzureChecksum } from "./config.ts"
import { backendName } from "./errors.ts"

const crc64Header = "x-ms-content-crc64"
const md5Header = "content-md5"

/** Other fibers, and sockets, have a turn each time that so many bytes were summed. */
const turn = 4 * 1024 * 1024

const eachTurn = Effect.fnUntraced(function*(body: Uint8Array, add: (piece: Uint8Array) => void) {
  for (let at = 0; at < body.length; at += turn) {
    if (at > 0) yield* Effect.yieldNow
    add(body.subarray(at, at + turn))
  }
})

/** The service writes the sum with its least significant byte first. */
const crc64Of = Effect.fnUntraced(function*(body: Uint8Array) {
  let sum = 0n
  yield* eachTurn(body, (piece) => {
    sum = crc64nvme(piece, sum)
  })
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64LE(sum)
  return bytes.toString("base64")
})

const md5Of = Effect.fnUntraced(function*(body: Uint8Array) {
  const hash = NodeCrypto.createHash("md5")
  yield* eachTurn(body, (piece) => {
    hash.update(piece)
  })
  return hash.digest("base64")
})

/** The checksum that goes with bytes, and that the service compares before it stores them. */
export const checksumHeaders = (
  checksum: AzureChecksum,
  body: Uint8Array
): Effect.Effect<Readonly<Record<string, string>>> => {
  switch (checksum) {
    case "crc64":
      return Effect.map(crc64Of(body), (sum) => ({ [crc64Header]: sum }))
    case "md5":
      return Effect.map(md5Of(body), (sum) => ({ [md5Header]: sum }))
    case "none":
      return Effect.succeed({})
  }
}

/**
 * What a stored request confirms. An answered checksum is compared here. An MD5 that was sent has been compared by whatever knows Azure's
 * protocol; a CRC-64 only if it is answered, since emulators were older than it.
 */
export const confirm = (
  operation: string,
  sent: Readonly<Record<string, string>>,
  { headers, status }: TransportReply
): Effect.Effect<Verified, ObjectStoreError> => {
  const name = sent[crc64Header] === undefined ? md5Header : crc64Header
  const sum = sent[name]
  if (sum === undefined) return Effect.succeed("size")
  const answered = headers[name]
  if (answered === undefined) return Effect.succeed(name === md5Header ? "checksum" : "size")
  return answered === sum ? Effect.succeed("checksum") : Effect.fail(makeError("IntegrityFailed", {
    operation,
    backend: backendName,
    status,
    requestId: requestIdOf(headers),
    description: `the service stored bytes with another ${name}`,
    outcome: "applied"
  }))
}
