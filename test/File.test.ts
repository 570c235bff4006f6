import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Stream } from "effect"
import * as File from "effect-objectstore/layers/File"
import mutableFs, * as NodeFs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import * as NodePath from "node:path"
import { ObjectStore } from "../src/index.ts"
import { at, bytes, makeStore, openDescriptors, plain, reasonOf } from "./filesystem/Store.ts"
import { temporaryDirectory } from "./filesystem/TempDirectory.ts"

const overwrite = { mode: "overwrite" } as const
const labelled = { attributes: { contentType: "text/plain" }, metadata: { owner: "me", __proto__x: "1" } }

describe("the root", () => {
  it.live("is not made before the first write, then with its parents", () =>
    Effect.gen(function*() {
      const root = NodePath.join(yield* temporaryDirectory, "new", "root")
      const { get, keys, put, remove, uploads } = yield* makeStore({ root })
      assert.strictEqual(yield* reasonOf(get("a")), "NotFound")
      assert.deepStrictEqual(yield* keys(), [])
      assert.deepStrictEqual(yield* uploads, [])
      assert.strictEqual(yield* remove("a"), "gone")
      assert.isFalse(NodeFs.existsSync(NodePath.dirname(root)))
      yield* put("a/b")
      assert.strictEqual(yield* get("a/b"), "a/b")
    }))

  it.live("that is a file, or missing with createRoot false, or no path, is Configuration", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const file = NodePath.join(directory, "file")
      NodeFs.writeFileSync(file, "")
      const of = (options: File.FileOptions) => reasonOf(Effect.scoped(File.makeBackend(options)))
      assert.strictEqual(yield* of({ root: file }), "Configuration")
      assert.strictEqual(yield* of({ root: NodePath.join(file, "below") }), "Configuration")
      assert.strictEqual(yield* of({ root: NodePath.join(directory, "none"), createRoot: false }), "Configuration")
      assert.strictEqual(yield* of({ root: "" }), "Configuration")
      assert.strictEqual(yield* of({ root: "a\0b" }), "Configuration")
      assert.strictEqual(yield* of({ root: directory, durability: "some" as "none" }), "Configuration")
      assert.strictEqual(yield* of({ root: directory, createRoot: false }), "succeeded")
    }))

  it.live("is never pruned, and empty parents are", () =>
    Effect.gen(function*() {
      const { backend, files, put, remove, root } = yield* makeStore()
      yield* put("a/b/c/d")
      yield* put("a/x")
      assert.strictEqual(yield* remove("a/b/c/d"), "gone")
      assert.deepStrictEqual(files(), ["a", "a/x"])
      yield* backend.rename!(at("a/x"), at("y"), overwrite)
      assert.deepStrictEqual(files(), ["y"])
      assert.strictEqual(yield* remove("y"), "gone")
      assert.isTrue(NodeFs.existsSync(root))
    }))

  it.live("comes from OBJECTSTORE_FILE_ROOT in FileLive", () =>
    Effect.gen(function*() {
      const root = yield* temporaryDirectory
      const config = ConfigProvider.layer(ConfigProvider.fromEnvRecord({ OBJECTSTORE_FILE_ROOT: root }))
      yield* Effect.flatMap(ObjectStore, (store) => store.put("a", "x")).pipe(
        Effect.provide(Layer.provide(File.FileLive, config))
      )
      assert.strictEqual(NodeFs.readFileSync(NodePath.join(root, "a"), "utf8"), "x")
    }))

  it.live("files are made with the permissions that other programs give theirs", () =>
    Effect.gen(function*() {
      const { path, put } = yield* makeStore()
      yield* put("a")
      NodeFs.writeFileSync(path("b"), "")
      assert.strictEqual(NodeFs.statSync(path("a")).mode, NodeFs.statSync(path("b")).mode)
    }))
})

