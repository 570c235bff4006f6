import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Fiber, Stream } from "effect"
import { type Backend, fromBackend, type ObjectStoreError, type ObjectStoreOperations } from "effect-objectstore"
import { makeBackend } from "effect-objectstore/layers/Memory"
import { Fault, type FaultRule, faultyBackend, makeFaultPlan } from "effect-objectstore/testing"
import { TestClock } from "effect/testing"
import { recording, turnOfTheEventLoop } from "./RecordingBackend.ts"

const base = "mem://memory/"
const utf8 = (value: Uint8Array) => new TextDecoder().decode(value)

/** The answer is lost after the change was applied, or the request before it was. */
const after = Fault.failAfter("ConnectionFailed", { phase: "headers" })
const before = Fault.fail("ConnectionFailed", { phase: "headers", outcome: "unknown" })

/** A store whose answers are lost as the rules say; `plain` is the same objects without any fault. */
const setUp = Effect.fnUntraced(function*(
  rules: ReadonlyArray<FaultRule>,
  wrap: (backend: Backend) => Backend = (backend) => backend
) {
  const memory = yield* makeBackend({ capabilities: { multipart: { minPartSize: 2 } } })
  const plain = yield* fromBackend(memory, { base })
  const { backend, names } = recording(faultyBackend(wrap(memory), yield* makeFaultPlan({ seed: "test", rules })))
  const store = yield* fromBackend(backend, { base })
  return { memory, plain, store, names }
})

/** Runs to the end, and lets time pass whenever nothing else happens. */
const inTime = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.result(effect))
    while (fiber.pollUnsafe() === undefined) {
      for (let turn = 0; turn < 5; turn++) yield* turnOfTheEventLoop
      yield* TestClock.adjust("1 second")
    }
    return yield* Effect.fromResult(yield* Fiber.join(fiber))
  })

const failing = <A>(effect: Effect.Effect<A, ObjectStoreError>) =>
  Effect.map(Effect.flip(inTime(effect)), (error) => [error.reason._tag, error.outcome])

type Meanwhile = (store: ObjectStoreOperations) => Effect.Effect<unknown, ObjectStoreError>

/** What another program does before the store is asked. */
const meanwhile = (then: Meanwhile) => (backend: Backend): Backend => ({
  ...backend,
  head: (at, conditions) =>
    Effect.flatMap(fromBackend(backend, { base }), then).pipe(
      Effect.andThen(backend.head(at, conditions))
    )
})

const create = (store: ObjectStoreOperations) => store.put("a", "mine", { mode: "create" })
const multipart = (store: ObjectStoreOperations, mode: "create" | "overwrite") =>
  store.putMultipart("a", "mine", { mode, partSize: 2 })
const foreign = (plain: ObjectStoreOperations) => plain.put("a", "theirs", { mode: "create" })

describe("a create that a busy service refused", () => {
  it.effect("is a success if the service did it all the same, found when it refuses the repetition", () =>
    Effect.gen(function*() {
      const busy = Fault.failAfter("Throttled", { status: 503 })
      const { names, plain, store } = yield* setUp([{ operation: "write", hits: 1, fault: busy }])
      assert.strictEqual((yield* inTime(create(store))).etag, (yield* plain.stat("a")).etag)
      assert.deepStrictEqual(names(), ["write", "write", "head"])
    }))

  it.effect("is not applied if another's object is there", () =>
    Effect.gen(function*() {
      const busy = Fault.fail("Throttled", { status: 503 })
      const { names, plain, store } = yield* setUp([{ operation: "write", hits: 1, fault: busy }])
      yield* foreign(plain)
      assert.deepStrictEqual(yield* failing(create(store)), ["AlreadyExists", "not-applied"])
      assert.deepStrictEqual(names(), ["write", "write", "head"])
    }))

  it.effect("is not asked for where the service counts requests before it does them", () =>
    Effect.gen(function*() {
      const limited = Fault.fail("Throttled", { status: 429 })
      const { names, plain, store } = yield* setUp([{ operation: "write", hits: 1, fault: limited }])
      yield* foreign(plain)
      assert.deepStrictEqual(yield* failing(create(store)), ["AlreadyExists", "not-applied"])
      assert.deepStrictEqual(names(), ["write", "write"])
    }))
})

