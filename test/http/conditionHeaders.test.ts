import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { readConditionHeaders, toImfFixdate } from "../../src/http/conditionHeaders.ts"

const at = DateTime.makeUnsafe("1994-11-06T08:49:37.999Z")

describe("conditionHeaders", () => {
  it.effect("writes times as RFC 9110 does, cut to the second", () =>
    Effect.sync(() => {
      assert.strictEqual(toImfFixdate(at), "Sun, 06 Nov 1994 08:49:37 GMT")
      assert.strictEqual(
        toImfFixdate(DateTime.makeZonedUnsafe("2026-01-01T01:00:00+02:00", { timeZone: "Europe/Berlin" })),
        "Wed, 31 Dec 2025 23:00:00 GMT"
      )
    }))

  it.effect("sends what counts, and no date beside an etag", () =>
    Effect.sync(() => {
      assert.deepStrictEqual(readConditionHeaders({}), {})
      assert.deepStrictEqual(readConditionHeaders({ ifMatch: "\"a\"", ifUnmodifiedSince: at }), { "if-match": "\"a\"" })
      assert.deepStrictEqual(readConditionHeaders({ ifNoneMatch: "*", ifModifiedSince: at }), { "if-none-match": "*" })
      assert.deepStrictEqual(readConditionHeaders({ ifModifiedSince: at, ifUnmodifiedSince: at, version: "v" }), {
        "if-modified-since": "Sun, 06 Nov 1994 08:49:37 GMT",
        "if-unmodified-since": "Sun, 06 Nov 1994 08:49:37 GMT"
      })
      assert.deepStrictEqual(readConditionHeaders({ ifMatch: "\"a\"", ifModifiedSince: at }), {
        "if-match": "\"a\"",
        "if-modified-since": "Sun, 06 Nov 1994 08:49:37 GMT"
      })
    }))
})
