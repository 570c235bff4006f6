// Run as a process of its own, in surroundings that make system calls fail: `node child.ts SCENARIO SCHEME ROOT`.
import { Effect, Result, Stream } from "effect"
import { execFileSync } from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Direct from "../../../layers/Direct.ts"
import * as File from "../../../layers/File.ts"
import type { ObjectStore, ObjectStoreError } from "../../../src/index.ts"

const [scenario = "", scheme = "", root = ""] = process.argv.slice(2)

export const MiB = 1024 * 1024
const before = Buffer.alloc(200_000, "before")
const small = Buffer.alloc(1000, "small")
const large = Buffer.alloc(8 * MiB, "large")
const parts = { partSize: MiB, concurrency: 2 }

/** How an operation ended. */
export interface Ended {
  readonly what: string
  readonly reason: string
  readonly code?: string | undefined
  readonly outcome?: string | undefined
}

/** What the process tells at its end. */
export interface Told {
  readonly ended: ReadonlyArray<Ended>
  /** The objects, and what they hold. */
  readonly objects: Readonly<Record<string, string>>
  /** The store's own files that are no metadata. */
  readonly left: ReadonlyArray<string>
  readonly descriptors: readonly [before: number, after: number]
}

type Store = ObjectStore["Service"]
type Run = (what: string, effect: Effect.Effect<unknown, ObjectStoreError>) => Effect.Effect<void>

/** Writes of which none can succeed while there is no room. */
const writes = (store: Store, run: Run) =>
  Effect.gen(function*() {
    const stream = Stream.fromIterable(Array.from({ length: 8 }, (_, i) => large.subarray(i * MiB, (i + 1) * MiB)))
    yield* run("put over", store.put("d/old", large))
    yield* run("put of a new key", store.put("e/new", large))
    yield* run("put that creates", store.put("e/created", large, { mode: "create", metadata: { a: "b" } }))
    yield* run("putMultipart over", store.putMultipart("d/old", large, parts))
    yield* run("putMultipart of a stream", store.putMultipart("e/stream", stream, parts))
  })

const fill = Effect.sync(() => {
  const fd = NodeFs.openSync(NodePath.join(root, "filler"), "w")
  for (const size of [65_536, 1]) {
    try {
      for (;;) NodeFs.writeSync(fd, new Uint8Array(size))
    } catch {
      // It is full.
    }
  }
  NodeFs.closeSync(fd)
})

/** Ranges of keys beside each other. */
const many = Array.from({ length: 3000 }, (_, i) => `many/${i % 50}/${i}`)

const scenarios: Record<string, (store: Store, run: Run) => Effect.Effect<void, ObjectStoreError>> = {
  /** A file system of 4 MiB. */
  full: (store, run) =>
    Effect.gen(function*() {
      yield* store.put("half", large.subarray(0, 2 * MiB))
      yield* writes(store, run)
      yield* run("copy", store.copy("half", "e/copy"))
      yield* fill
      yield* run("put of metadata", store.put("d/old", before, { metadata: { a: "b".repeat(1500) } }))
      yield* run("put of little", store.put("d/old", small))
      yield* run("delete", store.delete("half"))
      yield* run("put of little", store.put("after", small))
    }),
  "read-only": (store, run) =>
    Effect.gen(function*() {
      execFileSync("mount", ["-o", "remount,ro", root])
      yield* writes(store, run)
      yield* run("copy", store.copy("d/old", "e/copy"))
      yield* run("rename", store.rename("d/old", "e/moved"))
      yield* run("delete", store.delete("d/old"))
      yield* run("get", store.get("d/old"))
      yield* run("listUploads", Stream.runCollect(store.listUploads()))
    }),
  /** Files of at most 1 MiB. */
  "small files": (store, run) => writes(store, run),
  /** Nobody's process, in a root that is somebody else's. */
  nobody: (store, run) =>
    Effect.gen(function*() {
      process.setegid!(65_534)
      process.seteuid!(65_534)
      yield* writes(store, run)
      yield* run("copy", store.copy("d/old", "e/copy"))
      yield* run("rename", store.rename("d/old", "e/moved"))
      yield* run("delete", store.delete("d/old"))
      yield* run("get", store.get("d/old"))
    }),
  /** A disk that cannot be forced. */
  "no force": (store, run) =>
    Effect.gen(function*() {
      process.env["OBJECTSTORE_TEST_EIO"] = "1"
      yield* writes(store, run)
      yield* run("copy", store.copy("d/old", "e/copy"))
      process.env["OBJECTSTORE_TEST_EIO"] = "0"
    }),
  /** Few descriptors, and many operations at a time. */
  "few files": (store, run) =>
    Effect.forEach(
      many,
      (key) =>
        run(
          "put and get",
          Effect.andThen(
            store.put(key, key, { metadata: { key } }),
            Effect.flatMap(
              store.get(key),
              (body) =>
                Buffer.from(body).toString() === key ? Effect.void : Effect.die(new Error(`${key} is another one`))
            )
          )
        ),
      { concurrency: "unbounded", discard: true }
    )
}

const nameOf = (body: Uint8Array): string => Buffer.from(body.subarray(0, 6)).toString().replace(/[^a-z]/g, "")

const descriptors = () => NodeFs.readdirSync("/proc/self/fd").length

const main = Effect.scoped(Effect.gen(function*() {
  const store = yield* scheme === "direct"
    ? Direct.make({ root, durability: "full" })
    : File.make({ root, durability: "full" })
  yield* store.put("d/old", before, { metadata: { version: "1" } })
  // Node keeps a descriptor for its children, once it has had one.
  execFileSync("true")
  const baseline = descriptors()
  const ended: Array<Ended> = []
  const run: Run = (what, effect) =>
    Effect.map(Effect.result(effect), (result) => {
      const { outcome, reason } = Result.isFailure(result)
        ? result.failure
        : { outcome: undefined, reason: { _tag: "succeeded", code: undefined } }
      ended.push({ what, reason: reason._tag, code: reason.code, outcome })
    })
  yield* scenarios[scenario]!(store, run)
  const objects: Record<string, string> = {}
  for (const { key, size } of yield* Stream.runCollect(store.list())) {
    if (key === "filler" || key.startsWith("many/")) continue
    const { metadata } = yield* store.stat(key)
    objects[key] = `${nameOf(yield* store.get(key))} ${size} ${JSON.stringify(metadata)}`
  }
  const left = NodeFs.readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.includes(".objectstore~") && !name.includes(".objectstore~meta~"))
  const told: Told = { ended, objects, left, descriptors: [baseline, descriptors()] }
  process.stdout.write(`\n${JSON.stringify(told)}`)
}))

if (process.argv[1] === import.meta.filename) await Effect.runPromise(main)