describe("a key and a key below it", () => {
  it.live("exclude each other, and nothing is moved", () =>
    Effect.gen(function*() {
      const { backend, get, head, put, remove } = yield* makeStore()
      yield* put("a")
      for (
        const attempt of [
          put("a/b"),
          backend.openUpload(at("a/b"), plain),
          backend.copy(at("a"), at("a/b"), overwrite),
          backend.rename!(at("a"), at("a/b"), overwrite)
        ]
      ) assert.strictEqual(yield* reasonOf(attempt), "Conflict")
      assert.strictEqual(yield* get("a"), "a")
      assert.strictEqual(yield* reasonOf(head("a/b")), "NotFound")
      assert.strictEqual(yield* remove("a/b"), "gone")
      yield* put("d/e")
      for (const attempt of [put("d"), put("d", "x", { mode: "create" }), backend.copy(at("a"), at("d"), overwrite)]) {
        assert.strictEqual(yield* reasonOf(attempt), "Conflict")
      }
      assert.strictEqual(yield* reasonOf(get("d")), "NotFound")
      assert.strictEqual(yield* remove("d"), "gone")
      assert.strictEqual(yield* get("d/e"), "d/e")
    }))

  it.live("a directory without objects makes way, one that is in use does not", () =>
    Effect.gen(function*() {
      const { backend, files, get, path, put } = yield* makeStore()
      NodeFs.mkdirSync(path("a", "b", "c"), { recursive: true })
      yield* put("x/y", "1", labelled)
      NodeFs.unlinkSync(path("x", "y"))
      yield* put("a")
      yield* put("x")
      assert.strictEqual(yield* get("a"), "a")
      assert.deepStrictEqual(files(), ["a", "x"])
      yield* backend.openUpload(at("u/v"), plain)
      yield* backend.createContainer("c", {})
      for (const key of ["u", "c"]) assert.strictEqual(yield* reasonOf(put(key)), "Conflict")
      assert.lengthOf(files().filter((name) => name.startsWith("u/")), 2)
    }))
})

describe("attributes and metadata", () => {
  it.live("change with the bytes, never without them", () =>
    Effect.gen(function*() {
      const { files, head, path, put, remove } = yield* makeStore()
      yield* put("d/a", "1", labelled)
      const stat = yield* head("d/a")
      assert.deepStrictEqual(stat.attributes, labelled.attributes)
      assert.deepStrictEqual(stat.metadata, labelled.metadata)
      yield* put("d/a", "2")
      assert.deepStrictEqual((yield* head("d/a")).metadata, {})
      assert.deepStrictEqual(files(), ["d", "d/a"])
      yield* put("d/a", "3", labelled)
      NodeFs.writeFileSync(path("d", "a"), "foreign")
      assert.deepStrictEqual((yield* head("d/a")).attributes, {})
      yield* put("d/b", "3", labelled)
      assert.strictEqual(yield* remove("d/b"), "gone")
      assert.lengthOf(files().filter((name) => name.includes("meta")), 1)
    }))

  it.live("come with copies and renames", () =>
    Effect.gen(function*() {
      const { backend, files, head, put } = yield* makeStore()
      yield* put("a", "1", labelled)
      yield* put("c", "old", { metadata: { old: "1" } })
      yield* backend.copy(at("a"), at("b/b"), overwrite)
      yield* backend.rename!(at("a"), at("c"), overwrite)
      for (const key of ["b/b", "c"]) assert.deepStrictEqual((yield* head(key)).metadata, labelled.metadata)
      assert.lengthOf(files().filter((name) => name.includes("meta")), 2)
    }))

  it.live("a reader beside overwrites sees those of the version it reads", () =>
    Effect.gen(function*() {
      const { backend, put } = yield* makeStore()
      const version = (n: number) => put("d/a", String(n), n % 3 === 0 ? {} : { metadata: { n: String(n) } })
      yield* version(1)
      const state = { ended: false }
      const writer = Effect.forEach(Array.from({ length: 200 }, (_, i) => i + 1), version, { discard: true })
      const reader = Effect.gen(function*() {
        while (!state.ended) {
          yield* Effect.scoped(Effect.gen(function*() {
            const reply = yield* backend.read(at("d/a"), { conditions: {} })
            const target = new Uint8Array(reply.length)
            yield* reply.into(target)
            const n = Number(Buffer.from(target).toString())
            assert.deepStrictEqual(reply.stat.metadata, n % 3 === 0 ? {} : { n: String(n) })
          }))
          yield* backend.head(at("d/a"), {})
        }
      })
      yield* Effect.all([Effect.ensuring(writer, Effect.sync(() => state.ended = true)), reader, reader], {
        concurrency: 3
      })
    }))

  it.live("damaged ones are IntegrityFailed, and the object can be replaced and removed", () =>
    Effect.gen(function*() {
      const { files, get, path, put, remove } = yield* makeStore()
      yield* put("a", "1", labelled)
      NodeFs.writeFileSync(
        path(files().find((name) => name.includes("meta"))!),
        `{"attributes":{},"metadata":[["x",1]]}`
      )
      assert.strictEqual(yield* reasonOf(get("a")), "IntegrityFailed")
      yield* put("a", "2", labelled)
      assert.strictEqual(yield* get("a"), "2")
      assert.strictEqual(yield* remove("a"), "gone")
      assert.deepStrictEqual(files(), [])
    }))

  it.live("too much of them is LimitExceeded, and nothing is written", () =>
    Effect.gen(function*() {
      const { files, put } = yield* makeStore()
      const attempt = put("a", "1", { metadata: { big: "x".repeat(70_000) } })
      assert.strictEqual(yield* reasonOf(attempt), "LimitExceeded")
      assert.deepStrictEqual(files(), [])
    }))
})

