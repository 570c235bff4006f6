import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Random, Redacted, Stream } from "effect"
import { defaultRetryPolicy, isObjectStoreError, type ObjectStoreError, RetryPolicy } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import { azureModel } from "effect-objectstore/testing"
import { azurite, azuriteTls } from "../servers/azurite.ts"
import { onServer } from "../servers/onServer.ts"
import { listening } from "../support/listening.ts"
import { tokenOf } from "./credential.ts"

/** What stands in every secret that these tests use, plain and as it is encoded. */
const canary = "canary-in-the-mine"
const wrongKey = Buffer.from(canary.repeat(2)).toString("base64")
const secrets = [canary, wrongKey, Buffer.from(canary).toString("base64"), Buffer.from(canary).toString("base64url")]

const holdsNoSecret = (what: string, text: string): void => {
  for (const secret of secrets) assert.notInclude(text, secret, what)
}

/** Makes a request of a store fail, and looks at all that tells of it: the error in every form, logs and spans. */
const failureOf = (
  options: Azure.AzureOptions,
  use: "get" | "stat" | "put" | "containers" = "get"
): Effect.Effect<ObjectStoreError> => {
  const seen: Array<string> = []
  const request = Effect.scoped(Effect.gen(function*() {
    const store = yield* Azure.make(options)
    if (use === "put") return yield* store.put("a", "x")
    if (use === "stat") return yield* store.stat("a")
    return yield* use === "get" ? store.get("a") : Stream.runCollect(store.listContainers())
  }))
  return listening(Effect.flip<unknown, ObjectStoreError, never>(request), seen).pipe(
    Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, maxAttempts: 1 }),
    Effect.orDie,
    Effect.tap((error) =>
      Effect.sync(() => {
        assert.isTrue(isObjectStoreError(error))
        assert.isFalse(error.message.includes("\n"), error.message)
        holdsNoSecret("message", error.message)
        holdsNoSecret("JSON", JSON.stringify([error, { ...error.reason }, String(error.reason.cause)]))
        holdsNoSecret("stack", `${error.stack} ${error.cause.stack}`)
        for (const text of seen) holdsNoSecret("logs and spans", text)
        assert.isAbove(seen.length, 0)
      })
    )
  )
}

const is = (error: ObjectStoreError, reason: string, message: RegExp, outcome?: string): void => {
  assert.strictEqual(error.reason._tag, reason, error.message)
  assert.match(error.message, message)
  assert.strictEqual(error.outcome, outcome)
}

describe("why requests to Azure fail", () => {
  const base = "az://acct/data/"

  it.live("a host that cannot be found, and one where nobody listens", () =>
    Effect.gen(function*() {
      const lost = yield* failureOf(
        { base, accountKey: wrongKey, endpoint: "https://acct.blob.nowhere.invalid" },
        "put"
      )
      is(lost, "ConnectionFailed", /nowhere\.invalid|dns|resolved|found/i, "not-applied")
      const refused = yield* failureOf({ base, accountKey: wrongKey, endpoint: "http://127.0.0.1:1/acct" }, "put")
      is(refused, "ConnectionFailed", /ECONNREFUSED|refused/i, "not-applied")
    }))

  it.live("a credential that gives no token", () =>
    Effect.gen(function*() {
      const options = { base, endpoint: "http://127.0.0.1:1/acct" }
      const broken = { getToken: () => Promise.reject(new Error(`no token for ${canary}`)) }
      is(yield* failureOf({ ...options, credential: broken }, "put"), "Unauthenticated", /no token/, "not-applied")
      const none = { getToken: () => Promise.resolve(null) }
      is(yield* failureOf({ ...options, credential: none }), "Unauthenticated", /no token/)
    }))

  it.live("on the model: a wrong key, a clock that is wrong, a token that is refused", () =>
    Effect.scoped(Effect.gen(function*() {
      const { accountKey, endpoint } = yield* azureModel({ token: "another" })
      const at = { base: "az://devstoreaccount1/data/", endpoint }
      is(yield* failureOf({ ...at, accountKey: wrongKey }), "Unauthenticated", /failed to authenticate/)
      is(yield* failureOf({ ...at, accountKey: wrongKey }, "put"), "Unauthenticated", /failed/, "not-applied")
      const credential = {
        getToken: () => Promise.resolve({ token: canary, expiresOnTimestamp: Date.now() + 600_000 })
      }
      is(yield* failureOf({ ...at, credential }), "Unauthenticated", /failed to authenticate/)
      is(yield* failureOf({ ...at, credential: "anonymous" }), "Unauthenticated", /failed to authenticate/)
      const clock = yield* Clock.Clock
      const behind: Clock.Clock = Object.assign(Object.create(clock) as Clock.Clock, {
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() - 3_600_000,
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now - 3_600_000)
      })
      const late = yield* Effect.provideService(
        failureOf({ ...at, accountKey: Redacted.make(accountKey) }),
        Clock.Clock,
        behind
      )
      is(late, "Unauthenticated", /this machine's clock and the service's differ/)
    })))
})

