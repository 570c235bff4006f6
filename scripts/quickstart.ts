/**
 * A small ETL that runs at once: the files of this repository into a `file://` store, ranges of them back, all of it over
 * to `direct://`, and every byte compared by checksum.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Clock, Console, Effect, Stream } from "effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeZlib from "node:zlib"
import * as Direct from "../layers/Direct.ts"
import * as File from "../layers/File.ts"
import type { ObjectStore, PutResult } from "../src/index.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const data = NodePath.join(root, ".cache", "quickstart")

interface Source {
  readonly key: string
  readonly path: string
  readonly size: number
}

/** The files to take: the repository's own. */
const sources = (): Array<Source> =>
  ["docs", "src", "layers"]
    .map((name) => NodePath.join(root, name))
    .filter((directory) => NodeFs.existsSync(directory))
    .flatMap((directory) =>
      NodeFs.readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    )
    .map((entry) => {
      const path = NodePath.join(entry.parentPath, entry.name)
      return { key: NodePath.relative(root, path), path, size: NodeFs.statSync(path).size }
    })

interface Step {
  readonly step: string
  readonly objects: number
  readonly bytes: number
  readonly milliseconds: number
}

const timed = <E, R>(step: string, effect: Effect.Effect<{ objects: number; bytes: number }, E, R>) =>
  Effect.gen(function*() {
    const start = yield* Clock.currentTimeNanos
    const done = yield* effect
    const milliseconds = Number((yield* Clock.currentTimeNanos) - start) / 1e6
    return { step, ...done, milliseconds } satisfies Step
  })

const sum = (sizes: Iterable<number>): number => Array.from(sizes).reduce((total, size) => total + size, 0)

type Store = ObjectStore["Service"]

/** Streams every file into the store, and one of 64 MiB that no file system has: its bytes are made on the way. */
const load = (store: Store, files: ReadonlyArray<Source>) =>
  Effect.map(
    Effect.forEach(files, ({ key, path, size }) =>
      store.put(
        key,
        Stream.fromAsyncIterable<Uint8Array, unknown>(NodeFs.createReadStream(path), (cause) => cause),
        { size, attributes: { contentType: path.endsWith(".md") ? "text/markdown" : "text/typescript" } }
      ), { concurrency: 8 }),
    (results: ReadonlyArray<PutResult>) => ({ objects: results.length, bytes: sum(results.map(({ size }) => size)) })
  )

const big = { key: "generated/64MiB.bin", chunks: 64, chunkSize: 2 ** 20 }

const pattern = Uint8Array.from({ length: big.chunkSize }, (_, offset) => offset * 31)

const chunkOf = (index: number): Uint8Array => {
  const chunk = pattern.slice()
  chunk[0] = index
  return chunk
}

const generate = (store: Store) =>
  Effect.map(
    store.put(big.key, Stream.map(Stream.range(0, big.chunks - 1), chunkOf), { partSize: 8 * 2 ** 20 }),
    ({ size }) => ({ objects: 1, bytes: size })
  )

/** Reads ranges of an object concurrently, and puts them together again. */
const readRanges = Effect.fnUntraced(function*(store: Store) {
  const { size } = yield* store.stat(big.key)
  const length = 2 ** 20 + 1
  const ranges = Array.from({ length: Math.ceil(size / length) }, (_, index) => ({ offset: index * length, length }))
  const parts = yield* Effect.forEach(ranges, (range) => store.getRange(big.key, range), { concurrency: 8 })
  const crc = parts.reduce((value, part) => NodeZlib.crc32(part, value), 0)
  const expected = Array.from({ length: big.chunks }, (_, index) => chunkOf(index))
    .reduce((value, chunk) => NodeZlib.crc32(chunk, value), 0)
  if (crc !== expected) return yield* Effect.die(new Error(`${big.key} came back changed`))
  return { objects: parts.length, bytes: sum(parts.map((part) => part.length)) }
})

/** Streams everything from one store to the other, with its attributes. */
const transfer = (from: Store, to: Store) =>
  from.list().pipe(
    Stream.mapEffect(({ key }) =>
      Effect.scoped(Effect.gen(function*() {
        const reader = yield* from.open(key)
        return yield* to.put(key, reader.stream(), { size: reader.info.size, attributes: reader.info.attributes })
      })), { concurrency: 4 }),
    Stream.runFold(() => ({ objects: 0, bytes: 0 }), (total, { size }) => ({
      objects: total.objects + 1,
      bytes: total.bytes + size
    }))
  )

const checksum = (store: Store, key: string) =>
  Stream.runFold(store.stream(key), () => 0, (crc, chunk) => NodeZlib.crc32(chunk, crc))

/** Compares what both stores hold, and small objects with the files they came from. */
const verify = (left: Store, right: Store, files: ReadonlyArray<Source>) =>
  Effect.gen(function*() {
    const paths = new Map(files.map(({ key, path }) => [key, path]))
    return yield* left.list().pipe(
      Stream.mapEffect(({ key, size }) =>
        Effect.gen(function*() {
          const [a, b] = yield* Effect.all([checksum(left, key), checksum(right, key)], { concurrency: 2 })
          const path = paths.get(key)
          const original = path === undefined ? a : NodeZlib.crc32(NodeFs.readFileSync(path))
          return a === b && a === original ? size : yield* Effect.die(new Error(`${key} differs`))
        }), { concurrency: 4 }),
      Stream.runFold(() => ({ objects: 0, bytes: 0 }), (total, size) => ({
        objects: total.objects + 1,
        bytes: total.bytes + 2 * size
      }))
    )
  })

const table = (steps: ReadonlyArray<Step>): string => {
  const rows = [
    ["step", "objects", "MB", "ms", "MB/s"],
    ...steps.map(({ bytes, milliseconds, objects, step }) => [
      step,
      String(objects),
      (bytes / 1e6).toFixed(1),
      milliseconds.toFixed(0),
      (bytes / 1e3 / milliseconds).toFixed(0)
    ])
  ]
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join("  ")
  ).join("\n")
}

const program = Effect.gen(function*() {
  NodeFs.rmSync(data, { recursive: true, force: true })
  const files = sources()
  const file = yield* File.make({ root: NodePath.join(data, "file") })
  const direct = yield* Direct.make({ root: NodePath.join(data, "direct"), fallback: "buffered" })
  const steps = [
    yield* timed("stream files into file://", load(file, files)),
    yield* timed("generate one object in parts", generate(file)),
    yield* timed("read its ranges, 8 at a time", readRanges(file)),
    yield* timed("copy all to direct://", transfer(file, direct)),
    yield* timed("compare checksums of both", verify(file, direct, files))
  ]
  yield* Console.log(table(steps))
  yield* Console.log(`
direct:// moves bytes ${
    direct.capabilities.io === "direct"
      ? "by O_DIRECT, past the page cache"
      : "through the page cache: this file system takes no O_DIRECT"
  }
the data is in ${data}
look at it:  npm run -s objectstore -- ls file://${data}/file/docs/`)
})

NodeRuntime.runMain(Effect.scoped(program))
