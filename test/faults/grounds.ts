/**
 * Places where operations run, each with the truth of what happened there, and a store that may do one thing at a time: so
 * it stands still if anything that it lent is not given back.
 */
import { Effect, Result, type Scope, Stream } from "effect"
import { fromBackend, type ObjectStoreError, type ObjectStoreOperations } from "effect-objectstore"
import * as NodeFs from "node:fs"
import type { Ground } from "./invariants.ts"
import type { Operation, Sizes } from "./operations.ts"
import { places } from "./places.ts"
import { limitsOf, type ServiceName, services, sizes } from "./services.ts"

export interface Stage {
  readonly ground: Ground
  readonly connect: Effect.Effect<ObjectStoreOperations, ObjectStoreError, Scope.Scope>
  /** Names of files that are the store's own, and not those of objects. */
  readonly files: () => ReadonlyArray<string>
  readonly trace: Effect.Effect<ReadonlyArray<string>>
}

export interface Setting {
  readonly sizes: Sizes
  readonly open: (operation: Operation) => Effect.Effect<Stage, ObjectStoreError, Scope.Scope>
}

const onWire = (name: ServiceName): Setting => ({
  sizes: sizes[name],
  open: ({ objects }) =>
    Effect.map(
      services[name]({ objects }, { ...limitsOf[name], connections: 1, requests: 1 }),
      ({ connect, server }) => ({
        ground: server,
        connect,
        files: () => [],
        trace: Effect.map(server.journal, (journal) =>
          journal.map(({ changed, key, operation, status }) =>
            `${operation} ${key} ${status ?? "-"}${changed ? " changed" : ""}`
          ))
      })
    )
})

/** The names of temporary files and of open uploads, wherever they are. */
const isOwn = (path: string): boolean => /\.objectstore~(tmp|up)/.test(path)

const onFiles = (name: string): Setting => ({
  sizes: { part: 4096, maxCopy: undefined },
  open: Effect.fnUntraced(function*({ after, objects }) {
    const { backend, base, root } = yield* places[name]!
    const plain = yield* fromBackend(backend, { base })
    for (const [key, body] of Object.entries(objects)) yield* plain.put(key, body)
    const keys = [...new Set([...Object.keys(objects), ...Object.keys(after)])]
    const etagOf = (key: string) =>
      Effect.match(plain.stat(key), { onSuccess: ({ etag }) => etag, onFailure: () => undefined })
    const before = yield* Effect.forEach(keys, etagOf)
    const stored = (key: string) => Effect.map(Effect.result(plain.get(key)), Result.getOrUndefined)
    const changes = Effect.map(
      Effect.forEach(keys, etagOf),
      (now) =>
        keys.flatMap((key, index) =>
          now[index] === before[index]
            ? []
            : [{ exchange: 0, container: "", key, etag: now[index], body: undefined }]
        )
    )
    const ground: Ground = {
      stored,
      changes,
      openUploads: Effect.orDie(Stream.runCount(plain.listUploads())),
      connections: Effect.succeed(0)
    }
    return {
      ground,
      connect: fromBackend(backend, { base, requests: 1 }),
      files: () => root === undefined ? [] : NodeFs.readdirSync(root, { recursive: true }).map(String).filter(isOwn),
      trace: Effect.succeed([])
    }
  })
})

export const settings: Readonly<Record<string, Setting>> = {
  memory: onFiles("memory"),
  file: onFiles("file"),
  direct: onFiles("direct"),
  S3: onWire("S3"),
  Azure: onWire("Azure"),
  GCS: onWire("GCS")
}
