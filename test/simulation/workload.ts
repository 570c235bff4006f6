import { Effect, Exit, Option, Stream } from "effect"
import type { ObjectStoreError, ObjectStoreOperations, WriteMode } from "effect-objectstore"
import type { Draw } from "./Draw.ts"

/** One thing that a client does. `id` makes its bytes unlike those of every other write. */
export interface Operation {
  readonly id: number
  readonly op: (typeof kinds)[number]
  readonly key: string
  readonly to: string
  readonly size: number
  readonly mode: "overwrite" | "create" | "update"
  readonly partSize: number
  readonly concurrency: number
  /** Milliseconds after which it is interrupted. */
  readonly interrupt: number | undefined
}

export const kinds = [
  "put",
  "putMultipart",
  "putMultipart",
  "putStream",
  "putStream",
  "failedStream",
  "abandonedWriter",
  "writer",
  "get",
  "get",
  "getRange",
  "getRanges",
  "stream",
  "stream",
  "streamHead",
  "reader",
  "copy",
  "copy",
  "copyStream",
  "delete",
  "deleteIfMatch",
  "list"
] as const

/** Those whose mode is that of what they change. */
export const moded: ReadonlySet<Operation["op"]> = new Set<Operation["op"]>([
  "put",
  "putMultipart",
  "putStream",
  "failedStream",
  "abandonedWriter",
  "writer"
])

/** Those that gather bytes in the memory of the store. */
export const gathering: ReadonlySet<Operation["op"]> = new Set<Operation["op"]>([
  "putStream",
  "failedStream",
  "abandonedWriter",
  "writer",
  "copyStream"
])

export const keys = ["a", "b", "c"] as const

/** The bytes of a write; no two writes have the same anywhere. */
export const bodyOf = ({ id, size }: Pick<Operation, "id" | "size">): Uint8Array =>
  Uint8Array.from({ length: size }, (_, index) => (id * 37 + index) & 255)

/** What each of several clients does, one after another. */
export const makeClients = (draw: Draw): ReadonlyArray<ReadonlyArray<Operation>> => {
  let id = keys.length
  return Array.from({ length: 1 + draw.below(4) }, () =>
    Array.from({ length: 1 + draw.below(4) }, (): Operation => ({
      id: id++,
      op: draw.one(kinds),
      key: draw.one(keys),
      to: draw.one(keys),
      size: draw.one([0, 1, 7, 8, 20, 33, 60]),
      mode: draw.one(["overwrite", "overwrite", "create", "update"]),
      partSize: draw.one([8, 8, 10]),
      concurrency: 1 + draw.below(4),
      interrupt: draw.chance(0.15) ? draw.below(400) : undefined
    })))
}

/** A stream of bytes in pieces, with pauses. */
const source = (draw: Draw, body: Uint8Array, fails: boolean): Stream.Stream<Uint8Array, string> => {
  const pieces: Array<Uint8Array> = []
  for (let start = 0; start < body.length;) {
    const end = Math.min(body.length, start + 1 + draw.below(12))
    pieces.push(body.slice(start, end))
    start = end
  }
  const stream = Stream.fromIterable(pieces).pipe(
    Stream.tap(() => draw.chance(0.3) ? Effect.sleep(draw.below(30)) : Effect.void)
  )
  return fails ? Stream.concat(stream, Stream.fail("lost")) : stream
}

const concat = (chunks: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(chunks))

/** What a read delivered: bytes, and where in the object they begin. */
export interface Delivered {
  readonly offset: number
  readonly bytes: Uint8Array
  readonly whole: boolean
  /** Where they are the end of the object: how many were asked for. */
  readonly suffix?: number | undefined
}

/** What came of an operation that succeeded. */
export interface Done {
  readonly etag?: string | undefined
  readonly removed?: string | undefined
  readonly delivered?: ReadonlyArray<Delivered> | undefined
}

const whole = (bytes: Uint8Array): Done => ({ delivered: [{ offset: 0, bytes, whole: true }] })