describe("a create whose answer was lost", () => {
  it.effect("is a success if it was applied, found by its id with one more request", () =>
    Effect.gen(function*() {
      const { names, plain, store } = yield* setUp([{ operation: "write", hits: 1, fault: after }])
      const put = yield* inTime(create(store))
      assert.strictEqual(put.etag, (yield* plain.stat("a")).etag)
      assert.deepStrictEqual(names(), ["write", "head"])
    }))

  it.effect("is repeated if it was not", () =>
    Effect.gen(function*() {
      const { names, plain, store } = yield* setUp([{ operation: "write", hits: 1, fault: before }])
      assert.strictEqual((yield* inTime(create(store))).size, 4)
      assert.strictEqual(utf8(yield* plain.get("a")), "mine")
      assert.deepStrictEqual(names(), ["write", "head", "write"])
    }))

  it.effect("is no loss to itself when the repetition finds the object", () =>
    Effect.gen(function*() {
      const { names, store } = yield* setUp([{ operation: "write", hits: 1, fault: Fault.failAfter("Unavailable") }])
      assert.strictEqual((yield* inTime(create(store))).size, 4)
      assert.deepStrictEqual(names(), ["write", "write", "head"])
    }))

  it.effect("is unknown if another's object is there, which may have come before or after", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp([{ operation: "write", hits: 1, fault: before }])
      yield* foreign(plain)
      assert.deepStrictEqual(yield* failing(create(store)), ["OutcomeUnknown", "unknown"])
      assert.strictEqual(utf8(yield* plain.get("a")), "theirs")
    }))

  it.effect("names the failure that lost it, and the refusal that came next", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp([{
        operation: "write",
        hits: 1,
        fault: Fault.fail("Unavailable", { outcome: "unknown" })
      }])
      yield* foreign(plain)
      const error = yield* Effect.flip(inTime(create(store)))
      assert.match(error.message, /the answer was lost \(Unavailable: .*\), the next one was AlreadyExists: /)
    }))

  it.effect("is unknown also if the other's bytes are the same", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp([{ operation: "write", hits: 1, fault: before }])
      yield* plain.put("a", "mine")
      assert.deepStrictEqual(yield* failing(create(store)), ["OutcomeUnknown", "unknown"])
    }))

  it.effect("certainly lost to an object that is older than any difference of clocks", () =>
    Effect.gen(function*() {
      for (
        const [age, ends] of [
          ["23 hours", ["OutcomeUnknown", "unknown"]],
          ["25 hours", ["AlreadyExists", "not-applied"]]
        ] as const
      ) {
        const { plain, store } = yield* setUp([{ operation: "write", hits: 1, fault: before }])
        yield* foreign(plain)
        yield* TestClock.adjust(age)
        assert.deepStrictEqual(yield* failing(create(store)), [...ends])
      }
    }))

  it.effect("is unknown if the store cannot be asked, in bounded time", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp([
        { operation: "write", hits: 1, fault: after },
        { operation: "head", fault: Fault.fail("Unavailable") }
      ])
      assert.deepStrictEqual(yield* failing(create(store)), ["OutcomeUnknown", "unknown"])
      assert.isTrue(yield* plain.exists("a"))
    }))

  it.effect("keeps its id from programs, and programs from its name", () =>
    Effect.gen(function*() {
      const { memory, store } = yield* setUp([])
      yield* store.put("a", "x", { mode: "create", metadata: { mine: "1" } })
      assert.deepStrictEqual({ ...(yield* store.stat("a")).metadata }, { mine: "1" })
      const stored = yield* memory.head({ container: "memory", key: "a" }, {})
      assert.deepStrictEqual(Object.keys(stored.metadata!), ["mine", "objectstorewriteid"])
      for (const info of yield* Stream.runCollect(store.list())) {
        assert.isFalse(Object.hasOwn(info.metadata, "objectstorewriteid"))
      }
      const named = store.put("b", "x", { metadata: { ObjectStoreWriteId: "1" } })
      assert.strictEqual((yield* Effect.flip(named)).reason._tag, "InvalidRequest")
      yield* store.put("plain", "x")
      const plainly = yield* memory.head({ container: "memory", key: "plain" }, {})
      assert.deepStrictEqual(Object.keys(plainly.metadata!), [])
    }))

  it.effect("has no id where the metadata have no room for it", () =>
    Effect.gen(function*() {
      const memory = yield* makeBackend({ capabilities: { maxMetadataBytes: 60 } })
      const store = yield* fromBackend(memory, { base })
      const metadata = { a: "x".repeat(30) }
      yield* store.put("a", "x", { mode: "create", metadata })
      const stored = yield* memory.head({ container: "memory", key: "a" }, {})
      assert.deepStrictEqual(Object.entries(stored.metadata!), Object.entries(metadata))
    }))
})