describe("versions", () => {
  it.live("every put has an etag of its own, though inodes come again", () =>
    Effect.gen(function*() {
      const { put, remove } = yield* makeStore()
      const etags = new Set<string>()
      for (let i = 0; i < 500; i++) {
        etags.add((yield* put("a", "x")).etag!)
        if (i % 2 === 0) yield* remove("a")
      }
      assert.strictEqual(etags.size, 500)
    }))

  it.live("a reader keeps its version while the object is replaced and removed", () =>
    Effect.gen(function*() {
      const { backend, put, remove } = yield* makeStore()
      yield* put("a", "old")
      yield* Effect.scoped(Effect.gen(function*() {
        const { handle, stat } = yield* backend.read(at("a"), { conditions: {} })
        yield* put("a", "new and longer")
        yield* remove("a")
        const target = new Uint8Array(stat.size)
        yield* handle!.readInto(0, target)
        yield* handle!.verify
        assert.strictEqual(Buffer.from(target).toString(), "old")
      }))
    }))

  it.live("a file that another program changes in place is ObjectChanged", () =>
    Effect.gen(function*() {
      const { backend, path, put } = yield* makeStore()
      yield* put("a", "0123456789")
      yield* Effect.scoped(Effect.gen(function*() {
        const reply = yield* backend.read(at("a"), { conditions: {} })
        NodeFs.writeFileSync(path("a"), "short")
        assert.strictEqual(yield* reasonOf(reply.handle!.verify), "ObjectChanged")
        assert.strictEqual(yield* reasonOf(reply.handle!.readInto(0, new Uint8Array(10))), "ObjectChanged")
        assert.strictEqual(yield* reasonOf(reply.into(new Uint8Array(10))), "ObjectChanged")
      }))
    }))

  it.live(
    "32 fibers that each add 20 by compare-and-swap lose nothing, beside two stores on one root",
    () =>
      Effect.gen(function*() {
        const { get, put, root } = yield* makeStore()
        const other = yield* makeStore({ root })
        yield* put("n", "0")
        const add = (store: typeof other): Effect.Effect<unknown, unknown> =>
          Effect.gen(function*() {
            const { etag } = yield* store.head("n")
            const next = Number(yield* store.get("n")) + 1
            yield* store.put("n", String(next), { mode: { update: etag! } })
          }).pipe(Effect.catchReason("ObjectStoreError", "PreconditionFailed", () => add(store)))
        yield* Effect.forEach(
          Array.from({ length: 32 }, (_, i) => i),
          (i) => Effect.repeat(add(i % 2 === 0 ? other : { ...other, get, put }), { times: 19 }),
          { concurrency: 32 }
        )
        assert.strictEqual(yield* get("n"), "640")
      }),
    120_000
  )

  it.live("a rename between two links of one file removes the source", () =>
    Effect.gen(function*() {
      const { backend, files, get, path, put } = yield* makeStore()
      yield* put("a")
      NodeFs.linkSync(path("a"), path("b"))
      yield* backend.rename!(at("a"), at("b"), overwrite)
      assert.deepStrictEqual(files(), ["b"])
      assert.strictEqual(yield* get("b"), "a")
    }))

  it.live("an overwrite of a file with another link leaves that one alone", () =>
    Effect.gen(function*() {
      const { path, put } = yield* makeStore()
      const elsewhere = NodePath.join(yield* temporaryDirectory, "linked")
      yield* put("a", "old")
      NodeFs.linkSync(path("a"), elsewhere)
      yield* put("a", "new")
      assert.strictEqual(NodeFs.readFileSync(elsewhere, "utf8"), "old")
    }))
})

