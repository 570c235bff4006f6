/**
 * Memory backends with one planted bug each: what the suite and the property test have to notice.
 */
import { Effect, Fiber } from "effect"
import { type Backend, type ListPage, makeError, type ObjectStat, type ReadReply } from "effect-objectstore"

export interface Mutant {
  readonly name: string
  /** Whether the bug can be seen through single sequential operations, so that the property test must find it. */
  readonly property: boolean
  readonly plant: (backend: Backend) => Backend
}

const mutant = (name: string, plant: Mutant["plant"], property = true): Mutant => ({ name, property, plant })

const reply = (change: (reply: ReadReply) => ReadReply) => (backend: Backend): Backend => ({
  ...backend,
  read: (at, request) => Effect.map(backend.read(at, request), change)
})

const page = (change: (page: ListPage) => ListPage) => (backend: Backend): Backend => ({
  ...backend,
  listPage: (request) => Effect.map(backend.listPage(request), change)
})

const keyed = (change: (key: string) => string) => (backend: Backend): Backend => ({
  ...backend,
  head: (at, conditions) => backend.head({ ...at, key: change(at.key) }, conditions),
  read: (at, request) => backend.read({ ...at, key: change(at.key) }, request),
  write: (at, body, options) => backend.write({ ...at, key: change(at.key) }, body, options),
  deleteBatch: (container, entries) =>
    backend.deleteBatch(container, entries.map((entry) => ({ ...entry, key: change(entry.key) })))
})

const stat = (change: (stat: ObjectStat) => ObjectStat) => (backend: Backend): Backend => ({
  ...backend,
  head: (at, conditions) => Effect.map(backend.head(at, conditions), change)
})

/** Reads the whole object, as a bug that needs it would. */
const bodyOf = (backend: Backend, at: { readonly container: string; readonly key: string }) =>
  Effect.scoped(Effect.gen(function*() {
    const opened = yield* backend.read(at, { conditions: {} })
    const body = new Uint8Array(opened.length)
    yield* opened.into(body)
    return { body, stat: opened.stat }
  }))

