/** What files may be touched, and how. The ids are those of docs/security.md. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { ObjectStore, ObjectStoreError } from "effect-objectstore"
import * as Direct from "effect-objectstore/layers/Direct"
import * as File from "effect-objectstore/layers/File"
import * as NodeFs from "node:fs"
import { temporaryDirectory } from "../filesystem/TempDirectory.ts"
import { watchSystemCalls } from "../support/SystemCalls.ts"

const { O_CREAT, O_EXCL, O_NOFOLLOW } = NodeFs.constants

const stores = {
  file: (root: string) => File.make({ root, durability: "none" }),
  direct: (root: string) => Direct.make({ root, durability: "none", fallback: "buffered" })
}

type Store = ObjectStore["Service"]

const writes: Record<string, (store: Store) => Effect.Effect<unknown, ObjectStoreError>> = {
  put: (store) => store.put("d/a", new Uint8Array(30_000), { metadata: { a: "b" } }),
  "put that creates": (store) => store.put("d/new", new Uint8Array(30_000), { mode: "create" }),
  "put that updates": (store) =>
    Effect.flatMap(store.stat("d/a"), ({ etag }) => store.put("d/a", "x", { mode: { update: etag! } })),
  putMultipart: (store) => store.putMultipart("d/a", new Uint8Array(30_000), { partSize: 10_000 }),
  copy: (store) => store.copy("d/a", "d/copy")
}

for (const [name, make] of Object.entries(stores)) {
  describe(`S12: the root of ${name}://`, () => {
    it.live("is not left by a hard link: an overwrite gives the name to a new file, and writes through nothing", () =>
      Effect.gen(function*() {
        const outside = yield* temporaryDirectory
        const root = yield* temporaryDirectory
        NodeFs.writeFileSync(`${outside}/precious`, "precious")
        NodeFs.mkdirSync(`${root}/d`)
        const store = yield* make(root)
        for (const run of Object.values(writes)) {
          NodeFs.rmSync(`${root}/d`, { recursive: true })
          NodeFs.mkdirSync(`${root}/d`)
          NodeFs.linkSync(`${outside}/precious`, `${root}/d/a`)
          yield* run(store)
          assert.strictEqual(NodeFs.readFileSync(`${outside}/precious`, "utf8"), "precious")
        }
        yield* store.delete("d/a")
        assert.strictEqual(NodeFs.readFileSync(`${outside}/precious`, "utf8"), "precious")
      }))
  })

  describe(`S13: rights of files of ${name}://`, () => {
    it.live("come from the umask, whatever the metadata say, and never hold setuid, setgid or sticky bits", () =>
      Effect.gen(function*() {
        const root = yield* temporaryDirectory
        const store = yield* make(root)
        const metadata = {
          mode: "104755",
          uid: "0",
          gid: "0",
          mtime: "0",
          "x-amz-meta-mode": "4755",
          permissions: "7777"
        }
        yield* store.put("a", "x", { metadata })
        yield* store.putMultipart("b", "x", { metadata })
        yield* store.copy("a", "c")
        NodeFs.chmodSync(`${root}/a`, 0o6777)
        yield* store.copy("a", "d")
        yield* store.put("a", "y", { metadata })
        const mask = process.umask()
        for (const key of ["a", "b", "c", "d"]) {
          const stats = NodeFs.statSync(`${root}/${key}`)
          assert.strictEqual(stats.mode & 0o7777, 0o666 & ~mask, key)
          assert.isAbove(stats.mtimeMs, Date.now() - 60_000)
        }
        // Nor are links made of anything.
        assert.isTrue(NodeFs.readdirSync(root, { withFileTypes: true }).every((entry) => entry.isFile()))
      }))
  })

  describe(`S14: temporary files of ${name}://`, () => {
    it.live("are new, follow no link, are nobody else's, stand beside the target, and have names that nobody guesses", () =>
      Effect.gen(function*() {
        const root = yield* temporaryDirectory
        const store = yield* make(root)
        yield* store.put("d/a", "x")
        const calls = yield* watchSystemCalls
        const made: Array<readonly [path: string, flags: number, mode: number]> = []
        calls.onCall = (call, { args, name: what }) => {
          const [path, flags, mode] = args
          if (Number.isInteger(call) && what === "open" && (Number(flags) & O_CREAT) !== 0) {
            made.push([String(path), Number(flags), Number(mode)])
          }
        }
        for (const run of Object.values(writes)) yield* run(store)
        yield* Stream.runDrain(store.list())
        calls.onCall = () => {}
        assert.isAtLeast(made.length, Object.keys(writes).length)
        for (const [path, flags, mode] of made) {
          assert.strictEqual(flags & O_EXCL, O_EXCL, path)
          assert.strictEqual(flags & O_NOFOLLOW, O_NOFOLLOW, path)
          assert.strictEqual(mode, 0o600, path)
          assert.match(path, /^\/proc\/self\/fd\/\d+\/\.objectstore~/)
        }
        const temporaries = made.map(([path]) => path).filter((path) => /~(?:tmp|up)~/.test(path))
        assert.isNotEmpty(temporaries)
        for (const path of temporaries) assert.match(path, /~[0-9a-f]{32}(?:~[a-z]+)?(?:\.[a-z]+)?$/)
        assert.strictEqual(new Set(temporaries).size, temporaries.length)
      }))
  })
}