describe("a write without an id", () => {
  // Files and services without metadata: only what the store tells of the bytes can say whose they are.
  const withChecksums = (md5: string | undefined) => (backend: Backend): Backend => ({
    ...backend,
    capabilities: { ...backend.capabilities, metadata: false },
    head: (at, conditions) => Effect.map(backend.head(at, conditions), (stat) => ({ ...stat, checksums: { md5 } }))
  })

  it.effect("is found by the checksum that the store tells", () =>
    Effect.gen(function*() {
      const md5 = "jNwWg2zTo4kYuBYuB216R0Q=="
      const rules = [{ operation: "write", hits: 1, fault: after }] as const
      const { store } = yield* setUp(rules, withChecksums(undefined))
      assert.deepStrictEqual(yield* failing(create(store)), ["OutcomeUnknown", "unknown"])
      const other = yield* setUp(rules, withChecksums(md5))
      assert.deepStrictEqual(yield* failing(create(other.store)), ["OutcomeUnknown", "unknown"])
      const same = yield* setUp(rules, withChecksums("kYuB216R0DFUi5Y8k4ReWw=="))
      assert.strictEqual((yield* inTime(create(same.store))).verified, "checksum")
    }))
})

describe("an update whose answer was lost", () => {
  const update = Effect.fnUntraced(function*(fault: Fault.Fault, then: Meanwhile) {
    const world = yield* setUp([{ operation: "write", hits: 1, fault }], meanwhile(then))
    const { etag } = yield* world.plain.put("a", "old")
    return { ...world, update: world.store.put("a", "new", { mode: { update: etag! } }) }
  })

  it.effect("is a success if it was applied, and repeated if it was not", () =>
    Effect.gen(function*() {
      for (const fault of [after, before, Fault.failAfter("Unavailable")]) {
        const world = yield* update(fault, () => Effect.void)
        assert.strictEqual((yield* inTime(world.update)).etag, (yield* world.plain.stat("a")).etag)
        assert.strictEqual(utf8(yield* world.plain.get("a")), "new")
      }
    }))

  it.effect("is unknown if another update came after or before, or a delete", () =>
    Effect.gen(function*() {
      for (const fault of [after, before]) {
        const overtaken = yield* update(fault, (plain) => plain.put("a", "theirs"))
        assert.deepStrictEqual(yield* failing(overtaken.update), ["OutcomeUnknown", "unknown"])
        const removed = yield* update(fault, (plain) => plain.delete("a"))
        assert.deepStrictEqual(yield* failing(removed.update), ["OutcomeUnknown", "unknown"])
      }
    }))
})

describe("an upload whose completion was lost", () => {
  for (const mode of ["overwrite", "create"] as const) {
    it.effect(`is a success if it was applied, and repeated if it was not: ${mode}`, () =>
      Effect.gen(function*() {
        for (const fault of [after, before, Fault.failAfter("Unavailable"), Fault.failAfter("ProtocolViolation")]) {
          const { plain, store } = yield* setUp([{ operation: "completeUpload", hits: 1, fault }])
          if (mode === "overwrite") yield* plain.put("a", "old")
          assert.strictEqual((yield* inTime(multipart(store, mode))).etag, (yield* plain.stat("a")).etag)
          assert.strictEqual(utf8(yield* plain.get("a")), "mine")
          assert.deepStrictEqual(yield* Stream.runCollect(plain.listUploads()), [])
        }
      }))
  }

  it.effect("is found when the upload is gone by our own success", () =>
    Effect.gen(function*() {
      const { names, store } = yield* setUp([
        // The look comes too early to see it; the repetition finds the upload gone.
        { operation: "completeUpload", hits: 1, fault: Fault.failAfter("Timeout", { phase: "headers" }) },
        { operation: "head", hits: 1, fault: Fault.fail("NotFound") }
      ])
      assert.strictEqual((yield* inTime(multipart(store, "overwrite"))).size, 4)
      assert.deepStrictEqual(names().slice(-4), ["completeUpload", "head", "completeUpload", "head"])
    }))

  it.effect("is UploadNotFound, unknown, if the upload is gone and another's object is there", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp([
        { operation: "completeUpload", hits: 1, fault: Fault.failAfter("Timeout", { phase: "headers" }) }
      ], meanwhile((store) => store.put("a", "theirs")))
      assert.deepStrictEqual(yield* failing(multipart(store, "overwrite")), ["UploadNotFound", "unknown"])
      assert.strictEqual(utf8(yield* plain.get("a")), "theirs")
    }))

  it.effect("does not hide that the store holds fewer bytes than were sent", () =>
    Effect.gen(function*() {
      const { store } = yield* setUp(
        [{ operation: "completeUpload", hits: 1, fault: after }],
        (backend) => ({
          ...backend,
          head: (at, conditions) => Effect.map(backend.head(at, conditions), (stat) => ({ ...stat, size: 3 }))
        })
      )
      assert.deepStrictEqual(yield* failing(multipart(store, "overwrite")), ["IntegrityFailed", "applied"])
    }))
})