export const mutants: ReadonlyArray<Mutant> = [
  mutant("the last of several parts is dropped", (backend) => ({
    ...backend,
    completeUpload: (upload, { parts, size }) => {
      const last = parts.at(-1)!
      return parts.length < 2
        ? backend.completeUpload(upload, { parts, size })
        : Effect.map(
          backend.completeUpload(upload, { parts: parts.slice(0, -1), size: size - last.size }),
          (done) => ({ ...done, size })
        )
    }
  })),
  mutant("two parts change places", (backend) => ({
    ...backend,
    completeUpload: (upload, { parts, size }) => {
      const [first, second] = parts
      if (first === undefined || second === undefined || first.size !== second.size) {
        return backend.completeUpload(upload, { parts, size })
      }
      return Effect.gen(function*() {
        const done = yield* backend.completeUpload(upload, { parts, size })
        const { body, stat } = yield* bodyOf(backend, upload)
        const swapped = body.slice()
        swapped.set(body.subarray(first.size, 2 * first.size), 0)
        swapped.set(body.subarray(0, first.size), first.size)
        const { attributes = {}, metadata = {} } = stat
        yield* backend.write(upload, swapped, { mode: "overwrite", attributes, metadata })
        return done
      })
    }
  })),
  mutant("ifMatch is ignored on reads", (backend) => ({
    ...backend,
    head: (at, { ifMatch: _, ...conditions }) => backend.head(at, conditions),
    read: (at, { conditions: { ifMatch: _, ...conditions }, range }) => backend.read(at, { conditions, range })
  }), false),
  mutant("ifNoneMatch is ignored", (backend) => ({
    ...backend,
    head: (at, { ifNoneMatch: _, ...conditions }) => backend.head(at, conditions),
    read: (at, { conditions: { ifNoneMatch: _, ...conditions }, range }) => backend.read(at, { conditions, range })
  }), false),
  mutant("ifUnmodifiedSince wins over ifMatch", (backend) => ({
    ...backend,
    head: (at, { ifMatch, ...rest }) =>
      Effect.andThen(
        rest.ifUnmodifiedSince === undefined
          ? Effect.void
          : backend.head(at, { ifUnmodifiedSince: rest.ifUnmodifiedSince }),
        backend.head(at, { ifMatch, ...rest })
      )
  }), false),
  mutant("an update replaces any etag", (backend) => ({
    ...backend,
    write: (at, body, options) =>
      backend.write(at, body, { ...options, mode: options.mode === "create" ? "create" : "overwrite" })
  })),
  mutant("create replaces what is there", (backend) => ({
    ...backend,
    write: (at, body, options) =>
      backend.write(at, body, { ...options, mode: options.mode === "create" ? "overwrite" : options.mode })
  })),
  mutant("create looks first and writes later", (backend) => ({
    ...backend,
    write: (at, body, options) =>
      options.mode !== "create" ? backend.write(at, body, options) : Effect.gen(function*() {
        const there = yield* Effect.match(backend.head(at, {}), { onSuccess: () => true, onFailure: () => false })
        if (there) return yield* backend.write(at, body, options)
        yield* Effect.yieldNow
        return yield* backend.write(at, body, { ...options, mode: "overwrite" })
      })
  }), false),
  mutant("an update looks first and writes later", (backend) => ({
    ...backend,
    write: (at, body, options) =>
      typeof options.mode === "string" ? backend.write(at, body, options) : Effect.gen(function*() {
        const { etag } = yield* backend.head(at, {})
        if (typeof options.mode !== "string" && options.mode.update !== etag) {
          return yield* backend.write(at, body, options)
        }
        yield* Effect.yieldNow
        return yield* backend.write(at, body, { ...options, mode: "overwrite" })
      }).pipe(Effect.catchReason("ObjectStoreError", "NotFound", () => backend.write(at, body, options)))
  }), false),
  mutant("a multipart create replaces what is there", (backend) => ({
    ...backend,
    openUpload: (at, options) => backend.openUpload(at, { ...options, mode: "overwrite" })
  })),
  mutant("a multipart write loses its metadata", (backend) => ({
    ...backend,
    openUpload: (at, options) => backend.openUpload(at, { ...options, metadata: {} })
  })),
  mutant("a multipart write loses its attributes", (backend) => ({
    ...backend,
    openUpload: (at, options) => backend.openUpload(at, { ...options, attributes: {} })
  }), false),
  mutant("user metadata is lost", (backend) => ({
    ...backend,
    write: (at, body, options) => backend.write(at, body, { ...options, metadata: {} })
  })),
  mutant("an overwrite inherits the metadata before it", (backend) => ({
    ...backend,
    write: (at, body, options) =>
      Effect.flatMap(
        Effect.match(backend.head(at, {}), { onSuccess: (stat) => stat.metadata ?? {}, onFailure: () => ({}) }),
        (metadata) => backend.write(at, body, { ...options, metadata: { ...metadata, ...options.metadata } })
      )
  })),
  mutant("a page is not sorted", page((one) => ({ ...one, objects: one.objects.toReversed() }))),
  mutant(
    "a page is sorted by UTF-16",
    page((one) => ({ ...one, objects: one.objects.toSorted((a, b) => a.key < b.key ? -1 : 1) }))
  ),
  mutant("a page loses its last key", page((one) => ({ ...one, objects: one.objects.slice(0, -1) }))),
  mutant(
    "the last key of a full page comes again",
    page((one) => ({
      ...one,
      objects: one.next === undefined ? one.objects : [...one.objects, ...one.objects.slice(-1)]
    }))
  ),
  mutant("a listing ends with its first page", page((one) => ({ ...one, next: undefined }))),
  mutant(
    "prefixes come twice",
    page((one) => ({ ...one, prefixes: one.prefixes.flatMap((prefix) => [prefix, prefix]) }))
  ),
  mutant("the prefix of a listing is a directory", (backend) => ({
    ...backend,
    listPage: (request) =>
      Effect.map(backend.listPage(request), (one) => ({
        ...one,
        objects: one.objects.filter(({ key }) =>
          request.prefix.endsWith("/") || key === request.prefix || key.startsWith(`${request.prefix}/`)
        )
      }))
  })),
  mutant("startAfter gives its own key too", (backend) => ({
    ...backend,
    listPage: ({ startAfter, ...request }) =>
      Effect.gen(function*() {
        const one = yield* backend.listPage({ ...request, startAfter })
        if (startAfter === undefined || request.cursor !== undefined) return one
        const there = yield* Effect.option(backend.head({ container: request.container, key: startAfter }, {}))
        return there._tag === "None" || !startAfter.startsWith(request.prefix)
          ? one
          : { ...one, objects: [{ ...there.value, key: startAfter }, ...one.objects] }
      })
  })),
  mutant("an upload shows as an empty object", (backend) => ({
    ...backend,
    openUpload: (at, options) =>
      Effect.tap(
        backend.openUpload(at, options),
        () => Effect.ignore(backend.write(at, new Uint8Array(0), { ...options, mode: "create" }))
      )
  })),
  mutant("a range begins one byte late", (backend) => ({
    ...backend,
    read: (at, request) => {
      const { range } = request
      return range !== undefined && "offset" in range && range.offset > 0
        ? Effect.map(
          backend.read(at, { ...request, range: { ...range, offset: range.offset + 1 } }),
          (one) => ({ ...one, offset: range.offset })
        )
        : backend.read(at, request)
    }
  })),
  mutant("a range is one byte short", (backend) => ({
    ...backend,
    read: (at, request) => {
      const { range } = request
      return range !== undefined && "offset" in range && range.length > 1
        ? backend.read(at, { ...request, range: { ...range, length: range.length - 1 } })
        : backend.read(at, request)
    }
  })),
  mutant("a range past the end is not clamped but refused", (backend) => ({
    ...backend,
    read: (at, request) =>
      Effect.flatMap(backend.read(at, request), (one) => {
        const { range } = request
        return range !== undefined && "offset" in range && range.length < 2 ** 40 &&
            range.offset + range.length > one.stat.size && range.offset > 0
          ? Effect.fail(makeError("RangeNotSatisfiable", { operation: "read", backend: backend.name }))
          : Effect.succeed(one)
      })
  })),
  mutant("a range that starts past the end is empty", (backend) => ({
    ...backend,
    read: (at, request) =>
      Effect.catchReason(
        backend.read(at, request),
        "ObjectStoreError",
        "RangeNotSatisfiable",
        () =>
          Effect.map(backend.read(at, { conditions: request.conditions }), (one) => ({
            ...one,
            offset: request.range !== undefined && "offset" in request.range ? request.range.offset : 0,
            length: 0,
            into: () => Effect.succeed(0)
          }))
      )
  })),
  mutant("a body ends early and says nothing", reply((one) => ({ ...one, into: () => Effect.succeed(0) })), false),
  mutant("a body is of zeros past 3,000 bytes", (backend) => ({
    ...backend,
    read: (at, request) =>
      Effect.map(backend.read(at, request), (one) => {
        let position = one.offset
        return {
          ...one,
          into: (target) =>
            Effect.map(one.into(target), (count) => {
              for (let i = Math.max(0, 3000 - position); i < count; i++) target[i] = 0
              position += count
              return count
            })
        }
      })
  })),
  mutant("reads are one version behind", (backend) => {
    const before = new Map<string, Uint8Array>()
    return {
      ...backend,
      write: (at, body, options) =>
        Effect.gen(function*() {
          const old = yield* Effect.option(bodyOf(backend, at))
          const done = yield* backend.write(at, body, options)
          if (old._tag === "Some" && old.value.body.length === body.length) before.set(at.key, old.value.body)
          else before.delete(at.key)
          return done
        }),
      read: (at, request) =>
        Effect.map(backend.read(at, request), (one) => {
          const stale = before.get(at.key)
          let position = one.offset
          return stale === undefined ? one : {
            ...one,
            into: (target) =>
              Effect.sync(() => {
                const chunk = stale.subarray(position, Math.min(one.offset + one.length, position + target.length))
                target.set(chunk)
                position += chunk.length
                return chunk.length
              })
          }
        })
    }
  }),
  mutant("an object is there before it is whole", (backend) => ({
    ...backend,
    write: (at, body, options) =>
      options.mode !== "overwrite" || body.length < 2
        ? backend.write(at, body, options)
        : Effect.gen(function*() {
          yield* backend.write(at, body.subarray(0, body.length >> 1), options)
          yield* Effect.yieldNow
          return yield* backend.write(at, body, options)
        })
  }), false),
  mutant("every version has one etag", (backend) => ({
    ...stat((one) => ({ ...one, etag: "\"same\"" }))(backend),
    write: (at, body, options) =>
      Effect.map(backend.write(at, body, options), (done) => ({ ...done, etag: "\"same\"" }))
  })),
  mutant("stat counts one byte too much", stat((one) => ({ ...one, size: one.size + 1 }))),
  mutant("delete of a missing object is NotFound", (backend) => ({
    ...backend,
    deleteBatch: (container, entries) =>
      Effect.gen(function*() {
        const there = yield* Effect.forEach(entries, ({ key }) => Effect.option(backend.head({ container, key }, {})))
        const answers = yield* backend.deleteBatch(container, entries)
        return answers.map((answer, i) =>
          there[i]!._tag === "None"
            ? makeError("NotFound", { operation: "delete", backend: backend.name, outcome: "not-applied" })
            : answer
        )
      })
  })),
  mutant("delete removes everything below the key", (backend) => ({
    ...backend,
    deleteBatch: (container, entries) =>
      Effect.gen(function*() {
        for (const { key } of entries) {
          const below = yield* backend.listPage({ container, prefix: `${key}/`, limit: 1000 })
          yield* backend.deleteBatch(container, below.objects.map((one) => ({ key: one.key })))
        }
        return yield* backend.deleteBatch(container, entries)
      })
  })),
  mutant("delete removes every key that begins so", (backend) => ({
    ...backend,
    deleteBatch: (container, entries) =>
      Effect.gen(function*() {
        for (const { key } of entries) {
          const below = yield* backend.listPage({ container, prefix: key, limit: 1000 })
          yield* backend.deleteBatch(container, below.objects.map((one) => ({ key: one.key })))
        }
        return yield* backend.deleteBatch(container, entries)
      })
  })),
  mutant("delete ignores its etag", (backend) => ({
    ...backend,
    deleteBatch: (container, entries) => backend.deleteBatch(container, entries.map(({ key }) => ({ key })))
  })),
  mutant("the second key of a batch is left", (backend) => ({
    ...backend,
    deleteBatch: (container, entries) =>
      Effect.map(
        backend.deleteBatch(container, entries.filter((_, i) => i !== 1)),
        () => entries.map(() => undefined)
      )
  })),
  mutant("a copy loses attributes and metadata", (backend) => ({
    ...backend,
    copy: (from, to, options) =>
      Effect.gen(function*() {
        const done = yield* backend.copy(from, to, options)
        const { body } = yield* bodyOf(backend, to)
        return { ...done, ...(yield* backend.write(to, body, { mode: "overwrite", attributes: {}, metadata: {} })) }
      })
  })),
  mutant("a copy replaces what create must keep", (backend) => ({
    ...backend,
    copy: (from, to, options) => backend.copy(from, to, { ...options, mode: "overwrite" })
  })),
  mutant("a copy ignores the etag of its source", (backend) => ({
    ...backend,
    copy: (from, to, { mode }) => backend.copy(from, to, { mode })
  }), false),
  mutant("a copy removes its source", (backend) => ({
    ...backend,
    copy: (from, to, options) =>
      Effect.tap(backend.copy(from, to, options), () => backend.deleteBatch(from.container, [{ key: from.key }]))
  })),
  mutant("a rename leaves its source", (backend) => ({ ...backend, rename: backend.copy })),
  mutant("a rename of nothing removes the target", (backend) => ({
    ...backend,
    rename: (from, to, options) =>
      Effect.tapError(backend.rename!(from, to, options), () => backend.deleteBatch(to.container, [{ key: to.key }]))
  })),
  mutant("abort leaves the upload open", (backend) => ({ ...backend, abortUpload: () => Effect.void })),
  mutant("a completed upload stays listed", (backend) => {
    const done: Array<{ readonly container: string; readonly key: string; readonly id: string }> = []
    return {
      ...backend,
      completeUpload: (upload, request) =>
        Effect.tap(backend.completeUpload(upload, request), () => Effect.sync(() => void done.push(upload))),
      listUploads: (request) =>
        Effect.map(backend.listUploads(request), (one) => ({
          ...one,
          uploads: [...one.uploads, ...done.filter((upload) => upload.key.startsWith(request.prefix))]
        }))
    }
  }),
  mutant("the body is kept and not copied", (backend) => {
    const kept = new Map<string, Uint8Array>()
    return {
      ...backend,
      write: (at, body, options) =>
        Effect.tap(backend.write(at, body, options), () => Effect.sync(() => void kept.set(at.key, body))),
      read: (at, request) =>
        Effect.map(backend.read(at, request), (one) => {
          const body = kept.get(at.key)
          let position = one.offset
          return body === undefined || body.length !== one.stat.size ? one : {
            ...one,
            into: (target) =>
              Effect.sync(() => {
                const chunk = body.subarray(position, Math.min(one.offset + one.length, position + target.length))
                target.set(chunk)
                position += chunk.length
                return chunk.length
              })
          }
        })
    }
  }, false),
  mutant("a refused write says that it was applied", (backend) => ({
    ...backend,
    write: (at, body, options) =>
      Effect.catchReason(
        backend.write(at, body, options),
        "ObjectStoreError",
        "AlreadyExists",
        () => Effect.fail(makeError("AlreadyExists", { operation: "write", backend: backend.name, outcome: "applied" }))
      )
  })),
  mutant("keys are normalised to NFC", keyed((key) => key.normalize("NFC"))),
  mutant("// in a key is made /", keyed((key) => key.replaceAll("//", "/"))),
  mutant("a key is percent-decoded", keyed((key) => key.replaceAll(/%2f/gi, "/"))),
  mutant("dots in a key are followed", keyed((key) => key.replaceAll(/[^/]+\/\.\.\//g, ""))),
  mutant("a key loses its trailing slash", keyed((key) => key.replace(/\/$/, ""))),
  mutant("keys are made lower case", keyed((key) => key.toLowerCase()), false),
  mutant("a container that holds objects is removed", (backend) => ({
    ...backend,
    deleteContainer: (name) =>
      Effect.gen(function*() {
        const { objects } = yield* backend.listPage({ container: name, prefix: "", limit: 1000 })
        yield* backend.deleteBatch(name, objects.map(({ key }) => ({ key })))
        yield* backend.deleteContainer(name)
      })
  }), false),
  mutant("an interrupted read goes on into the target", (backend) => ({
    ...backend,
    read: (at, request) =>
      Effect.map(backend.read(at, request), (one) => ({
        ...one,
        into: (target) =>
          Effect.flatMap(
            Effect.flatMap(
              Effect.sync(() => new Uint8Array(target.length)),
              (late) => Effect.map(one.into(late), (count) => ({ late, count }))
            ),
            ({ count, late }) =>
              Effect.flatMap(
                Effect.forkDetach(Effect.map(
                  Effect.forEach(Array.from({ length: 5 }), () => Effect.yieldNow, { discard: true }),
                  () => target.set(late)
                )),
                (fiber) => Effect.as(Fiber.join(fiber), count)
              )
          )
      }))
  }), false)
]
