import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fromBackend } from "effect-objectstore"
import * as Gcs from "effect-objectstore/layers/Gcs"
import { gcsModel } from "effect-objectstore/testing"
import * as NodeFs from "node:fs"
import { content } from "../compression/content.ts"
import { run, temporary, tree, write } from "./CliTest.ts"

const MiB = 1024 * 1024

describe("objectstore, from a service whose bytes change on the way", () => {
  it.live("publishes no file, in one request and in several, plain and decompressed", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      let damaging = false
      const { origin } = yield* gcsModel({
        buckets: ["data"],
        intercept: (_, answer) =>
          Effect.map(answer, (reply) => {
            // The last byte of what is long: of every part of an object.
            if (!damaging || !(reply.body instanceof Uint8Array) || reply.body.length < 100_000) return reply
            const body = Uint8Array.from(reply.body)
            body[body.length - 1]! ^= 1
            return { ...reply, body }
          })
      })
      const backend = yield* Gcs.makeBackend({ endpoint: origin, projectId: "test" })
      const store = yield* fromBackend(backend, { base: "gs://data/" })
      const body = content("random", MiB)
      yield* store.put("plain", body)
      yield* store.put("packed", body, { compression: { frameSize: 256 * 1024 } })
      const env = { STORAGE_EMULATOR_HOST: origin, GOOGLE_CLOUD_PROJECT: "test" }
      const gets = [
        ["get", "gs://data/plain", "out"],
        ["get", "--part-size", "300KiB", "gs://data/plain", "out"],
        ["cp", "--verify", "size", "--part-size", "300KiB", "gs://data/plain", "out"],
        ["get", "--decompress", "gs://data/packed.zst", "out"]
      ]
      write(dir, { keep: "" })
      damaging = true
      for (const args of gets) {
        const ran = yield* run(dir, args, "", env)
        assert.strictEqual(ran.code, 1, args.join(" "))
        assert.match(ran.stderr, /^objectstore: IntegrityFailed: /, args.join(" "))
        assert.deepStrictEqual(tree(dir), { keep: "" }, args.join(" "))
      }
      const streamed = yield* run(dir, ["cat", "--part-size", "300KiB", "gs://data/plain"], "", env)
      assert.strictEqual(streamed.code, 1)
      damaging = false
      for (const args of [gets[1]!, gets[3]!]) {
        const ran = yield* run(dir, args, "", env)
        assert.deepStrictEqual([ran.code, ran.stderr], [0, ""], args.join(" "))
        assert.isTrue(NodeFs.readFileSync(`${dir}/out`).equals(body), args.join(" "))
      }
    }), 180_000)
})