describe("uploads in parts", () => {
  const part = (number: number, offset: number, text: string) => ({ number, offset, body: bytes(text), last: false })

  it.live("are seen and aborted by another store, and completed no more", () =>
    Effect.gen(function*() {
      const { backend, files, root, uploads } = yield* makeStore()
      const other = yield* makeStore({ root })
      const upload = yield* backend.openUpload(at("d/a"), plain)
      const receipt = yield* backend.uploadPart(upload, part(1, 0, "abc"))
      const [seen] = yield* other.uploads
      assert.strictEqual(seen?.key, "d/a")
      assert.strictEqual(seen?.id, upload.id)
      yield* other.backend.abortUpload(seen!)
      assert.deepStrictEqual(files(), [])
      const unknown = "UploadNotFound"
      assert.strictEqual(yield* reasonOf(other.backend.abortUpload(seen!)), unknown)
      assert.strictEqual(yield* reasonOf(backend.uploadPart(upload, part(2, 3, "d"))), unknown)
      const complete = backend.completeUpload(upload, { parts: [receipt], size: 3 })
      assert.strictEqual(yield* reasonOf(complete), unknown)
      assert.deepStrictEqual(yield* uploads, [])
    }))

  it.live("are published only of parts that were written and not written over", () =>
    Effect.gen(function*() {
      const { backend, get } = yield* makeStore()
      const upload = yield* backend.openUpload(at("a"), plain)
      const complete = (parts: ReadonlyArray<Effect.Success<ReturnType<typeof backend.uploadPart>>>, size: number) =>
        reasonOf(backend.completeUpload(upload, { parts, size }))
      const second = yield* backend.uploadPart(upload, part(2, 3, "de"))
      const first = yield* backend.uploadPart(upload, part(1, 0, "xyz"))
      const again = yield* backend.uploadPart(upload, part(1, 0, "abc"))
      assert.strictEqual(yield* complete([first, second], 5), "IntegrityFailed")
      assert.strictEqual(yield* complete([second], 2), "InvalidRequest")
      assert.strictEqual(yield* complete([second, again], 5), "InvalidRequest")
      assert.strictEqual(yield* complete([again, second], 6), "InvalidRequest")
      assert.strictEqual(yield* complete([again, second, { ...second, number: 3, offset: 5 }], 7), "InvalidRequest")
      const over = backend.uploadPart(upload, part(3, 4, "xx"))
      assert.strictEqual(yield* reasonOf(over), "InvalidRequest")
      assert.strictEqual(yield* reasonOf(get("a")), "NotFound")
      assert.strictEqual(yield* complete([again, second], 5), "succeeded")
      assert.strictEqual(yield* get("a"), "abcde")
    }))

  it.live("metadata that nothing asks for any more are listed with them and swept, those in use are not", () =>
    Effect.gen(function*() {
      const { backend, files, head, path, put, uploads } = yield* makeStore()
      yield* put("d/gone", "1", labelled)
      yield* put("d/changed", "1", labelled)
      yield* put("d/kept", "1", labelled)
      const kept = files().filter((name) => name.includes("meta"))
      NodeFs.unlinkSync(path("d", "gone"))
      NodeFs.writeFileSync(path("d", "changed"), "foreign")
      const open = yield* uploads
      assert.lengthOf(open, 2)
      for (const upload of open) yield* backend.abortUpload(upload)
      assert.lengthOf(yield* uploads, 0)
      const name = files().find((name) => name.includes("meta"))
      assert.include(kept, name)
      const live = { container: "", key: name!, id: NodePath.basename(name!).slice(".objectstore~".length) }
      assert.strictEqual(yield* reasonOf(backend.abortUpload(live)), "UploadNotFound")
      assert.deepStrictEqual((yield* head("d/kept")).metadata, labelled.metadata)
    }))

  it.live("a temporary file that is a second link of its object goes, and the object's metadata stay", () =>
    Effect.gen(function*() {
      const { backend, files, head, path, put, uploads } = yield* makeStore()
      yield* put("a", "1", labelled)
      NodeFs.linkSync(path("a"), path(`.objectstore~tmp~${"0".repeat(32)}`))
      for (const upload of yield* uploads) yield* backend.abortUpload(upload)
      assert.deepStrictEqual((yield* head("a")).metadata, labelled.metadata)
      assert.lengthOf(files(), 2)
    }))

  it.live("ids that are none never become paths", () =>
    Effect.gen(function*() {
      const { backend, get, put } = yield* makeStore()
      yield* put("a")
      for (const id of ["", "../a", "tmp~../a", "/etc/passwd", "x".repeat(32), "tmp~"]) {
        assert.strictEqual(yield* reasonOf(backend.abortUpload({ ...at("a"), id })), "UploadNotFound")
      }
      assert.strictEqual(yield* get("a"), "a")
    }))
})

