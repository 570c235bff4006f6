/**
 * Runs a sequence of commands on a store and writes down what can be seen.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import type { ObjectStoreOperations, ObjectWriter } from "../../ObjectStore.ts"
import type { ObjectStoreError } from "../../ObjectStoreError.ts"
import type { CopyOptions, WriteMode, WriteOptions } from "../../ObjectStoreOptions.ts"
import { bytes, byUtf8, chunked } from "../conformance/assertions.ts"
import type { Command, CommandMode } from "./Command.ts"

/**
 * What was seen of one step, comparable between two stores: no etags, times or locations.
 *
 * @category models
 * @since 0.1.0
 */
export type Observation = unknown

/** A writer, and what it was given. One that was refused early is `undefined`, and tried again when it is to finish. */
interface OpenWriter {
  readonly key: string
  readonly mode: "overwrite" | "create"
  readonly scope: Scope.Closeable
  readonly chunks: Array<Uint8Array>
  writer: ObjectWriter | undefined
}

/** A store, a place in it, and what happened there so far. */
interface World {
  readonly store: ObjectStoreOperations
  readonly prefix: string
  readonly partSize: number
  /** Whether the order of listings is compared. */
  readonly ordered: boolean
  /** Whether a service may still apply a write after its connection was reset. */
  readonly remote: boolean
  /** Whether the uploads that are left open are compared. */
  readonly uploads: boolean
  readonly writers: Map<number, OpenWriter>
  /** Etags that an object has had, so that a stale one can be named. */
  readonly etags: Map<string, Array<string>>
}

const shown = (body: Uint8Array): string =>
  `${body.length}:${createHash("sha1").update(body).digest("hex").slice(0, 12)}`

const refusal = (error: ObjectStoreError): Observation => ({ fails: error.reason._tag, outcome: error.outcome })

/** Where a key cannot be and has not the etag either, both reasons are true. */
const either = (mode: CommandMode, observation: Observation): Observation =>
  (mode === "right" || mode === "stale") && isDeepStrictEqual(observation, conflict) ? stale : observation

const conflict = { fails: "Conflict", outcome: "not-applied" }
const stale = { fails: "PreconditionFailed", outcome: "not-applied" }

const seen = <A>(
  effect: Effect.Effect<A, ObjectStoreError>,
  what: (value: A) => Observation
): Effect.Effect<Observation> => Effect.match(effect, { onSuccess: what, onFailure: refusal })

const unused = "\"an etag that no object has\""

const etagFor = Effect.fnUntraced(function*(world: World, key: string, which: "right" | "stale") {
  const current = yield* Effect.match(world.store.stat(world.prefix + key), {
    onSuccess: (info) => info.etag,
    onFailure: () => undefined
  })
  if (which === "right") return current ?? unused
  return world.etags.get(key)?.find((etag) => etag !== current) ?? unused
})

const modeFor = (world: World, key: string, mode: CommandMode): Effect.Effect<WriteMode> =>
  mode === "overwrite" || mode === "create"
    ? Effect.succeed(mode)
    : Effect.map(etagFor(world, key, mode), (update) => ({ update }))

const remember = (world: World, key: string, etag: string | undefined): void => {
  if (etag === undefined) return
  const known = world.etags.get(key)
  if (known === undefined) world.etags.set(key, [etag])
  else known.push(etag)
}

/** A condition or a place that does not hold may be refused at any step of a writer, but no later than its finish. */
const isEarly = (error: ObjectStoreError): boolean =>
  ["AlreadyExists", "Conflict", "PreconditionFailed"].includes(error.reason._tag) && error.outcome === "not-applied"

const closeWriter = Effect.fnUntraced(function*(world: World, slot: number) {
  const open = world.writers.get(slot)
  if (open === undefined) return
  world.writers.delete(slot)
  yield* Scope.close(open.scope, Exit.void)
})

const written = (
  world: World,
  key: string,
  effect: Effect.Effect<{ readonly size: number; readonly etag?: string | undefined }, ObjectStoreError>
) =>
  Effect.flatMap(
    Effect.result(effect),
    (result) =>
      result._tag === "Failure"
        ? Effect.succeed(refusal(result.failure))
        : Effect.match(world.store.stat(world.prefix + key), {
          onFailure: refusal,
          onSuccess: (info) => {
            remember(world, key, info.etag)
            return { size: result.success.size, sameEtag: info.etag === result.success.etag }
          }
        })
  )

