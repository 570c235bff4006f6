import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import mutableFs, * as NodeFs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import { reserved, sidecarName } from "../../src/filesystem/names.ts"
import { at, makeStore, reasonOf } from "./Store.ts"

const create = { mode: "create" } as const
const labelled = (owner: string) => ({ metadata: { owner } })

/** Runs an effect in which another program acts right before or right after every such call with a key's name as target. */
const around =
  (call: "link" | "rename", moment: "before" | "after", name: string, act: () => void) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const original = mutableFs[call]
        const watched = (from: string, to: string, done: NodeFs.NoParamCallback): void => {
          if (!to.endsWith(`/${name}`)) return original(from, to, done)
          if (moment === "before") act()
          original(from, to, (error) => {
            if (moment === "after") act()
            done(error)
          })
        }
        Object.assign(mutableFs, { [call]: watched })
        syncBuiltinESMExports()
        return original
      }),
      () => effect,
      (original) =>
        Effect.sync(() => {
          Object.assign(mutableFs, { [call]: original })
          syncBuiltinESMExports()
        })
    )

const replace = (path: string, text: string) => (): void => {
  NodeFs.writeFileSync(`${path}.new`, text)
  NodeFs.renameSync(`${path}.new`, path)
}

describe("a create-only rename", () => {
  it.live("leaves a newer version that another program put at the old name meanwhile", () =>
    Effect.gen(function*() {
      const { backend, files, get, head, path, put } = yield* makeStore()
      const { etag } = yield* put("d/from", "old", labelled("me"))
      const reply = yield* backend.rename!(at("d/from"), at("to"), create).pipe(
        around("link", "after", "to", replace(path("d/from"), "newer"))
      )
      assert.strictEqual(reply.etag, etag)
      assert.strictEqual(yield* get("to"), "old")
      assert.deepStrictEqual((yield* head("to")).metadata, { owner: "me" })
      assert.strictEqual(yield* get("d/from"), "newer")
      // The two objects, the directory, and the metadata of what was moved.
      assert.lengthOf(files(), 4)
    }))

  it.live("moves the version that another program put at the old name before, and tells its etag", () =>
    Effect.gen(function*() {
      const { backend, files, get, head, path, put } = yield* makeStore()
      yield* put("d/from", "old", labelled("me"))
      const reply = yield* backend.rename!(at("d/from"), at("to"), create).pipe(
        around("link", "before", "to", replace(path("d/from"), "newer"))
      )
      assert.strictEqual(yield* get("to"), "newer")
      assert.strictEqual(reply.etag, (yield* head("to")).etag)
      assert.deepStrictEqual(files(), ["to"])
    }))

  it.live("succeeds if another program removes the old name meanwhile", () =>
    Effect.gen(function*() {
      const { backend, files, path, put } = yield* makeStore()
      yield* put("from")
      yield* backend.rename!(at("from"), at("to"), create).pipe(
        around("link", "after", "to", () => NodeFs.unlinkSync(path("from")))
      )
      assert.deepStrictEqual(files(), ["to"])
    }))
})

describe("a change whose version another process renames meanwhile", () => {
  const sidecars = (names: ReadonlyArray<string>) => names.filter((name) => name.includes(`${reserved}meta~`))

  it.live("keeps the metadata of that version, for the rename to take along", () =>
    Effect.gen(function*() {
      const { files, get, head, path, put } = yield* makeStore()
      const { etag } = yield* put("from", "moved", labelled("me"))
      yield* put("from", "newer", labelled("you")).pipe(
        around("rename", "before", "from", () => NodeFs.renameSync(path("from"), path("moved")))
      )
      assert.strictEqual(yield* get("from"), "newer")
      assert.deepStrictEqual((yield* head("from")).metadata, { owner: "you" })
      assert.include(files(), sidecarName("from", etag!))
    }))

  it.live("lets the metadata go with the last name of the version", () =>
    Effect.gen(function*() {
      const { backend, files, path, put, uploads } = yield* makeStore()
      yield* put("a", "old", labelled("me"))
      yield* put("a", "new", labelled("me"))
      assert.lengthOf(sidecars(files()), 1)
      NodeFs.linkSync(path("a"), path("link"))
      yield* backend.deleteBatch("", [{ key: "a" }])
      assert.lengthOf(sidecars(files()), 1)
      const left = yield* uploads
      assert.lengthOf(left, 1)
      yield* backend.abortUpload(left[0]!)
      assert.deepStrictEqual(files(), ["link"])
    }))

  it.live("removes what a create-only write made, as any other", () =>
    Effect.gen(function*() {
      const { backend, files, put } = yield* makeStore()
      yield* put("a", "first", { ...labelled("me"), ...create })
      yield* put("a", "second")
      assert.deepStrictEqual(files(), ["a"])
      yield* backend.deleteBatch("", [{ key: "a" }])
      assert.deepStrictEqual(files(), [])
    }))
})

describe("a rename that fails", () => {
  it.live("leaves the directories that other programs made, and none of its own", () =>
    Effect.gen(function*() {
      const { backend, files, path, put } = yield* makeStore()
      const rename = (from: string, to: string, ifMatch?: string) =>
        reasonOf(backend.rename!(at(from), at(to), { mode: "overwrite", ifMatch }))
      NodeFs.mkdirSync(path("given", "empty"), { recursive: true })
      yield* put("a")
      const before = files()
      assert.strictEqual(yield* rename("given/empty/x", "b"), "NotFound")
      assert.strictEqual(yield* rename("a", "given/empty/x", "other"), "PreconditionFailed")
      assert.strictEqual(yield* rename("a", "given/empty/new/deep/x", "other"), "PreconditionFailed")
      assert.deepStrictEqual(files(), before)
    }))
})
