import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run, temporary, write } from "./CliTest.ts"

// Nobody listens there: what is wrong is told before anything is sent.
const endpoint = ["--endpoint", "gs=http://127.0.0.1:1"]

describe("--part-size", () => {
  const cases: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
    [["cp", "--part-size", "1"], "1 is less than 262144"],
    [["cp", "--part-size", "300000"], "300000 is no multiple of 262144"],
    [["put", "--part-size", "300000"], "300000 is no multiple of 262144"]
  ]

  it.live.each(cases)(
    "that the target does not take is a mistake in the command: %s",
    ([[command, ...flags], what]) =>
      Effect.gen(function*() {
        const dir = yield* temporary
        write(dir, { a: "some bytes" })
        const ran = yield* run(dir, [command!, ...endpoint, ...flags, "a", "gs://bucket/a"])
        assert.deepStrictEqual([ran.code, ran.stdout], [2, ""])
        assert.strictEqual(ran.stderr, `objectstore: Usage: --part-size: ${what} bytes, at gs://bucket/\n`)
      })
  )

  it.live("is looked at for standard input too", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      const ran = yield* run(dir, ["put", ...endpoint, "--part-size", "1", "-", "gs://bucket/a"], "bytes")
      assert.strictEqual(ran.code, 2)
      assert.include(ran.stderr, "Usage: --part-size: 1 is less than 262144")
    }))
})

describe("a directory in which no file can be made", () => {
  it.live("is told as such", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { a: "some bytes" })
      const ran = yield* run(dir, ["put", "a", "/proc/x"])
      assert.strictEqual(ran.code, 1)
      assert.strictEqual(
        ran.stderr,
        "objectstore: PermissionDenied: put file:///proc/x: no file can be made in this directory\n"
      )
    }))
})