const bodyNow = (world: World, key: string) =>
  Effect.match(world.store.get(world.prefix + key), { onSuccess: shown, onFailure: (error) => error.reason._tag })

const step = Effect.fnUntraced(function*(world: World, command: Command): Effect.fn.Return<Observation> {
  const { partSize, prefix, store } = world
  switch (command.op) {
    case "put":
    case "putMultipart":
    case "putStream": {
      const options: WriteOptions = {
        mode: yield* modeFor(world, command.key, command.mode),
        metadata: command.metadata ? { fill: String(command.fill) } : undefined,
        partSize
      }
      const body = bytes(command.size, command.fill)
      const key = prefix + command.key
      const put = command.op === "put"
        ? store.put(key, body, options)
        : command.op === "putMultipart"
        ? store.putMultipart(key, body, options)
        : store.put(key, chunked(body, 333), options)
      return either(command.mode, yield* written(world, command.key, put))
    }
    case "failedPut": {
      const source = Stream.concat(chunked(bytes(command.size, command.fill), 333), Stream.fail("broken"))
      const failed = yield* Effect.match(store.put(prefix + command.key, source, { partSize }), {
        onSuccess: () => "it succeeded",
        // Whether the key or the source is refused first is not fixed.
        onFailure: (error) =>
          ["SourceFailed", "Conflict"].includes(error.reason._tag) ? error.outcome : error.reason._tag
      })
      return [failed, yield* bodyNow(world, command.key)]
    }
    case "stalledPut": {
      const reached = Deferred.makeUnsafe<void>()
      const source = chunked(bytes(command.size, command.fill), 333).pipe(
        Stream.concat(Stream.fromEffect(Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)))
      )
      const fiber = yield* Effect.forkChild(store.put(prefix + command.key, source, { partSize }))
      yield* Effect.raceFirst(Deferred.await(reached), Fiber.await(fiber))
      yield* Fiber.interrupt(fiber)
      return yield* bodyNow(world, command.key)
    }
    case "interruptedPut": {
      const body = bytes(command.size, command.fill)
      // A service may apply it later than everything that follows, so there it gets a key that nothing else uses.
      const place = world.remote ? { ...world, prefix: `${prefix.slice(0, -1)}-${command.fill}/` } : world
      const before = yield* bodyNow(place, command.key)
      const fiber = yield* Effect.forkChild(store.put(place.prefix + command.key, body, { partSize }), {
        startImmediately: true
      })
      for (let i = 0; i < command.turns; i++) yield* Effect.yieldNow
      yield* Fiber.interrupt(fiber)
      const after = yield* bodyNow(place, command.key)
      const whole = after === before || after === shown(body)
      if (world.remote) return [whole]
      // Both outcomes are right; writing it again makes the two stores agree.
      return [whole, yield* written(world, command.key, store.put(prefix + command.key, body))]
    }
    case "openWriter": {
      if (world.writers.has(command.slot)) return "busy"
      const { key, mode, slot } = command
      const scope = yield* Scope.make()
      const opened = yield* Effect.result(Scope.provide(store.writer(prefix + key, { mode, partSize }), scope))
      if (opened._tag === "Failure" && !isEarly(opened.failure)) {
        yield* Scope.close(scope, Exit.void)
        return refusal(opened.failure)
      }
      const writer = opened._tag === "Success" ? opened.success : undefined
      world.writers.set(slot, { key, mode, scope, writer, chunks: [] })
      return "open"
    }
    case "write": {
      const open = world.writers.get(command.slot)
      if (open === undefined) return "none"
      const chunk = bytes(command.size, command.fill)
      open.chunks.push(chunk)
      if (open.writer === undefined) return "written"
      const result = yield* Effect.result(open.writer.write(chunk))
      if (result._tag === "Failure") {
        if (!isEarly(result.failure)) return refusal(result.failure)
        open.writer = undefined
      }
      return "written"
    }
    case "finishWriter": {
      const open = world.writers.get(command.slot)
      if (open === undefined) return "none"
      const { chunks, key, mode, writer } = open
      if (writer === undefined) yield* closeWriter(world, command.slot)
      const finish = writer === undefined
        ? store.put(prefix + key, Buffer.concat(chunks), { mode, partSize })
        : writer.finish
      const finished = yield* seen(finish, (put) => ({ size: put.size }))
      yield* closeWriter(world, command.slot)
      return finished
    }
    case "abandonWriter":
      yield* closeWriter(world, command.slot)
      return "abandoned"
    case "get":
      return yield* seen(store.get(prefix + command.key, { partSize: 999 }), shown)
    case "read":
      return yield* seen(Stream.mkUint8Array(store.stream(prefix + command.key, { partSize: 777 })), shown)
    case "stat":
      return yield* seen(store.stat(prefix + command.key), (info) => [info.size, { ...info.metadata }])
    case "exists":
      return yield* seen(store.exists(prefix + command.key), (there) => there)
    case "getRange":
      return yield* seen(store.getRange(prefix + command.key, command.range, { partSize: 700 }), shown)
    case "list":
    case "listDirectory": {
      const { pageSize } = command
      const startAfter = command.startAfter === undefined ? undefined : prefix + command.startAfter
      const listing = command.op === "list"
        ? store.list(prefix + command.prefix, { pageSize, startAfter })
        : store.listDirectory(prefix + command.prefix, { pageSize })
      return yield* seen(Stream.runCollect(listing), (all) => {
        const lines = all.map((one) => `${one.key.slice(prefix.length)} ${one._tag === "Prefix" ? "/" : one.size}`)
        return world.ordered && command.op === "list" ? lines : byUtf8(lines)
      })
    }
    case "copy":
    case "rename": {
      const options: CopyOptions = { mode: yield* modeFor(world, command.to, command.mode) }
      // A condition on a copy onto itself has no fixed meaning.
      const effect = store[command.op](
        prefix + command.key,
        prefix + command.to,
        command.key === command.to ? undefined : options
      )
      return either(command.mode, yield* written(world, command.to, effect))
    }
    case "delete": {
      const ifMatch = command.mode === "always" ? undefined : yield* etagFor(world, command.key, command.mode)
      return yield* seen(store.delete(prefix + command.key, { ifMatch }), () => "gone")
    }
    case "deleteMany":
      return yield* seen(
        Stream.runCollect(store.deleteMany(command.keys.map((key) => prefix + key))),
        (all) => byUtf8(all.map((one) => `${one.key.slice(prefix.length)} ${one.error?.reason._tag ?? "gone"}`))
      )
    case "deletePrefix":
      return yield* seen(store.deletePrefix(prefix + command.prefix), (summary) => summary.deleted)
  }
})

