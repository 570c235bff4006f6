import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { Worker } from "node:worker_threads"
import { at, makeStore, openDescriptors, plain, reasonOf } from "./Store.ts"
import { temporaryDirectory } from "./TempDirectory.ts"

const outside = Effect.map(temporaryDirectory, (path) => {
  NodeFs.writeFileSync(NodePath.join(path, "secret"), "secret")
  return path
})

describe("the root of a file store", () => {
  it.live("keys with `..`, `.` and empty segments are names below the root", () =>
    Effect.gen(function*() {
      const { files, get, keys, put } = yield* makeStore()
      const all = ["../x", "../../etc/passwd", "./a", "a/../b", "/", "/abs", "a//b", "c/", "\0", "a\0/b", "..."]
      for (const key of all) yield* put(key)
      for (const key of all) assert.strictEqual(yield* get(key), key)
      assert.sameMembers([...yield* keys()], all)
      assert.include(files(), "%=..")
    }))

  it.live("a symbolic link as an object is InvalidKey in every operation, and is not listed", () =>
    Effect.gen(function*() {
      const { backend, get, head, keys, path, put, remove } = yield* makeStore()
      const target = NodePath.join(yield* outside, "secret")
      yield* put("a")
      NodeFs.symlinkSync(target, path("link"))
      const overwrite = { mode: "overwrite" } as const
      for (
        const attempt of [
          get("link"),
          head("link"),
          put("link"),
          put("link", "x", { mode: "create" }),
          backend.copy(at("link"), at("b"), overwrite),
          backend.copy(at("a"), at("link"), overwrite),
          backend.rename!(at("link"), at("b"), overwrite),
          backend.rename!(at("a"), at("link"), overwrite),
          backend.openUpload(at("link"), plain)
        ]
      ) assert.strictEqual(yield* reasonOf(attempt), "InvalidKey")
      assert.strictEqual(yield* remove("link"), "InvalidKey")
      assert.deepStrictEqual(yield* keys(), ["a"])
      assert.strictEqual(NodeFs.readFileSync(target, "utf8"), "secret")
      assert.strictEqual(NodeFs.readlinkSync(path("link")), target)
    }))

  it.live("an upload whose directory became a symbolic link cannot be aborted, and holds no descriptor", () =>
    Effect.gen(function*() {
      const { backend, path } = yield* makeStore()
      const elsewhere = yield* outside
      const before = openDescriptors()
      const upload = yield* backend.openUpload(at("a/b"), plain)
      NodeFs.renameSync(path("a"), path("moved"))
      NodeFs.symlinkSync(elsewhere, path("a"))
      assert.strictEqual(yield* reasonOf(backend.abortUpload(upload)), "InvalidKey")
      assert.isAtMost(openDescriptors(), before)
    }))

  it.live("a symbolic link as a directory is not followed in any operation, also where the target lacks the name", () =>
    Effect.gen(function*() {
      const { backend, get, head, keys, path, put, remove } = yield* makeStore()
      const elsewhere = yield* outside
      yield* put("a")
      NodeFs.symlinkSync(elsewhere, path("link"))
      NodeFs.mkdirSync(path("deep"))
      NodeFs.symlinkSync(elsewhere, path("deep", "link"))
      for (const key of ["link/secret", "link/new", "deep/link/secret", "deep/link/new", "link/x/y"]) {
        for (
          const attempt of [
            get(key),
            head(key),
            put(key),
            backend.openUpload(at(key), plain),
            backend.copy(at(key), at("b"), { mode: "overwrite" }),
            backend.copy(at("a"), at(key), { mode: "overwrite" }),
            backend.rename!(at("a"), at(key), { mode: "overwrite" }),
            backend.abortUpload({ ...at(key), id: "0".repeat(32) }),
            backend.listPage({ container: "", prefix: key, limit: 10 })
          ]
        ) assert.strictEqual(yield* reasonOf(attempt), "InvalidKey", key)
        assert.strictEqual(yield* remove(key), "InvalidKey")
      }
      assert.deepStrictEqual(yield* keys(), ["a"])
      assert.deepStrictEqual(NodeFs.readdirSync(elsewhere), ["secret"])
    }))

  it.live("links above and at the root are followed", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      NodeFs.mkdirSync(NodePath.join(directory, "real"))
      NodeFs.symlinkSync("real", NodePath.join(directory, "root"))
      const { get, put } = yield* makeStore({ root: NodePath.join(directory, "root") })
      yield* put("a/b")
      assert.strictEqual(yield* get("a/b"), "a/b")
      assert.isTrue(NodeFs.existsSync(NodePath.join(directory, "real", "a", "b")))
    }))

  it.live("a root that is replaced by another directory is the new one at once", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const root = NodePath.join(directory, "root")
      const { get, keys, put } = yield* makeStore({ root })
      yield* put("old/x")
      NodeFs.renameSync(root, NodePath.join(directory, "away"))
      assert.strictEqual(yield* reasonOf(get("old/x")), "NotFound")
      assert.deepStrictEqual(yield* keys(), [])
      yield* put("new/x")
      assert.strictEqual(yield* get("new/x"), "new/x")
      NodeFs.rmSync(root, { recursive: true })
      NodeFs.symlinkSync("away", root)
      assert.strictEqual(yield* get("old/x"), "old/x")
    }))

  it.live("pipes and sockets neither block nor appear", () =>
    Effect.gen(function*() {
      const { get, head, keys, path, put } = yield* makeStore()
      yield* put("a")
      execFileSync("mkfifo", [path("pipe")])
      for (const attempt of [get("pipe"), head("pipe"), put("pipe")]) {
        assert.strictEqual(yield* reasonOf(attempt), "InvalidKey")
      }
      assert.deepStrictEqual(yield* keys(), ["a"])
    }))

  it.live("while a directory is swapped for a link 10,000 times, nothing is read or written outside", () =>
    Effect.gen(function*() {
      const { get, head, keys, path, put } = yield* makeStore()
      const elsewhere = yield* outside
      NodeFs.writeFileSync(NodePath.join(elsewhere, "x"), "outside")
      yield* put("d/x", "inside")
      const done = swap(path("d"), elsewhere, path("aside"), 10_000)
      const seen = { inside: 0, refused: 0, written: 0 }
      while (!done.ended) {
        const text = yield* Effect.catch(get("d/x"), () => Effect.succeed("refused"))
        assert.notStrictEqual(text, "outside")
        seen[text === "inside" ? "inside" : "refused"]++
        const stat = yield* Effect.option(head("d/x"))
        if (stat._tag === "Some") assert.strictEqual(stat.value.size, "inside".length)
        if ((yield* reasonOf(put("d/x", "inside"))) === "succeeded") seen.written++
        yield* Effect.ignore(put("d/new", "new"))
        const listed = yield* Effect.orElseSucceed(keys("d/"), () => [])
        assert.notInclude(listed, "d/secret")
      }
      assert.strictEqual(done.swapped, 10_000)
      assert.isAbove(seen.inside, 0)
      assert.isAbove(seen.refused, 0)
      assert.isAbove(seen.written, 0)
      assert.sameMembers(NodeFs.readdirSync(elsewhere), ["secret", "x"])
      assert.strictEqual(NodeFs.readFileSync(NodePath.join(elsewhere, "x"), "utf8"), "outside")
    }))
})

/** Swaps a directory for a link and back in a thread of its own, whatever others put in its place meanwhile. */
const swap = (directory: string, target: string, aside: string, times: number) => {
  const state = { ended: false, swapped: 0 }
  const worker = new Worker(
    `const fs = require("node:fs")
     const { parentPort, workerData } = require("node:worker_threads")
     const { directory, target, aside, times } = workerData
     const attempt = (run) => { try { run(); return true } catch { return false } }
     let swapped = 0
     while (swapped < times) {
       if (!attempt(() => fs.renameSync(directory, aside))) continue
       if (attempt(() => fs.symlinkSync(target, directory))) swapped++
       while (!attempt(() => fs.renameSync(aside, directory))) {
         attempt(() => fs.rmSync(directory, { recursive: true, force: true }))
       }
     }
     parentPort.postMessage(swapped)`,
    { eval: true, workerData: { directory, target, aside, times } }
  )
  worker.on("message", (swapped: number) => {
    state.swapped = swapped
  })
  worker.on("exit", () => {
    state.ended = true
  })
  return state
}
