/**
 * Shared access signatures for one blob: signed with the account's key, or with a key that a user was lent for a while.
 *
 * learn.microsoft.com/rest/api/storageservices/create-service-sas and …/create-user-delegation-sas, version 2020-12-06 and later.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Semaphore from "effect/Semaphore"
import type { KeyObject } from "node:crypto"
import type { Location } from "../../src/Backend.ts"
import { encodeParameters } from "../../src/http/percentEncoding.ts"
import { readText } from "../../src/http/replyBody.ts"
import { timeOf } from "../../src/http/replyStat.ts"
import { makeSharedKey, type SharedKey, signText } from "../../src/http/SharedKey.ts"
import { missing, parseXml, xmlDocument, xmlElement, type XmlReader, xmlText } from "../../src/http/Xml.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { type Client, send, serviceVersion } from "./client.ts"
import type { Settings } from "./config.ts"
import { backendName } from "./errors.ts"

/** What a signature allows, and how long. */
export interface Grant {
  /** Letters in the service's order, of `racwd`. */
  readonly permissions: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

/** A key that the service lends a user. */
export interface DelegationKey {
  readonly objectId: string
  readonly tenantId: string
  readonly start: string
  readonly expiry: string
  readonly service: string
  readonly version: string
  readonly key: KeyObject
}

/** Keys of the user that the store's tokens belong to. */
export interface DelegationKeys {
  /** One that is good until then; it is asked for once and kept. */
  readonly get: (client: Client, until: number) => Effect.Effect<DelegationKey, ObjectStoreError>
}

/** A time as signatures hold it, by the second. */
const isoSeconds = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis)).slice(0, 19) + "Z"

const common = ({ account, endpoint }: Settings, { container, key }: Location, { expiresAt, permissions }: Grant) => ({
  sp: permissions,
  se: isoSeconds(expiresAt),
  resource: `/blob/${account}/${container}/${key}`,
  spr: endpoint.origin.startsWith("https:") ? "https" : "https,http"
})

/** Cache-Control, Content-Disposition, Content-Encoding, Content-Language and Content-Type of answers are not replaced. */
const noOverrides = ["", "", "", "", ""]

/** A signature with the account's key, as a query. */
export const serviceSas = (settings: Settings, { key }: SharedKey, at: Location, grant: Grant): string => {
  const { resource, se, sp, spr } = common(settings, at, grant)
  const text = [sp, "", se, resource, "", "", spr, serviceVersion, "b", "", "", ...noOverrides].join("\n")
  return encodeParameters({ sv: serviceVersion, spr, se, sr: "b", sp, sig: signText(key, text) })
}

/** A signature with a lent key, as a query. */
export const delegationSas = (settings: Settings, lent: DelegationKey, at: Location, grant: Grant): string => {
  const { resource, se, sp, spr } = common(settings, at, grant)
  const { expiry, key, objectId, service, start, tenantId, version } = lent
  const lender = [objectId, tenantId, start, expiry, service, version]
  const lending = [sp, "", se, resource, ...lender, "", "", ""]
  const text = lending.concat(["", spr, serviceVersion, "b", "", ""], noOverrides).join("\n")
  return encodeParameters({
    sv: serviceVersion,
    spr,
    se,
    sr: "b",
    sp,
    skoid: objectId,
    sktid: tenantId,
    skt: start,
    ske: expiry,
    sks: service,
    skv: version,
    sig: signText(key, text)
  })
}

/** The longest time that the service lends a key for. */
export const maxDelegation = 7 * 24 * 60 * 60_000

/** Clocks differ: a key is good from a little before now. */
const leeway = 5 * 60_000

/** A key is lent for a day at least, so that it serves many signatures. */
const shortest = 24 * 60 * 60_000

/** Makes the keeper of a user's lent keys. */
export const makeDelegationKeys: Effect.Effect<DelegationKeys> = Effect.map(Semaphore.make(1), (one) => {
  let current: { readonly lent: DelegationKey; readonly until: number } | undefined
  return {
    get: (client, until) =>
      Semaphore.withPermits(one, 1)(Effect.gen(function*() {
        if (current !== undefined && current.until >= until) return current.lent
        const now = yield* Clock.currentTimeMillis
        const expiry = Math.min(now + maxDelegation, Math.max(until, now + shortest))
        const lent = yield* lend(client, now - leeway, expiry)
        current = { lent, until: timeOf(lent.expiry)?.epochMilliseconds ?? expiry }
        return lent
      }))
  }
})

const asked = { backend: backendName, operation: "userDelegationKey" }

const maxReply = 64 * 1024

const lend = (client: Client, start: number, expiry: number): Effect.Effect<DelegationKey, ObjectStoreError> =>
  send(client, {
    operation: asked.operation,
    mutation: false,
    method: "POST",
    query: { restype: "service", comp: "userdelegationkey" },
    body: Buffer.from(
      xmlDocument(xmlElement("KeyInfo", xmlText("Start", isoSeconds(start)), xmlText("Expiry", isoSeconds(expiry))))
    ),
    accept: [200]
  }).pipe(
    Effect.flatMap((reply) => readText(asked, reply, maxReply)),
    Effect.flatMap((text) => parseXml(asked, text, "UserDelegationKey", toDelegationKey)),
    Effect.scoped
  )

const toDelegationKey = (xml: XmlReader): DelegationKey => {
  const fields = new Map<string, string>()
  for (let name = xml.child(); name !== undefined; name = xml.child()) fields.set(name, xml.text())
  const need = (name: string): string => fields.get(name) ?? missing(name)
  return {
    objectId: need("SignedOid"),
    tenantId: need("SignedTid"),
    start: need("SignedStart"),
    expiry: need("SignedExpiry"),
    service: need("SignedService"),
    version: need("SignedVersion"),
    key: (makeSharedKey("", Redacted.make(need("Value"))) ?? missing("Value")).key
  }
}
