import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as NodeFs from "node:fs"
import { lockName, randomId } from "../../src/filesystem/names.ts"
import { at, makeStore, reasonOf } from "./Store.ts"

const me = {
  boot: NodeFs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
  host: NodeFs.readFileSync("/proc/sys/kernel/hostname", "utf8").trim(),
  namespace: NodeFs.readlinkSync("/proc/self/ns/pid"),
  pid: process.pid,
  start: NodeFs.readFileSync("/proc/self/stat", "utf8").split(") ")[1]!.split(" ")[19]!
}
const dead = { ...me, pid: 2 ** 22 + 1 }
/** Owners that cannot be asked whether they live. */
const unknown: ReadonlyArray<readonly [string, object]> = [
  ["a process of another machine", { ...me, host: "elsewhere", boot: "other" }],
  ["a process of another pid namespace", { ...dead, namespace: "pid:[1]" }],
  ["nobody that can be told", { damaged: true }]
]

/** Makes the lock of a key's file, as if that many seconds ago. */
const writeLock = (directory: string, name: string, owner: object, age: number): string => {
  const path = `${directory}/${lockName(name)}`
  NodeFs.writeFileSync(path, JSON.stringify({ ...owner, nonce: randomId() }))
  const { mtimeMs } = NodeFs.statSync(path)
  NodeFs.utimesSync(path, mtimeMs / 1000 - age, mtimeMs / 1000 - age)
  return path
}

describe.concurrent("the lock of a process that was killed", () => {
  it.live.each([["a dead process of this machine", dead, 0] as const, ...unknown.map((row) => [...row, 180] as const)])(
    "is a leftover if it is of %s; without it, its directory goes and its name is free",
    ([, owner, age]) =>
      Effect.gen(function*() {
        const { backend, files, path, put, uploads } = yield* makeStore()
        NodeFs.mkdirSync(path("a", "b"), { recursive: true })
        writeLock(path("a", "b"), "c", owner, age)
        assert.strictEqual(yield* reasonOf(put("a")), "Conflict")
        const found = yield* uploads
        assert.deepStrictEqual(found.map(({ key }) => key), [`a/b/${lockName("c")}`])
        yield* backend.abortUpload(found[0]!)
        assert.deepStrictEqual(files(), [])
        yield* put("a")
      })
  )

  it.live.each(unknown)("is taken from %s after some minutes, once", ([, owner]) =>
    Effect.gen(function*() {
      const { files, put, root } = yield* makeStore()
      const { etag } = yield* put("a")
      writeLock(root, "a", owner, 180)
      const answers = yield* Effect.forEach(
        Array.from({ length: 8 }),
        () => reasonOf(put("a", "new", { mode: { update: etag! } })),
        { concurrency: 8 }
      )
      assert.deepStrictEqual(answers.sort(), [...Array.from({ length: 7 }, () => "PreconditionFailed"), "succeeded"])
      assert.deepStrictEqual(files(), ["a"])
    }))
})

describe.concurrent("a lock that may be held", () => {
  it.live.each([["a live process", me, 180] as const, ...unknown.map((row) => [...row, 0] as const)])(
    "of %s is neither listed nor removed",
    ([, owner, age]) =>
      Effect.gen(function*() {
        const { backend, root, uploads } = yield* makeStore()
        const path = writeLock(root, "a", owner, age)
        assert.deepStrictEqual(yield* uploads, [])
        const id = lockName("a").slice(".objectstore~".length)
        assert.strictEqual(
          yield* reasonOf(backend.abortUpload({ ...at("a"), id })),
          "UploadNotFound"
        )
        assert.isTrue(NodeFs.existsSync(path))
      })
  )
})

describe.concurrent("what fails", () => {
  it.live("leaves the directories that other programs made, and none of its own", () =>
    Effect.gen(function*() {
      const { backend, files, path, put } = yield* makeStore()
      NodeFs.mkdirSync(path("given", "empty"), { recursive: true })
      yield* put("a")
      const before = files()
      for (const key of ["given/empty/x", "given/empty/new/deep/x", "new/x"]) {
        assert.strictEqual(yield* reasonOf(put(key, "", { mode: { update: "none" } })), "PreconditionFailed")
        assert.strictEqual(
          yield* reasonOf(backend.copy!(at("a"), at(key), { mode: { update: "none" } })),
          "PreconditionFailed"
        )
        assert.strictEqual(yield* reasonOf(backend.abortUpload({ ...at(key), id: randomId() })), "UploadNotFound")
        assert.deepStrictEqual(files(), before)
      }
    }))
})