onServer(azurite, (server) => {
  it.live("a wrong key, nobody, a missing container and a missing blob", () =>
    Effect.gen(function*() {
      const { account, connectionString, endpoint } = yield* server
      const name = `missing-${yield* Random.nextIntBetween(0, 1e9)}`
      const base = `az://${account}/${name}/`
      is(yield* failureOf({ base, endpoint, accountKey: wrongKey }), "Unauthenticated", /failed to authenticate/)
      is(yield* failureOf({ base, endpoint, accountKey: wrongKey }, "put"), "Unauthenticated", /failed/, "not-applied")
      // HEAD is refused without words.
      is(
        yield* failureOf({ base, endpoint, accountKey: wrongKey }, "stat"),
        "Unauthenticated",
        /failed to authenticate/
      )
      is(yield* failureOf({ base, endpoint, accountKey: wrongKey }, "containers"), "Unauthenticated", /failed/)
      is(
        yield* failureOf({ base, endpoint, credential: "anonymous" }),
        "Unauthenticated",
        /authenticat|not permitted|public/i
      )
      is(yield* failureOf({ base, connectionString }), "ContainerNotFound", /container/)
      is(yield* failureOf({ base, connectionString }, "put"), "ContainerNotFound", /container/, "not-applied")
      yield* Effect.scoped(
        Effect.flatMap(Azure.make({ base, connectionString }), (store) => store.createContainer(name))
      )
      is(yield* failureOf({ base, connectionString }), "NotFound", /blob/)
    }))
})

onServer(azuriteTls, (server) => {
  it.live("a certificate that nobody knows, and tokens that are old or for others", () =>
    Effect.gen(function*() {
      const { account, accountKey, ca, endpoint } = yield* server
      const base = `az://${account}/data/`
      const strange = yield* failureOf({ base, endpoint, accountKey }, "put")
      is(strange, "ConnectionFailed", /certificate/i, "not-applied")
      assert.strictEqual("phase" in strange.reason ? strange.reason.phase : undefined, "tls")
      const tokenAt = (expiresAt: number): Azure.TokenCredential => ({
        getToken: () => Promise.resolve({ token: tokenOf(expiresAt, canary), expiresOnTimestamp: Date.now() + 600_000 })
      })
      const old = yield* failureOf({ base, endpoint, ca, credential: tokenAt(Date.now() - 60_000) })
      is(old, "Unauthenticated", /authenticat/i)
      const none = { getToken: () => Promise.resolve({ token: canary, expiresOnTimestamp: Date.now() + 600_000 }) }
      is(
        yield* failureOf({ base, endpoint, ca, credential: none }, "put"),
        "Unauthenticated",
        /authenticat/i,
        "not-applied"
      )
      is(
        yield* failureOf({ base, endpoint, ca, credential: tokenAt(Date.now() + 600_000) }),
        "ContainerNotFound",
        /container/
      )
    }))
})
