/**
 * Chooses the data path of a direct store, once, and builds the backend of directories upon it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as NodePath from "node:path"
import type { Backend, ObjectStat } from "../../src/Backend.ts"
import { makeSlotPool } from "../../src/filesystem/AlignedMemory.ts"
import { makeFileBackend } from "../../src/filesystem/backend.ts"
import { bufferedData } from "../../src/filesystem/BufferedData.ts"
import * as Calls from "../../src/filesystem/calls.ts"
import type { DataPath } from "../../src/filesystem/DataPath.ts"
import { makeDirectData } from "../../src/filesystem/DirectData.ts"
import { explain } from "../../src/filesystem/errors.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { checkOptions, defaultSlots, defaultSlotSize, type DirectOptions, directTuning } from "./config.ts"
import { probe } from "./probe.ts"

const directGauge = Metric.gauge("objectstore_direct_io", {
  description: "1 where a direct store moves bytes by O_DIRECT, 0 where it was allowed to fall back to the page cache"
})

const name = "direct"

/** Makes the backend; `flag` is what asks for O_DIRECT. */
export const makeDirectBackend = Effect.fnUntraced(function*(
  given: DirectOptions,
  flag: number
): Effect.fn.Return<Backend, ObjectStoreError, Scope.Scope> {
  const wrong = checkOptions(given)
  if (wrong !== undefined) {
    return yield* makeError("Configuration", { operation: "open", backend: name, description: wrong })
  }
  const options = { ...given, root: NodePath.resolve(given.root) }
  const data = yield* choose(options, flag)
  yield* Metric.update(
    Metric.withAttributes(directGauge, { backend: name, root: options.root }),
    data.io === "direct" ? 1 : 0
  )
  const backend = yield* makeFileBackend({
    name,
    root: options.root,
    data,
    durability: options.durability ?? "file",
    createRoot: options.createRoot,
    tuning: data.io === "direct" ? directTuning : undefined
  })
  return withStorageClass(backend, data.io === "direct" ? "DIRECT_IO" : "BUFFERED_IO")
})

/** Tells of every object how it is read. */
const withStorageClass = (backend: Backend, storageClass: string): Backend => {
  const mark = <A extends ObjectStat>(stat: A): A => ({ ...stat, storageClass })
  return {
    ...backend,
    head: (at, conditions) => Effect.map(backend.head(at, conditions), mark),
    read: (at, request) => Effect.map(backend.read(at, request), (reply) => ({ ...reply, stat: mark(reply.stat) })),
    listPage: (request) =>
      Effect.map(backend.listPage(request), (page) => ({ ...page, objects: page.objects.map(mark) }))
  }
}

const choose = Effect.fnUntraced(
  function*(options: DirectOptions, flag: number): Effect.fn.Return<DataPath, ObjectStoreError> {
    const found = yield* Effect.flatMap(nearestDirectory(options.root), (directory) => probe(directory, flag)).pipe(
      Effect.mapError(explain({ operation: "open", backend: name })),
      Effect.withSpan("objectstore.probe", { attributes: { "objectstore.root": options.root } })
    )
    if (found._tag === "Accepted") {
      const pool = makeSlotPool({ slots: options.slots ?? defaultSlots, slotSize: options.slotSize ?? defaultSlotSize })
      return makeDirectData({ pool, alignment: found.alignment, flag })
    }
    const description = `the file system of ${options.root} does not take O_DIRECT: ${found.description}`
    if (options.fallback !== "buffered") {
      return yield* makeError("Unsupported", { operation: "open", backend: name, description, capability: "io" })
    }
    yield* Effect.logWarning(`direct store falls back to buffered I/O: ${description}`)
    return bufferedData
  }
)

/** The root, or the directory in which the first write will make it: it is of the same file system. */
const nearestDirectory = (path: string): Effect.Effect<string, Calls.Errno> =>
  Effect.matchEffect(Calls.stat(path), {
    onSuccess: () => Effect.succeed(path),
    onFailure: (error) =>
      error.code === "ENOENT" && path !== NodePath.dirname(path)
        ? nearestDirectory(NodePath.dirname(path))
        : Effect.fail(error)
  })