/** Does one thing. */
export const perform = Effect.fnUntraced(function*(
  store: ObjectStoreOperations,
  draw: Draw,
  operation: Operation
): Effect.fn.Return<Done, ObjectStoreError> {
  const { concurrency, key, op, partSize, to } = operation
  const body = bodyOf(operation)
  const cut = { partSize, concurrency }
  const etag = (operation.mode === "update" && moded.has(op)) || op === "deleteIfMatch"
    ? yield* Effect.option(Effect.map(store.stat(key), (info) => info.etag))
    : Option.none()
  const current = Option.getOrElse(etag, () => undefined) ?? "\"none\""
  const mode: WriteMode = operation.mode === "update" ? { update: current } : operation.mode
  switch (op) {
    case "put":
      return yield* store.put(key, body, { mode })
    case "putMultipart":
      return yield* store.putMultipart(key, body, { ...cut, mode })
    case "putStream":
      return yield* store.put(key, source(draw, body, false), { ...cut, mode })
    case "failedStream":
      return yield* store.put(key, source(draw, body, true), { ...cut, mode })
    case "abandonedWriter":
      yield* Effect.scoped(Effect.flatMap(store.writer(key, { ...cut, mode }), ({ write }) => write(body)))
      return {}
    case "writer":
      return yield* Effect.scoped(Effect.gen(function*() {
        const { finish, write } = yield* store.writer(key, { ...cut, mode })
        const middle = draw.below(body.length + 1)
        yield* write(body.subarray(0, middle))
        yield* write(body.subarray(middle))
        const done = yield* finish
        if (Exit.isSuccess(yield* Effect.exit(finish))) return yield* Effect.die("a writer finished twice")
        return done
      }))
    case "get":
      return whole(yield* store.get(key, cut))
    case "getRange": {
      if (operation.mode === "create") {
        const suffix = 1 + draw.below(60)
        const bytes = yield* store.getRange(key, { suffix }, cut)
        return { delivered: [{ offset: 0, bytes, whole: false, suffix }] }
      }
      const offset = draw.below(12)
      const bytes = yield* store.getRange(key, { offset, length: 30 }, cut)
      return { delivered: [{ offset, bytes, whole: false }] }
    }
    case "getRanges": {
      const ranges = [{ offset: 20, length: 9 }, { offset: 0, length: 9 }, { offset: 5, length: 9 }]
      const parts = yield* store.getRanges(key, ranges, { ...cut, coalesce: 3 })
      return { delivered: parts.map((bytes, i) => ({ offset: ranges[i]!.offset, bytes, whole: false })) }
    }
    case "stream":
      return whole(concat(yield* Stream.runCollect(store.stream(key, cut))))
    case "streamHead": {
      const some = store.stream(key, cut).pipe(
        Stream.tap(() => Effect.sleep(draw.below(30))),
        Stream.take(1 + draw.below(2))
      )
      return { delivered: [{ offset: 0, bytes: concat(yield* Stream.runCollect(some)), whole: false }] }
    }
    case "reader": {
      const open = store.open(key)
      return yield* Effect.scoped(Effect.gen(function*() {
        const reader = yield* open
        const start = yield* reader.read({ offset: 0, length: 5 }, cut)
        yield* Effect.sleep(draw.below(50))
        const all = yield* reader.read(undefined, cut)
        if (!start.every((byte, i) => all[i] === byte)) return yield* Effect.die("two reads of one reader differ")
        return whole(all)
      }))
    }
    case "copy":
      return key === to
        ? {}
        : yield* store.copy(key, to, { mode: operation.mode === "create" ? "create" : "overwrite" })
    case "copyStream":
      return yield* store.put(to, store.stream(key, cut), cut)
    case "delete":
      yield* store.delete(key)
      return {}
    case "deleteIfMatch":
      yield* store.delete(key, { ifMatch: current })
      return { removed: current }
    case "list":
      yield* Stream.runDrain(store.list("", { pageSize: 1 }))
      return {}
  }
})