describe("listings", () => {
  it.live("names that no key leads to are left out, all others are there", () =>
    Effect.gen(function*() {
      const { get, keys, path, put } = yield* makeStore()
      yield* put("a")
      NodeFs.writeFileSync(Buffer.from(`${path("x")}\xff`, "latin1"), "")
      NodeFs.writeFileSync(path("%="), "foreign")
      NodeFs.writeFileSync(path("%=%2F"), "foreign")
      NodeFs.writeFileSync(path("\ufffd"), "foreign")
      assert.deepStrictEqual(yield* keys(), ["", "%=%2F", "a", "\ufffd"])
      for (const key of ["%=%2F", "\ufffd", ""]) assert.strictEqual(yield* get(key), "foreign")
    }))

  it.live("a cursor gives the same page again, and directories that vanish are left out", () =>
    Effect.gen(function*() {
      const { backend, path, put } = yield* makeStore()
      for (const key of ["a", "b/1", "b/2", "c/1", "d"]) yield* put(key)
      const page = (cursor?: unknown) => backend.listPage({ container: "", prefix: "", limit: 2, cursor })
      const keys = ({ objects }: Effect.Success<ReturnType<typeof page>>) => objects.map(({ key }) => key)
      const first = yield* page()
      assert.deepStrictEqual(keys(first), ["a", "b/1"])
      assert.deepStrictEqual(keys(yield* page(first.next)), ["b/2", "c/1"])
      assert.deepStrictEqual(keys(yield* page(first.next)), ["b/2", "c/1"])
      NodeFs.rmSync(path("c"), { recursive: true })
      assert.deepStrictEqual(keys(yield* page(first.next)), ["b/2", "d"])
      NodeFs.rmSync(path("b"), { recursive: true })
      assert.deepStrictEqual(keys(yield* page(first.next)), ["d"])
    }))

  it.live("directories without objects are no prefixes", () =>
    Effect.gen(function*() {
      const { backend, path, put } = yield* makeStore()
      yield* put("d/e/f")
      NodeFs.mkdirSync(path("empty", "too"), { recursive: true })
      yield* backend.openUpload(at("u/v"), plain)
      const page = (startAfter?: string) =>
        Effect.map(
          backend.listPage({ container: "", prefix: "", delimiter: "/", limit: 10, startAfter }),
          ({ prefixes }) => prefixes
        )
      assert.deepStrictEqual(yield* page(), ["d/"])
      assert.deepStrictEqual(yield* page("d/e/a"), ["d/"])
      assert.deepStrictEqual(yield* page("d/e/f"), [])
    }))
})

