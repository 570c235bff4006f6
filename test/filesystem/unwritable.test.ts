import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as File from "effect-objectstore/layers/File"
import * as NodeFs from "node:fs"
import { temporaryDirectory } from "./TempDirectory.ts"

describe("a root that cannot be made", () => {
  it.live("fails at once where the file system refuses new directories", () =>
    Effect.gen(function*() {
      const store = yield* File.make({ root: "/proc/objectstore/a/b" })
      const error = yield* Effect.flip(store.put("key", "x"))
      assert.strictEqual(error._tag, "ObjectStoreError")
      assert.strictEqual(error.outcome, "not-applied")
    }), { timeout: 10_000 })

  it.live("is Configuration where it is a link that leads nowhere", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      NodeFs.symlinkSync("/nonexistent/objectstore", `${directory}/link`)
      const error = yield* Effect.flip(File.make({ root: `${directory}/link` }))
      assert.strictEqual(error.reason._tag, "Configuration")
    }))

  it.live("fails where a file is in its way, and is made where it is only missing", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      NodeFs.writeFileSync(`${directory}/file`, "")
      const blocked = yield* Effect.flip(
        Effect.flatMap(File.make({ root: `${directory}/file/a/b` }), (store) => store.put("key", "x"))
      )
      assert.strictEqual(blocked.reason._tag, "Configuration")
      const store = yield* File.make({ root: `${directory}/new/a/b` })
      assert.strictEqual((yield* store.put("key", "x")).size, 1)
      assert.strictEqual(NodeFs.readFileSync(`${directory}/new/a/b/key`, "utf8"), "x")
    }))
})