describe("a copy whose answer was lost", () => {
  const copy = Effect.fnUntraced(function*(fault: Fault.Fault, mode: "create" | "overwrite") {
    const world = yield* setUp([{ operation: "copy", hits: 1, fault }])
    yield* world.plain.put("from", "mine", { mode: "create" })
    return { ...world, copy: world.store.copy("from", "a", { mode }) }
  })

  for (const mode of ["overwrite", "create"] as const) {
    it.effect(`is a success if it was applied, and repeated if it was not: ${mode}`, () =>
      Effect.gen(function*() {
        for (const fault of [after, before, Fault.failAfter("Unavailable")]) {
          const world = yield* copy(fault, mode)
          assert.strictEqual((yield* inTime(world.copy)).etag, (yield* world.plain.stat("a")).etag)
          assert.strictEqual(utf8(yield* world.plain.get("a")), "mine")
        }
      }))
  }

  it.effect("is unknown if it was to replace one version, and nothing is there any more", () =>
    Effect.gen(function*() {
      for (const fault of [before, after]) {
        const { plain, store } = yield* setUp(
          [{ operation: "copy", hits: 1, fault }],
          meanwhile((store) => store.delete("a"))
        )
        yield* plain.put("from", "mine")
        const update = (yield* plain.put("a", "old")).etag!
        const copying = store.copy("from", "a", { mode: { update } })
        assert.deepStrictEqual(yield* failing(copying), ["OutcomeUnknown", "unknown"])
      }
    }))

  it.effect("is unknown if it was create-only and another object is there", () =>
    Effect.gen(function*() {
      const world = yield* copy(before, "create")
      yield* foreign(world.plain)
      assert.deepStrictEqual(yield* failing(world.copy), ["OutcomeUnknown", "unknown"])
      yield* TestClock.adjust("25 hours")
      const later = yield* copy(before, "create")
      yield* foreign(later.plain)
      assert.deepStrictEqual(yield* failing(later.copy), ["OutcomeUnknown", "unknown"])
      yield* TestClock.adjust("25 hours")
      const old = yield* copy(before, "create")
      yield* foreign(old.plain)
      yield* TestClock.adjust("25 hours")
      assert.deepStrictEqual(yield* failing(old.copy), ["AlreadyExists", "not-applied"])
    }))
})

describe("a rename whose answer was lost", () => {
  const rename = Effect.fnUntraced(function*(fault: Fault.Fault, pinned: boolean) {
    const world = yield* setUp([{ operation: "rename", hits: 1, fault }])
    const { etag } = yield* world.plain.put("from", "mine")
    return { ...world, rename: world.store.rename("from", "a", pinned ? { ifMatch: etag } : undefined) }
  })

  it.effect("is repeated while the version that was to be moved is at its source, and else unknown", () =>
    Effect.gen(function*() {
      const undone = yield* rename(before, true)
      assert.strictEqual((yield* inTime(undone.rename)).size, 4)
      assert.isFalse(yield* undone.plain.exists("from"))
      assert.deepStrictEqual(yield* failing((yield* rename(before, false)).rename), ["OutcomeUnknown", "unknown"])
      assert.deepStrictEqual(yield* failing((yield* rename(after, false)).rename), ["OutcomeUnknown", "unknown"])
    }))
})

