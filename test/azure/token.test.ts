import { assert, it, vi } from "@effect/vitest"
import { Effect, Random } from "effect"
import { fromBackend } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import { azureModel } from "effect-objectstore/testing"
import { azuriteTls } from "../servers/azurite.ts"
import { onServer } from "../servers/onServer.ts"
import { makeCredential } from "./credential.ts"
import { copiesInParts, follow } from "./large.ts"

onServer(azuriteTls, (server) => {
  it.live(
    "with a token, URLs are signed for the user, and one token serves all requests",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const { account, ca, endpoint } = yield* server
        const name = `token-${yield* Random.nextIntBetween(0, 1e9)}`
        const credential = makeCredential()
        const backend = yield* Azure.makeBackend({ endpoint, ca, credential })
        yield* backend.createContainer(name, {})
        const base = `az://${account}/${name}/`
        const store = yield* fromBackend(backend, { base })
        yield* store.put("a b%2F é", "hello")
        const url = yield* store.presign("a b%2F é", { method: "GET", expiresIn: "1 minute" })
        assert.deepStrictEqual(yield* follow(url, ca), [200, "hello"])
        // Azurite does not know `x-ms-copy-source-authorization`, with which blocks are copied on the model below.
        const refused = yield* Effect.flip(copiesInParts(backend, base))
        assert.deepStrictEqual([refused.reason._tag, refused.code], ["PermissionDenied", "CannotVerifyCopySource"])
        assert.deepStrictEqual([...new Set(credential.scopes)], ["https://storage.azure.com/.default"])
        assert.strictEqual(credential.scopes.length, 1)
      })),
    60_000
  )
})

it.live("on the model, blocks are copied of a source that the token opens", () =>
  Effect.scoped(Effect.gen(function*() {
    const token = "a.token.of-the-model"
    const { account, endpoint } = yield* azureModel({ token })
    const credential = { getToken: () => Promise.resolve({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) }
    const backend = yield* Azure.makeBackend({ endpoint, credential })
    yield* backend.createContainer("data", {})
    yield* copiesInParts(backend, `az://${account}/data/`)
  })))

it.live("on the model, \"default\" is DefaultAzureCredential of @azure/identity", () => {
  const asked: Array<string> = []
  vi.doMock("@azure/identity", () => ({
    DefaultAzureCredential: class {
      getToken(scope: string) {
        asked.push(scope)
        return Promise.resolve({ token: "of.the-package", expiresOnTimestamp: Date.now() + 3_600_000 })
      }
    }
  }))
  return Effect.scoped(Effect.gen(function*() {
    const { endpoint } = yield* azureModel({ token: "of.the-package" })
    const backend = yield* Azure.makeBackend({ endpoint, credential: "default" })
    yield* backend.createContainer("data", {})
    assert.deepStrictEqual(asked, ["https://storage.azure.com/.default"])
  }))
})
