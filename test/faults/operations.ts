/**
 * What programs do, one thing each, and what has to come of it.
 */
import { Effect, Stream } from "effect"
import type { ObjectStoreError, ObjectStoreOperations, WriteMode } from "effect-objectstore"

/** What a service makes of sizes. */
export interface Sizes {
  /** The smallest part that it takes. */
  readonly part: number
  /** The largest object that is copied with one request; `undefined` where copies in parts are not tried. */
  readonly maxCopy: number | undefined
}

/** Bytes that differ at every place, and from those of every other seed. */
export const bytesOf = (seed: number, size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let i = 0, x = seed * 2654435761 + 1; i < size; i++) {
    x = (Math.imul(x, 1103515245) + 12345) | 0
    bytes[i] = x >>> 16
  }
  return bytes
}

/** What an operation delivered: bytes of which key, and where they begin. */
export interface Delivered {
  readonly key: string
  readonly offset: number
  readonly bytes: Uint8Array
  readonly whole: boolean
}

/** What an operation says that it has done. */
export interface Done {
  readonly delivered?: ReadonlyArray<Delivered> | undefined
  /** Keys that were listed, which have to be all of them. */
  readonly listed?: ReadonlyArray<string> | undefined
  /** The etag that a write made. */
  readonly etag?: string | undefined
  /** What a look at an object said. */
  readonly stat?: { readonly key: string; readonly size: number; readonly etag: string | undefined } | undefined
}

/** One operation. */
export interface Operation {
  readonly name: string
  /** Objects that are there before it. */
  readonly objects: Readonly<Record<string, Uint8Array>>
  readonly run: (store: ObjectStoreOperations) => Effect.Effect<Done, ObjectStoreError>
  /** What is there after it, where it has another effect than to leave all as it was; `undefined` for what is removed. */
  readonly after: Readonly<Record<string, Uint8Array | undefined>>
  /** The key whose etag it answers. */
  readonly writes?: string | undefined
  /** It does not succeed in peace either. */
  readonly fails?: boolean | undefined
  /** Services that tell a checksum of the bytes it reads which is compared: a bit that flips on the way is noticed. */
  readonly checked?: ReadonlyArray<string> | undefined
  /** After a lost answer nobody can know more than that the outcome is unknown. */
  readonly mayStayUnknown?: boolean | undefined
}

const whole = (key: string, bytes: Uint8Array): Done => ({ delivered: [{ key, offset: 0, bytes, whole: true }] })
const part = (key: string, offset: number, bytes: Uint8Array): Delivered => ({ key, offset, bytes, whole: false })
const wrote = ({ etag }: { readonly etag?: string | undefined }): Done => ({ etag })
const nothing = (): Done => ({})

/** A stream in small pieces. */
const source = (body: Uint8Array): Stream.Stream<Uint8Array> => {
  const size = Math.max(1, Math.ceil(body.length / 7))
  const pieces = Array.from({ length: Math.ceil(body.length / size) }, (_, i) => body.slice(i * size, (i + 1) * size))
  return Stream.fromIterable(pieces)
}

