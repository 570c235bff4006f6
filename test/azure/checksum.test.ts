import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { checksumHeaders, confirm } from "../../layers/azure/checksum.ts"
import type { TransportReply } from "../../src/http/Transport.ts"

const reply = (headers: TransportReply["headers"]): TransportReply => ({
  status: 201,
  headers,
  length: 0,
  into: () => Effect.succeed(0)
})

const body = Buffer.from("123456789")

describe("the checksum of an upload to Azure", () => {
  it.effect("is of the bytes, in the service's order", () =>
    Effect.gen(function*() {
      // 0xAE8B14860A799888, the least significant byte first.
      assert.deepStrictEqual(yield* checksumHeaders("crc64", body), { "x-ms-content-crc64": "iJh5CoYUi64=" })
      assert.deepStrictEqual(yield* checksumHeaders("md5", body), { "content-md5": "JfnnlDI7RTiF9RgfG2JNCw==" })
      assert.deepStrictEqual(yield* checksumHeaders("none", body), {})
    }))

  it.live("of many bytes leaves turns to others", () =>
    Effect.gen(function*() {
      const large = Buffer.alloc(20 * 1024 * 1024, "x")
      for (const checksum of ["crc64", "md5"] as const) {
        yield* checksumHeaders(checksum, body)
        let turns = 0
        const counted = setInterval(() => turns++, 0)
        yield* Effect.ensuring(checksumHeaders(checksum, large), Effect.sync(() => clearInterval(counted)))
        assert.isAbove(turns, 1, checksum)
      }
    }))

  it.effect("is confirmed by what the service answers", () =>
    Effect.gen(function*() {
      for (const name of ["x-ms-content-crc64", "content-md5"]) {
        assert.strictEqual(yield* confirm("write", { [name]: "a" }, reply({ [name]: "a" })), "checksum")
        const error = yield* Effect.flip(confirm("write", { [name]: "a" }, reply({ [name]: "b" })))
        assert.deepStrictEqual([error.reason._tag, error.outcome], ["IntegrityFailed", "applied"])
      }
      assert.strictEqual(yield* confirm("write", { "content-md5": "a" }, reply({})), "checksum")
      assert.strictEqual(yield* confirm("write", { "x-ms-content-crc64": "a" }, reply({ "content-md5": "b" })), "size")
      assert.strictEqual(yield* confirm("write", {}, reply({ "content-md5": "b" })), "size")
    }))
})