describe("limits and leftovers", () => {
  it.live("keys of 4,096 bytes work, also 2,048 directories deep", () =>
    Effect.gen(function*() {
      const { backend, get, keys, put, remove, root } = yield* makeStore()
      const deep = "a/".repeat(1024) + "b/".repeat(1023) + "xx"
      const long = Array.from({ length: 16 }, () => "y".repeat(255)).join("/")
      const empty = "/".repeat(900)
      for (const key of [deep, long, empty]) {
        yield* put(key, "x", labelled)
        assert.strictEqual(yield* get(key), "x")
        yield* backend.rename!(at(key), at(`${key.slice(0, -1)}z`), overwrite)
        yield* backend.rename!(at(`${key.slice(0, -1)}z`), at(key), overwrite)
      }
      assert.sameMembers([...yield* keys()], [deep, long, empty])
      for (const key of [deep, long, empty]) assert.strictEqual(yield* remove(key), "gone")
      assert.deepStrictEqual(NodeFs.readdirSync(root), [])
    }), 120_000)

  it.live("no operation leaves a descriptor, also not a failing one", () =>
    Effect.gen(function*() {
      const { backend, files, get, head, keys, put, remove, uploads } = yield* makeStore({ durability: "full" })
      yield* put("d/a", "1", labelled)
      const before = openDescriptors()
      for (let i = 0; i < 20; i++) {
        yield* Effect.ignore(put("d/a/b"))
        yield* Effect.ignore(put("d"))
        yield* Effect.ignore(get("d/none"))
        yield* Effect.ignore(get("none/none"))
        yield* Effect.ignore(put("d/a", "2", { mode: { update: "x" } }))
        yield* Effect.ignore(put("d/a", "2", { mode: "create" }))
        yield* put(`e/f/${i}`, "2", labelled)
        yield* backend.copy(at("d/a"), at("g/h"), overwrite)
        yield* backend.rename!(at("g/h"), at("i/j"), overwrite)
        yield* head("d/a")
        yield* get("d/a")
        const upload = yield* backend.openUpload(at("k/l"), plain)
        yield* backend.uploadPart(upload, { number: 1, offset: 0, body: bytes("x"), last: true })
        yield* uploads
        yield* backend.abortUpload(upload)
        yield* keys()
        yield* remove(`e/f/${i}`)
      }
      assert.strictEqual(openDescriptors(), before)
      assert.deepStrictEqual(files().filter((name) => !name.includes("meta")), ["d", "d/a", "i", "i/j"])
    }), 60_000)

  it.live("containers stay though they are empty, and go with what interrupted writes left", () =>
    Effect.gen(function*() {
      const { backend, files, path, put, remove } = yield* makeStore()
      yield* backend.createContainer("c", {})
      assert.strictEqual(yield* reasonOf(backend.createContainer("c", {})), "AlreadyExists")
      yield* put("c/a", "1", labelled)
      assert.strictEqual(yield* remove("c/a"), "gone")
      yield* put("implicit/a")
      assert.deepStrictEqual((yield* backend.listContainers).map(({ name }) => name), ["c", "implicit"])
      assert.strictEqual(yield* reasonOf(backend.deleteContainer("implicit")), "NotEmpty")
      NodeFs.writeFileSync(path("c", `.objectstore~tmp~${"0".repeat(32)}`), "")
      NodeFs.mkdirSync(path("c", "empty"))
      yield* backend.deleteContainer("c")
      assert.strictEqual(yield* reasonOf(backend.deleteContainer("c")), "ContainerNotFound")
      assert.deepStrictEqual(files(), ["implicit", "implicit/a"])
    }))

  it.live("a swept temporary file that still was in use fails nothing", () =>
    Effect.gen(function*() {
      const { get, path, put } = yield* makeStore()
      yield* put("d/keep")
      const state = { ended: false }
      const sweep = Effect.gen(function*() {
        while (!state.ended) {
          for (const name of NodeFs.readdirSync(path("d"))) {
            if (name.startsWith(".objectstore~tmp~")) NodeFs.rmSync(path("d", name), { force: true })
          }
          yield* Effect.yieldNow
        }
      })
      const writes = Effect.forEach(Array.from({ length: 20 }), () => Effect.result(put("d/a", "x")), { discard: true })
      yield* Effect.all([Effect.ensuring(writes, Effect.sync(() => state.ended = true)), sweep], { concurrency: 2 })
      yield* put("d/a", "y")
      assert.strictEqual(yield* get("d/a"), "y")
    }))
})