/** Everything that is tried. */
export const operationsOf = ({ maxCopy, part: partSize }: Sizes, concurrency = 1): ReadonlyArray<Operation> => {
  const small = bytesOf(1, 600)
  const other = bytesOf(2, 700)
  const big = bytesOf(3, partSize + 321)
  const cut = { partSize, concurrency }
  const reads = { partSize: 256, concurrency }
  const named = (objects: Record<string, Uint8Array>) => objects
  const list: Array<Operation> = []
  const add = (
    name: string,
    objects: Record<string, Uint8Array>,
    after: Record<string, Uint8Array | undefined>,
    run: Operation["run"],
    more: Partial<Operation> = {}
  ) => void list.push({ name, objects, after, run, ...more })

  const modes: ReadonlyArray<
    readonly [string, (store: ObjectStoreOperations) => Effect.Effect<WriteMode, ObjectStoreError>]
  > = [
    ["overwrite", () => Effect.succeed("overwrite")],
    ["create", () => Effect.succeed("create")],
    ["update", (store) => Effect.map(store.stat("a"), ({ etag }) => ({ update: etag! }))]
  ]
  for (const [name, modeOf] of modes) {
    const before = name === "create" ? {} : named({ a: other })
    const using =
      (write: (store: ObjectStoreOperations, mode: WriteMode) => Effect.Effect<Done, ObjectStoreError>) =>
      (store: ObjectStoreOperations) => Effect.flatMap(modeOf(store), (mode) => write(store, mode))
    add(
      `put, ${name}`,
      before,
      { a: small },
      using((store, mode) => Effect.map(store.put("a", small, { mode }), wrote)),
      { writes: "a" }
    )
    add(
      `putMultipart, ${name}`,
      before,
      { a: big },
      using((store, mode) => Effect.map(store.putMultipart("a", big, { ...cut, mode }), wrote)),
      { writes: "a" }
    )
    if (name === "update") continue
    add(
      `copy, ${name}`,
      name === "create" ? { from: small } : { from: small, a: other },
      { a: small },
      using((store, mode) =>
        Effect.map(store.copy("from", "a", { mode: mode === "create" ? "create" : "overwrite" }), wrote)
      ),
      { writes: "a", mayStayUnknown: name === "create" }
    )
  }
  add(
    "put with a second look",
    {},
    { a: small },
    (store) => Effect.map(store.put("a", small, { verify: "head" }), wrote),
    { writes: "a" }
  )
  add(
    "put of nothing",
    { a: other },
    { a: new Uint8Array() },
    (store) => Effect.map(store.put("a", new Uint8Array()), wrote),
    { writes: "a" }
  )
  add("put of a stream", { a: other }, { a: big }, (store) => Effect.map(store.put("a", source(big), cut), wrote), {
    writes: "a"
  })
  add(
    "put of a stream that fails",
    { a: other },
    {},
    (store) => Effect.map(store.putMultipart("a", Stream.concat(source(big), Stream.fail("lost")), cut), wrote),
    { fails: true }
  )
  add("a writer that is left", { a: other }, {}, (store) =>
    Effect.as(
      Effect.scoped(Effect.flatMap(store.writer("a", cut), ({ write }) => write(big))),
      {}
    ))
  if (maxCopy !== undefined) {
    add(
      "copy in parts",
      { from: big, a: other },
      { a: big },
      (store) => Effect.map(store.copy("from", "a"), wrote),
      { writes: "a" }
    )
  }
  add(
    "rename",
    { from: small, a: other },
    { a: small, from: undefined },
    (store) => Effect.map(store.rename("from", "a"), wrote),
    { writes: "a" }
  )
  add("get", { a: small }, {}, (store) => Effect.map(store.get("a", reads), (bytes) => whole("a", bytes)), {
    checked: ["GCS"]
  })
  add("get of one request", { a: small }, {}, (store) => Effect.map(store.get("a"), (bytes) => whole("a", bytes)), {
    checked: ["S3", "GCS"]
  })
  add(
    "getRange",
    { a: small },
    {},
    (store) =>
      Effect.map(store.getRange("a", { offset: 100, length: 300 }, reads), (bytes) => ({
        delivered: [part("a", 100, bytes)]
      }))
  )
  add(
    "getRange of the end",
    { a: small },
    {},
    (store) =>
      Effect.map(store.getRange("a", { suffix: 50 }, reads), (bytes) => ({
        delivered: [part("a", small.length - 50, bytes)]
      }))
  )
  add("getRanges", { a: small }, {}, (store) =>
    Effect.map(
      store.getRanges("a", [{ offset: 400, length: 30 }, { offset: 0, length: 20 }], { coalesce: 0, concurrency }),
      ([last, first]) => ({ delivered: [part("a", 400, last!), part("a", 0, first!)] })
    ))
  add(
    "stream",
    { a: small },
    {},
    (store) => Effect.map(Stream.runCollect(store.stream("a", reads)), (chunks) => whole("a", Buffer.concat(chunks)))
  )
  add("reader", { a: small }, {}, (store) =>
    Effect.scoped(Effect.gen(function*() {
      const reader = yield* store.open("a")
      const first = yield* reader.read({ offset: 5, length: 9 })
      return { delivered: [part("a", 5, first), { key: "a", offset: 0, bytes: yield* reader.read(), whole: true }] }
    })))
  add(
    "stat",
    { a: small },
    {},
    (store) => Effect.map(store.stat("a"), ({ etag, size }) => ({ stat: { key: "a", size, etag } }))
  )
  add(
    "exists",
    { a: small },
    {},
    (store) =>
      Effect.flatMap(
        store.exists("a"),
        (is) => is ? Effect.succeed(nothing()) : Effect.die("it is said not to be there")
      )
  )
  add("delete", { a: small }, { a: undefined }, (store) => Effect.map(store.delete("a"), nothing))
  add(
    "delete, ifMatch",
    { a: small },
    { a: undefined },
    (store) => Effect.flatMap(store.stat("a"), ({ etag }) => Effect.map(store.delete("a", { ifMatch: etag! }), nothing))
  )
  const three = { "p/1": small, "p/2": other, "p/3": small }
  const gone = { "p/1": undefined, "p/2": undefined, "p/3": undefined }
  add(
    "deleteMany",
    three,
    gone,
    (store) =>
      Effect.flatMap(Stream.runCollect(store.deleteMany(Object.keys(three))), (results) => {
        const failed = results.find(({ error }) => error !== undefined)
        return results.length !== 3
          ? Effect.die(`${results.length} results for 3 keys`)
          : failed?.error === undefined
          ? Effect.succeed(nothing())
          : Effect.fail(failed.error)
      })
  )
  add(
    "deletePrefix",
    three,
    gone,
    (store) =>
      Effect.flatMap(
        store.deletePrefix("p/"),
        ({ deleted }) => deleted === 3 ? Effect.succeed(nothing()) : Effect.die(`${deleted} of 3 were removed`)
      )
  )
  add(
    "list",
    three,
    {},
    (store) =>
      Effect.map(
        Stream.runCollect(store.list("", { pageSize: 2 })),
        (found) => ({ listed: found.map(({ key }) => key) })
      )
  )
  add(
    "listUploads",
    { a: small },
    {},
    (store) =>
      store.capabilities.multipart.listed
        ? Effect.as(Stream.runCollect(store.listUploads()), nothing())
        : Effect.succeed({})
  )
  add(
    "createContainer and deleteContainer",
    {},
    {},
    (store) => Effect.as(Effect.andThen(store.createContainer("another"), store.deleteContainer("another")), {}),
    {
      mayStayUnknown: true
    }
  )
  add("listContainers", {}, {}, (store) => Effect.as(Stream.runCollect(store.listContainers()), {}))
  return list
}