describe("a delete whose answer was lost", () => {
  const remove = Effect.fnUntraced(function*(fault: Fault.Fault, then: Meanwhile) {
    const world = yield* setUp([{ operation: "deleteBatch", hits: 1, fault }], meanwhile(then))
    const { etag } = yield* world.plain.put("a", "old")
    return { ...world, remove: world.store.delete("a", { ifMatch: etag }) }
  })

  it.effect("of one version is done if the object is gone, and repeated if it is not", () =>
    Effect.gen(function*() {
      for (const fault of [after, before, Fault.failAfter("Unavailable")]) {
        const world = yield* remove(fault, () => Effect.void)
        yield* inTime(world.remove)
        assert.isFalse(yield* world.plain.exists("a"))
      }
    }))

  it.effect("of one version is unknown if another one is there", () =>
    Effect.gen(function*() {
      for (const fault of [after, before]) {
        const world = yield* remove(fault, (plain) => plain.put("a", "theirs"))
        assert.deepStrictEqual(yield* failing(world.remove), ["OutcomeUnknown", "unknown"])
        assert.strictEqual(utf8(yield* world.plain.get("a")), "theirs")
      }
    }))
})

describe("a container whose answer was lost", () => {
  it.effect("is made if it is not there; if it is, nobody can tell who made it", () =>
    Effect.gen(function*() {
      const undone = yield* setUp([{ operation: "createContainer", hits: 1, fault: before }])
      yield* inTime(undone.store.createContainer("second"))
      const done = yield* setUp([{ operation: "createContainer", hits: 1, fault: after }])
      assert.deepStrictEqual(yield* failing(done.store.createContainer("second")), ["OutcomeUnknown", "unknown"])
    }))

  it.effect("is removed when it is not there any more", () =>
    Effect.gen(function*() {
      for (const fault of [after, before, Fault.failAfter("Unavailable")]) {
        const { plain, store } = yield* setUp([{ operation: "deleteContainer", hits: 1, fault }])
        yield* plain.createContainer("second")
        yield* inTime(store.deleteContainer("second"))
        const left = yield* Stream.runCollect(plain.listContainers())
        assert.notInclude(left.map(({ name }) => name), "second")
      }
    }))
})

describe("an abort whose answer was lost", () => {
  it.effect("is done if the upload is gone; one that never was is told", () =>
    Effect.gen(function*() {
      for (const fault of [after, before, Fault.failAfter("Unavailable")]) {
        const { memory, names, store } = yield* setUp([{ operation: "abortUpload", hits: 1, fault }])
        yield* memory.openUpload({ container: "memory", key: "a" }, { mode: "overwrite", attributes: {}, metadata: {} })
        const [upload] = yield* Stream.runCollect(store.listUploads())
        yield* inTime(store.abortUpload(upload!))
        assert.deepStrictEqual(names(), ["abortUpload", "abortUpload"])
        assert.deepStrictEqual(yield* failing(store.abortUpload(upload!)), ["UploadNotFound", "not-applied"])
      }
    }))
})

describe("an overwrite whose answer was lost", () => {
  it.effect("ends as unknown if later requests fail, whatever the last one says of itself", () =>
    Effect.gen(function*() {
      const { store } = yield* setUp([
        { operation: "write", hits: 1, fault: after },
        { operation: "write", fault: Fault.fail("PermissionDenied") }
      ])
      assert.deepStrictEqual(yield* failing(store.put("a", "x")), ["PermissionDenied", "unknown"])
    }))

  it.effect("ends well if the store holds the same bytes at the end", () =>
    Effect.gen(function*() {
      const { names, store } = yield* setUp([
        { operation: "write", hits: 1, fault: after },
        { operation: "write", fault: Fault.fail("ConnectionFailed", { phase: "connect" }) }
      ], (backend) => ({
        ...backend,
        head: (at, conditions) =>
          Effect.map(backend.head(at, conditions), (stat) => ({ ...stat, checksums: { crc32: "jNwWgw==" } }))
      }))
      assert.strictEqual((yield* inTime(store.put("a", "x"))).verified, "checksum")
      assert.deepStrictEqual(names(), ["write", "write", "write", "write", "write", "head"])
    }))
})

describe("the age of an object", () => {
  it.effect("is what the store tells, and nothing if it tells none", () =>
    Effect.gen(function*() {
      const { plain, store } = yield* setUp(
        [{ operation: "write", hits: 1, fault: before }],
        (backend) => ({
          ...backend,
          head: (at, conditions) =>
            Effect.map(backend.head(at, conditions), (stat) => ({ ...stat, lastModified: undefined }))
        })
      )
      yield* foreign(plain)
      yield* TestClock.setTime(DateTime.toEpochMillis(DateTime.makeUnsafe("2030-01-01")))
      assert.deepStrictEqual(yield* failing(create(store)), ["OutcomeUnknown", "unknown"])
    }))
})