/** Lets a call of `node:fs` fail while an effect runs: the `nth` one, and those after it. */
const failing =
  (name: "fsync" | "fdatasync" | "write" | "rename" | "link", nth: number, code: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const original = mutableFs[name] as (...args: Array<unknown>) => void
        let calls = 0
        Object.assign(mutableFs, {
          [name]: (...args: Array<unknown>) => {
            if (++calls < nth) return original(...args)
            const done = args.at(-1) as (error: Error) => void
            setImmediate(() => done(Object.assign(new Error(code), { code, syscall: name })))
          }
        })
        syncBuiltinESMExports()
        return original
      }),
      () => effect,
      (original) =>
        Effect.sync(() => {
          Object.assign(mutableFs, { [name]: original })
          syncBuiltinESMExports()
        })
    )

describe("what a failing disk leaves", () => {
  const cases = [
    ["write", 1, "ENOSPC", "StorageFull", "not-applied"],
    ["write", 1, "EDQUOT", "StorageFull", "not-applied"],
    ["fsync", 1, "EIO", "Unavailable", "not-applied"],
    ["rename", 1, "EIO", "Unavailable", "unknown"],
    ["rename", 1, "EACCES", "PermissionDenied", "not-applied"],
    // The file is synced, its sidecar by fdatasync; then comes the directory.
    ["fsync", 2, "EIO", "Unavailable", "applied"]
  ] as const
  it.live.each(cases)(
    "%s %i failing with %s is %s, %s, and true",
    ([name, nth, code, reason, outcome]) =>
      Effect.gen(function*() {
        const { files, get, put } = yield* makeStore({ durability: "full" })
        yield* put("d/a", "old")
        const error = yield* Effect.flip(failing(name, nth, code)(put("d/a", "new", labelled)))
        assert.strictEqual(error.reason._tag, reason)
        assert.strictEqual(error.outcome, outcome)
        assert.strictEqual(yield* get("d/a"), outcome === "applied" ? "new" : "old")
        assert.lengthOf(files(), outcome === "applied" ? 3 : 2)
      })
  )

  it.live("an upload whose bytes may be lost is never published", () =>
    Effect.gen(function*() {
      const { backend, get } = yield* makeStore({ durability: "file" })
      const upload = yield* backend.openUpload(at("a"), plain)
      const parts = [yield* backend.uploadPart(upload, { number: 1, offset: 0, body: bytes("x"), last: true })]
      const complete = backend.completeUpload(upload, { parts, size: 1 })
      assert.strictEqual(yield* reasonOf(failing("fdatasync", 1, "EIO")(complete)), "Unavailable")
      assert.strictEqual(yield* reasonOf(complete), "IntegrityFailed")
      assert.strictEqual(yield* reasonOf(get("a")), "NotFound")
      yield* backend.abortUpload(upload)
    }))

  it.live("a file system without hard links says Unsupported to create-only writes, and does the others", () =>
    Effect.gen(function*() {
      const { files, put } = yield* makeStore()
      const create = put("a", "x", { mode: "create" })
      assert.strictEqual(yield* reasonOf(failing("link", 1, "EPERM")(create)), "Unsupported")
      assert.deepStrictEqual(files(), [])
      yield* failing("link", 1, "EPERM")(put("a"))
    }))
})

describe("the store", () => {
  it.live("takes relative keys and locations below its root, and no others", () =>
    Effect.gen(function*() {
      const root = yield* temporaryDirectory
      const store = yield* File.make({ root })
      yield* store.put("a/b", "x")
      assert.strictEqual(Buffer.from(yield* store.get(`file://${root}/a/b`)).toString(), "x")
      assert.strictEqual(yield* reasonOf(store.get("file:///elsewhere/a")), "InvalidUri")
      const [info] = yield* Stream.runCollect(store.list())
      assert.strictEqual(info?.key, "a/b")
      assert.strictEqual(info?.uri, `file://${root}/a/b`)
    }))
})
