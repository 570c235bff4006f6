/** Files that other programs change while they are a source: of a read, of an upload, of a copy to another store. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, type Scope, Stream } from "effect"
import type { ObjectStore, ObjectStoreError } from "effect-objectstore"
import * as Direct from "effect-objectstore/layers/Direct"
import * as File from "effect-objectstore/layers/File"
import * as Memory from "effect-objectstore/layers/Memory"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { temporaryDirectory } from "./TempDirectory.ts"

const MiB = 1024 * 1024
const before = Buffer.alloc(8 * MiB, "before")
const parts = { partSize: MiB, concurrency: 2 }

/** What others do to the file: `true` if the old version may still be read whole. */
const changes: Record<string, readonly [keeps: boolean, (path: string) => void]> = {
  "cut short": [false, (path) => NodeFs.truncateSync(path, 3 * MiB + 1)],
  "emptied": [false, (path) => NodeFs.truncateSync(path, 0)],
  "made longer": [false, (path) => NodeFs.appendFileSync(path, "more")],
  "overwritten in place": [false, (path) => {
    const fd = NodeFs.openSync(path, "r+")
    NodeFs.writeSync(fd, Buffer.alloc(MiB, "after"), 0, MiB, 6 * MiB)
    NodeFs.closeSync(fd)
  }],
  "replaced": [true, (path) => {
    NodeFs.writeFileSync(`${path}.new`, Buffer.alloc(8 * MiB, "after"))
    NodeFs.renameSync(`${path}.new`, path)
  }],
  "removed": [true, (path) => NodeFs.unlinkSync(path)]
}

type Store = ObjectStore["Service"]
type Ways = Record<
  string,
  (from: Store, to: Store, change: () => void) => Effect.Effect<Uint8Array, ObjectStoreError>
>

/** The bytes of an object, with the change after the third piece. */
const changingAfter = (from: Store, change: () => void) => {
  let pieces = 0
  return Stream.tap(from.stream("big", parts), () =>
    Effect.sync(() => {
      if (++pieces === 3) change()
    }))
}

const ways: Ways = {
  "a stream": (from, _, change) => Stream.mkUint8Array(changingAfter(from, change)),
  "a put from a stream": (from, to, change) =>
    Effect.andThen(to.put("copy", changingAfter(from, change), parts), to.get("copy")),
  "a put over another version": (from, to, change) =>
    Effect.andThen(
      to.putMultipart("kept", changingAfter(from, change), parts),
      to.get("kept")
    ),
  "a reader": (from, _, change) =>
    Effect.scoped(Effect.gen(function*() {
      const reader = yield* from.open("big")
      const first = yield* reader.read({ offset: 0, length: 3 * MiB })
      change()
      const rest = yield* reader.read({ offset: 3 * MiB })
      return Buffer.concat([first, rest])
    }))
}

const stores: Record<string, (root: string) => Effect.Effect<Store, ObjectStoreError, Scope.Scope>> = {
  file: (root) => File.make({ root, durability: "none" }),
  direct: (root) => Direct.make({ root, durability: "none", fallback: "buffered" })
}

for (const [name, make] of Object.entries(stores)) {
  describe(`a file of ${name}:// that is a source`, () => {
    for (const [what, [keeps, change]] of Object.entries(changes)) {
      for (const [way, read] of Object.entries(ways)) {
        it.live(`of ${way} and is ${what} gives one version or fails, and publishes nothing then`, () =>
          Effect.gen(function*() {
            const root = yield* temporaryDirectory
            const from = yield* make(root)
            const to = yield* Memory.make({ base: "mem://to/" })
            yield* from.put("big", before)
            yield* to.put("kept", "kept")
            const result = yield* Effect.result(read(from, to, () => change(NodePath.join(root, "big"))))
            if (Result.isSuccess(result)) {
              assert.isTrue(keeps, "a version that is no more was read")
              assert.isTrue(before.equals(result.success))
              return
            }
            const { reason } = result.failure
            const cause = reason._tag === "SourceFailed" ? (reason.cause as ObjectStoreError).reason : reason
            assert.include(["ObjectChanged", ...keeps ? ["NotFound"] : []], cause._tag, result.failure.message)
            if (reason._tag === "SourceFailed") assert.strictEqual(result.failure.outcome, "not-applied")
            const keys = yield* Stream.runCollect(Stream.map(to.list(), ({ key }) => key))
            assert.deepStrictEqual(keys, ["kept"])
            assert.strictEqual(Buffer.from(yield* to.get("kept")).toString(), "kept")
            assert.deepStrictEqual(yield* Stream.runCollect(to.listUploads()), [])
          }))
      }
    }
  })
}