/** Everything that is left: objects with their bytes and metadata, and open uploads. */
const finalState = Effect.fnUntraced(function*(world: World): Effect.fn.Return<Observation> {
  const { prefix, store } = world
  return yield* seen(
    Effect.gen(function*() {
      const all = (yield* Stream.runCollect(store.list(prefix))).map((info) => info.key)
      const keys = world.ordered ? all : byUtf8(all)
      const objects: Array<Observation> = []
      for (const key of keys) {
        const info = yield* store.stat(key)
        objects.push([key.slice(prefix.length), shown(yield* store.get(key)), { ...info.metadata }])
      }
      const { abort, listed } = store.capabilities.multipart
      const uploads = world.uploads && listed && abort === "removes"
        ? yield* Stream.runCollect(store.listUploads(prefix))
        : []
      return { objects, uploads: uploads.map((upload) => upload.key.slice(prefix.length)) }
    }),
    (state) => state
  )
})

/**
 * Runs a sequence below `prefix`, and removes what it left there. The last observation is of the whole state.
 *
 * @category testing
 * @since 0.1.0
 */
export const execute = Effect.fnUntraced(function*(
  store: ObjectStoreOperations,
  place: {
    readonly prefix: string
    readonly partSize: number
    readonly ordered: boolean
    readonly remote: boolean
    readonly uploads: boolean
  },
  commands: ReadonlyArray<Command>
): Effect.fn.Return<ReadonlyArray<Observation>> {
  const world: World = { store, ...place, writers: new Map(), etags: new Map() }
  const observations: Array<Observation> = []
  for (const command of commands) observations.push(yield* step(world, command))
  for (const slot of Array.from(world.writers.keys())) yield* closeWriter(world, slot)
  observations.push(yield* finalState(world))
  yield* Effect.ignore(store.deletePrefix(place.prefix), { log: "Warn" })
  return observations
})
