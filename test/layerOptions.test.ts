import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { isObjectStoreError } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Direct from "effect-objectstore/layers/Direct"
import * as File from "effect-objectstore/layers/File"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as Memory from "effect-objectstore/layers/Memory"
import * as S3 from "effect-objectstore/layers/S3"
import * as Universal from "effect-objectstore/layers/Universal"

/** Layers with options as a program without types may give them, and options that are right. */
const layers: Record<
  string,
  { readonly make: (options: never) => Effect.Effect<unknown, unknown>; readonly good: object }
> = {
  Azure: { make: (options) => Effect.scoped(Azure.make(options)), good: { account: "account", sasToken: "?sig=a" } },
  Direct: {
    make: (options) => Effect.scoped(Direct.make(options)),
    good: { root: "/tmp", fallback: "buffered", durability: "none" }
  },
  File: { make: (options) => Effect.scoped(File.make(options)), good: { root: "/tmp", durability: "none" } },
  Gcs: { make: (options) => Effect.scoped(Gcs.make(options)), good: { endpoint: "http://127.0.0.1:1" } },
  Memory: { make: (options) => Memory.make(options), good: { base: "mem://memory/" } },
  S3: { make: (options) => Effect.scoped(S3.make(options)), good: { credentials: "anonymous" } },
  Universal: { make: (options) => Effect.scoped(Universal.make(options)), good: { schemes: ["mem"] } }
}

const refusal = Effect.fnUntraced(
  function*(make: (options: never) => Effect.Effect<unknown, unknown>, options: unknown) {
    const error = yield* Effect.flip(make(options as never))
    assert(isObjectStoreError(error), String(error))
    assert.strictEqual(error.reason._tag, "Configuration")
    return error.message
  }
)

describe("the options of a layer", () => {
  for (const [name, { good, make }] of Object.entries(layers)) {
    it.effect(`${name}: one that does not exist is Configuration and named`, () =>
      Effect.gen(function*() {
        yield* make(good as never)
        assert.include(
          yield* refusal(make, { ...good, endpont: "http://127.0.0.1:1" }),
          "there is no option \"endpont\""
        )
        assert.include(yield* refusal(make, { ...good, "a\nb": 1 }), "there is no option \"a\\u000ab\"")
      }))

    it.effect(`${name}: text is no flag`, () =>
      Effect.gen(function*() {
        if (name === "Universal") {
          assert.include(yield* refusal(make, { environment: "false" }), "environment is not true or false")
        } else {
          assert.include(yield* refusal(make, { ...good, adaptiveRate: "false" }), "adaptiveRate is not true or false")
        }
      }))

    it.effect(`${name}: what is no object is Configuration`, () =>
      Effect.gen(function*() {
        for (const options of [null, "s3://bucket/", 1, []]) {
          assert.include(yield* refusal(make, options), "which is no object")
        }
      }))
  }

  it.effect.each(["Azure", "Direct", "File"])("%s: none at all is Configuration", (name) =>
    Effect.gen(function*() {
      assert.include(yield* refusal(layers[name]!.make, undefined), "the options are undefined")
    }))

  it.effect("of a store behind a universal one are refused when it is opened", () =>
    Effect.scoped(Effect.gen(function*() {
      const stores = {
        azure: ["az://account/data/a", { sasToken: "?sig=a" }],
        direct: ["direct:///tmp/a", { root: "/tmp", fallback: "buffered" }],
        file: ["file:///tmp/a", { root: "/tmp" }],
        gcs: ["gs://bucket/a", { endpoint: "http://127.0.0.1:1" }],
        memory: ["mem://memory/a", {}],
        s3: ["s3://bucket/a", { credentials: "anonymous" }]
      } as const
      for (const [name, [at, options]] of Object.entries(stores)) {
        const { storeOf } = yield* Universal.makeStores({ [name]: { ...options, endpont: 1 } })
        assert.include(yield* refusal(() => storeOf(at), {}), "there is no option \"endpont\"", name)
        const { storeOf: known } = yield* Universal.makeStores({ [name]: options })
        yield* known(at)
      }
    })))

  it.effect("may have options of their own, whose names count too", () =>
    Effect.gen(function*() {
      const s3 = (options: object) => refusal(layers["S3"]!.make, { credentials: "anonymous", ...options })
      assert.include(yield* s3({ encryption: { type: "aws:kms", keyid: "a" } }), "\"encryption.keyid\"")
      assert.include(yield* s3({ encryption: null }), "encryption is null")
      assert.include(
        yield* s3({ vendor: { ...S3.profiles.generic, conditonalCreate: true } }),
        "\"vendor.conditonalCreate\""
      )
      assert.include(yield* s3({ vendor: { name: "mine" } }), "vendor lacks checksums")
      const memory = (capabilities: object) => refusal(layers["Memory"]!.make, { capabilities })
      assert.include(yield* memory({ sortedLst: false }), "\"capabilities.sortedLst\"")
      assert.include(yield* memory({ multipart: { order: true } }), "\"capabilities.multipart.order\"")
      assert.include(yield* memory({ tuning: { readSize: 1 } }), "\"capabilities.tuning.readSize\"")
    }))
})
