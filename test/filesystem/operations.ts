/**
 * What is done to files while something goes wrong, one thing each; what is there before it, and how to look at what is left.
 */
import { Effect, Stream } from "effect"
import type { ObjectStore, ObjectStoreError } from "effect-objectstore"
import * as NodeFs from "node:fs"

export type Store = ObjectStore["Service"]

const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + seed) % 251)

/** What every object holds before an operation, and what those that are written hold after it. */
export const before = bytes(20_000, 1)
export const after = bytes(30_000, 2)

export const isSame = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0

const parts = { partSize: 8_000, concurrency: 2 }
const described = { metadata: { a: "b" } }

/** Puts what is there before an operation, and nothing else. */
export const reset = Effect.fnUntraced(function*(store: Store) {
  yield* store.deletePrefix("", { all: true })
  yield* store.put("d/old", before, { metadata: { version: "1" } })
  yield* store.put("d/other", before)
  yield* store.put("g", before)
})

/** The operations by their name. */
export const operations = {
  "put of a new key": (store) => store.put("d/e/new", after),
  "put over a key": (store) => store.put("d/old", after, described),
  "put that creates": (store) => store.put("d/new", after, { mode: "create", ...described }),
  "put that updates": (store) =>
    Effect.flatMap(store.stat("d/old"), ({ etag }) => store.put("d/old", after, { mode: { update: etag! } })),
  "putMultipart over a key": (store) => store.putMultipart("d/old", after, { ...parts, ...described }),
  "putMultipart that creates": (store) => store.putMultipart("d/new", after, { ...parts, mode: "create" }),
  "putMultipart of a stream": (store) =>
    store.putMultipart("d/new", Stream.fromArray([after.subarray(0, 9_000), after.subarray(9_000)]), {
      ...parts,
      attributes: { contentType: "text/plain" }
    }),
  get: (store) => store.get("d/old", parts),
  stream: (store) => Stream.runDrain(store.stream("d/old", parts)),
  list: (store) => Stream.runDrain(store.list("", { pageSize: 2 })),
  listDirectory: (store) => Stream.runDrain(store.listDirectory("d/")),
  copy: (store) => store.copy("d/old", "f/new"),
  "copy that creates": (store) => store.copy("d/old", "d/new", { mode: "create" }),
  rename: (store) => store.rename("d/old", "f/new"),
  delete: (store) => store.delete("d/old"),
  deletePrefix: (store) => store.deletePrefix("d/")
} satisfies Record<string, (store: Store) => Effect.Effect<unknown, ObjectStoreError>>

export const descriptors = (): number => NodeFs.readdirSync("/proc/self/fd").length

const ownFiles = (root: string): ReadonlyArray<string> =>
  NodeFs.readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.includes(".objectstore~"))

const isSidecar = (name: string): boolean => name.includes(".objectstore~meta~")

/** Files of metadata. */
export const sidecars = (root: string): ReadonlyArray<string> => ownFiles(root).filter(isSidecar)

/** Files that are of use while something is under way, and after it to nobody. */
export const leftovers = (root: string): ReadonlyArray<string> => ownFiles(root).filter((name) => !isSidecar(name))
