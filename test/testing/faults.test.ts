import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Layer, Random, Redacted, Ref, Result, Scope, Stream } from "effect"
import {
  type Backend,
  fromBackend,
  ObjectStore,
  type ObjectStoreError,
  type ObjectStoreOperations
} from "effect-objectstore"
import * as Memory from "effect-objectstore/layers/Memory"
import {
  type BackendOperation,
  describeObjectStore,
  Fault,
  type FaultPlan,
  type FaultRule,
  faults,
  faultyBackend,
  layerFaults,
  makeFaultPlan,
  type StoreOperation
} from "effect-objectstore/testing"
import { TestClock } from "effect/testing"

const text = (value: string) => new TextEncoder().encode(value)
const utf8 = (value: Uint8Array) => new TextDecoder().decode(value)
const base = "mem://memory/"
const at = (key: string) => ({ container: "memory", key })
const plain = { mode: "overwrite", attributes: {}, metadata: {} } as const

const planOf = (...rules: ReadonlyArray<FaultRule>) => makeFaultPlan({ seed: "test", rules })

const reasonOf = <A, R>(effect: Effect.Effect<A, ObjectStoreError, R>) =>
  Effect.map(Effect.result(effect), (result) => Result.isFailure(result) ? result.failure.reason._tag : "succeeded")

type AnyEffect = Effect.Effect<unknown, ObjectStoreError, Scope.Scope>

/** Runs every operation of a store once, each on its own; what it names is in `a` and `upload`. */
const storeOperations = {
  get: (store) => store.get("a"),
  getRange: (store) => store.getRange("a", { offset: 0, length: 2 }),
  getRanges: (store) => store.getRanges("a", [{ offset: 0, length: 2 }]),
  getInto: (store) => store.getInto("a", new Uint8Array(10)),
  stream: (store) => Stream.runDrain(store.stream("a")),
  open: (store) => store.open("a"),
  stat: (store) => store.stat("a"),
  exists: (store) => store.exists("a"),
  put: (store) => store.put("b", "b"),
  putMultipart: (store) => store.putMultipart("b", "b"),
  sink: (store) => Stream.run(Stream.make(text("b")), store.sink("b")),
  writer: (store) => store.writer("b"),
  list: (store) => Stream.runDrain(store.list()),
  listDirectory: (store) => Stream.runDrain(store.listDirectory()),
  delete: (store) => store.delete("a"),
  deleteMany: (store) => Stream.runDrain(store.deleteMany(["a"])),
  deletePrefix: (store) => store.deletePrefix("a"),
  copy: (store) => store.copy("a", "b"),
  rename: (store) => store.rename("a", "b"),
  createContainer: (store) => store.createContainer("second"),
  deleteContainer: (store) => store.deleteContainer("empty"),
  listContainers: (store) => Stream.runDrain(store.listContainers()),
  presign: (store) => store.presign("a", { method: "GET", expiresIn: "1 minute" }),
  listUploads: (store) => Stream.runDrain(store.listUploads()),
  abortUpload: (store) =>
    Effect.flatMap(Stream.runCollect(store.listUploads()), ([upload]) => store.abortUpload(upload!)),
  "reader.read": (store) => Effect.flatMap(store.open("a"), (reader) => reader.read()),
  "reader.readInto": (store) => Effect.flatMap(store.open("a"), (reader) => reader.readInto(new Uint8Array(10))),
  "reader.stream": (store) => Effect.flatMap(store.open("a"), (reader) => Stream.runDrain(reader.stream())),
  "writer.write": (store) => Effect.flatMap(store.writer("b"), (writer) => writer.write(text("b"))),
  "writer.finish": (store) => Effect.flatMap(store.writer("b"), (writer) => writer.finish)
} satisfies Record<StoreOperation, (store: ObjectStoreOperations) => AnyEffect>

const upload = (backend: Backend) =>
  Effect.map(
    backend.listUploads({ container: "memory", prefix: "" }),
    ({ uploads }) => ({ ...uploads[0]!, options: plain })
  )

/** Runs every primitive of a backend once. */
const backendOperations = {
  head: (backend) => backend.head(at("a"), {}),
  read: (backend) => backend.read(at("a"), { conditions: {} }),
  readInto: (backend) =>
    Effect.flatMap(backend.read(at("a"), { conditions: {} }), (reply) => reply.into(new Uint8Array(5))),
  write: (backend) => backend.write(at("b"), text("b"), plain),
  openUpload: (backend) => backend.openUpload(at("b"), plain),
  uploadPart: (backend) =>
    Effect.flatMap(
      upload(backend),
      (open) => backend.uploadPart(open, { number: 1, offset: 0, body: text("part"), last: true })
    ),
  copyPart: (backend) =>
    Effect.flatMap(
      upload(backend),
      (open) => backend.copyPart!(open, { number: 1, offset: 0, length: 2, from: at("a") })
    ),
  completeUpload: (backend) =>
    Effect.flatMap(upload(backend), (open) =>
      Effect.flatMap(
        backend.uploadPart(open, { number: 1, offset: 0, body: text("part"), last: true }),
        (part) => backend.completeUpload(open, { parts: [part], size: 4 })
      )),
  abortUpload: (backend) => Effect.flatMap(upload(backend), backend.abortUpload),
  listUploads: (backend) => backend.listUploads({ container: "memory", prefix: "" }),
  listPage: (backend) => backend.listPage({ container: "memory", prefix: "", limit: 10 }),
  deleteBatch: (backend) => backend.deleteBatch("memory", [{ key: "a" }]),
  deleteEntry: (backend) =>
    Effect.flatMap(
      backend.deleteBatch("memory", [{ key: "a" }]),
      ([error]) => error === undefined ? Effect.void : Effect.fail(error)
    ),
  copy: (backend) => backend.copy(at("a"), at("b"), { mode: "overwrite" }),
  rename: (backend) => backend.rename!(at("a"), at("b"), { mode: "overwrite" }),
  createContainer: (backend) => backend.createContainer("second", {}),
  deleteContainer: (backend) => backend.deleteContainer("empty"),
  listContainers: (backend) => backend.listContainers,
  presign: (backend) => backend.presign(at("a"), { method: "GET", expiresIn: Duration.minutes(1) })
} satisfies Record<BackendOperation, (backend: Backend) => AnyEffect>

const mutations: ReadonlySet<string> = new Set<StoreOperation | BackendOperation>([
  "put",
  "putMultipart",
  "sink",
  "writer",
  "delete",
  "deleteMany",
  "deletePrefix",
  "copy",
  "rename",
  "createContainer",
  "deleteContainer",
  "abortUpload",
  "writer.write",
  "writer.finish",
  "write",
  "openUpload",
  "uploadPart",
  "copyPart",
  "completeUpload",
  "deleteBatch",
  "deleteEntry"
])

/** A backend that can do everything, with an object, an open upload and an empty container. */
const prepared = Effect.gen(function*() {
  const memory = yield* Memory.makeBackend({ containers: ["empty"], capabilities: { maxCopySize: 1000 } })
  const backend: Backend = {
    ...memory,
    capabilities: { ...memory.capabilities, presign: true },
    presign: () => Effect.succeed(Redacted.make("https://signed"))
  }
  yield* backend.write(at("a"), text("hello"), plain)
  yield* backend.openUpload(at("upload"), plain)
  return backend
})

const tables: ReadonlyArray<{
  readonly what: string
  readonly names: ReadonlyArray<StoreOperation | BackendOperation>
  readonly run: (plan: FaultPlan, backend: Backend, name: string) => AnyEffect
}> = [
  {
    what: "a store",
    names: Object.keys(storeOperations) as Array<StoreOperation>,
    run: (plan, backend, name) =>
      Effect.flatMap(
        fromBackend(backend, { base }),
        (store) => storeOperations[name as StoreOperation](faults(store, plan))
      )
  },
  {
    what: "a backend",
    names: Object.keys(backendOperations) as Array<BackendOperation>,
    run: (plan, backend, name) => backendOperations[name as BackendOperation](faultyBackend(backend, plan))
  }
]

for (const { names, run, what } of tables) {
  describe(`every operation of ${what}`, () => {
    for (const name of names) {
      it.effect(`${name} is forwarded, fails before, fails after, and waits`, () =>
        Effect.gen(function*() {
          const plan = yield* planOf()
          const once = Effect.gen(function*() {
            const backend = yield* prepared
            return yield* Effect.scoped(run(plan, backend, name)).pipe(Effect.result)
          })
          const outcome = mutations.has(name) ? "not-applied" : undefined
          const forwarded = yield* once
          assert.isTrue(Result.isSuccess(forwarded), `${name} succeeds without faults`)

          yield* plan.setRules([{ operation: name, fault: Fault.fail("Throttled", { retryAfter: 7 }) }])
          const failed = yield* once
          if (Result.isSuccess(failed)) return assert.fail("it succeeded")
          assert.strictEqual(failed.failure.reason._tag, "Throttled")
          assert.strictEqual(failed.failure.retryAfter, 7)
          assert.strictEqual(failed.failure.operation, name)
          assert.strictEqual(failed.failure.outcome, outcome)

          yield* plan.setRules([{ operation: name, fault: Fault.failAfter("ConnectionFailed", { phase: "headers" }) }])
          const lost = yield* once
          if (Result.isSuccess(lost)) return assert.fail("it succeeded")
          assert.strictEqual(lost.failure.reason._tag, "ConnectionFailed")
          assert.strictEqual(lost.failure.outcome, outcome === undefined ? undefined : "unknown")

          yield* plan.setRules([{ operation: name, hits: 1, fault: Fault.delay("1 hour") }])
          const fiber = yield* Effect.forkChild(once)
          yield* TestClock.adjust("59 minutes")
          assert.strictEqual(fiber.pollUnsafe(), undefined, "it has not waited")
          yield* TestClock.adjust("1 minute")
          assert.isTrue(Result.isSuccess(yield* Fiber.join(fiber)))

          const journal = yield* plan.journal
          assert.deepStrictEqual(
            journal.map(({ fault, hit, operation }) => [operation, hit, fault._tag]),
            [[name, 1, "Fail"], [name, 1, "FailAfter"], [name, 1, "Delay"]]
          )
        }))
    }
  })
}

describe("a fault after", () => {
  it.effect("leaves the change applied, and one before leaves it undone", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ operation: "put", hits: 1, fault: Fault.fail("Unavailable") }, {
        operation: "put",
        hits: 2,
        fault: Fault.failAfter("Unavailable", { outcome: "applied", code: "Lost" })
      })
      const store = faults(yield* Memory.make(), plan)
      assert.strictEqual((yield* Effect.flip(store.put("a", "1"))).outcome, "not-applied")
      assert.isFalse(yield* store.exists("a"))
      const error = yield* Effect.flip(store.put("a", "2"))
      assert.deepStrictEqual([error.outcome, error.reason.code], ["applied", "Lost"])
      assert.strictEqual(utf8(yield* store.get("a")), "2")
      yield* store.put("a", "3")
    }))

  it.effect("is no fault, and no entry, where the operation itself fails", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ fault: Fault.failAfter("Unavailable") })
      const store = faults(yield* Memory.make(), plan)
      assert.strictEqual(yield* reasonOf(store.get("missing")), "NotFound")
      assert.deepStrictEqual(yield* plan.journal, [])
    }))

  it.effect("of a stream comes after all of its elements", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ operation: "list", fault: Fault.failAfter("Unavailable") })
      const store = faults(yield* Memory.make(), plan)
      for (const key of ["a", "b", "c"]) yield* store.put(key, key)
      const seen: Array<string> = []
      const listing = Stream.runForEach(store.list(), ({ key }) => Effect.sync(() => seen.push(key)))
      assert.strictEqual(yield* reasonOf(listing), "Unavailable")
      assert.deepStrictEqual(seen, ["a", "b", "c"])
    }))
})

describe("bodies", () => {
  const reads = (store: ObjectStoreOperations) =>
    [
      store.get("a"),
      Effect.map(store.getRanges("a", [{ offset: 0, length: 4 }, { offset: 4 }]), (parts) => Buffer.concat(parts)),
      Effect.suspend(() => {
        const target = new Uint8Array(20)
        return Effect.map(store.getInto("a", target), ({ bytes }) => target.subarray(0, bytes))
      }),
      Effect.map(Stream.runCollect(store.stream("a", { partSize: 3 })), (chunks) => Buffer.concat(chunks)),
      Effect.scoped(Effect.flatMap(store.open("a"), (reader) => reader.read())),
      Effect.scoped(Effect.flatMap(store.open("a"), (reader) =>
        Effect.map(Stream.runCollect(reader.stream()), (chunks) =>
          Buffer.concat(chunks))))
    ] as ReadonlyArray<Effect.Effect<Uint8Array, ObjectStoreError>>

  it.effect("of a store end after the bytes that the fault says, or are left alone when they are shorter", () =>
    Effect.gen(function*() {
      const plan = yield* planOf()
      const store = faults(yield* Memory.make(), plan)
      yield* store.put("a", "0123456789")
      for (const bytes of [0, 4, 9, 10, 11]) {
        yield* plan.setRules([{ fault: Fault.truncate(bytes) }])
        for (const read of reads(store)) {
          const result = yield* Effect.result(read)
          if (bytes >= 10) {
            assert.isTrue(Result.isSuccess(result) && utf8(result.success) === "0123456789")
            continue
          }
          if (Result.isSuccess(result)) return assert.fail("it succeeded")
          const { reason } = result.failure
          assert.deepStrictEqual([reason._tag, "received" in reason && reason.received], ["BodyInterrupted", bytes])
        }
      }
      assert.strictEqual((yield* plan.journal).length, 3 * 6)
      yield* plan.setRules([{ operation: "stream", fault: Fault.truncate(4) }])
      const seen = yield* Ref.make("")
      yield* Effect.exit(
        Stream.runForEach(
          store.stream("a", { partSize: 3 }),
          (chunk) => Ref.update(seen, (before) => before + utf8(chunk))
        )
      )
      assert.strictEqual(yield* Ref.get(seen), "0123")
    }))

  it.effect("of a store have one bit flipped", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ fault: Fault.corrupt(5) })
      const store = faults(yield* Memory.make(), plan)
      yield* store.put("a", "0123456789")
      for (const read of reads(store)) assert.strictEqual(utf8(yield* read), "0123446789")
      yield* plan.setRules([{ fault: Fault.corrupt(10) }])
      for (const read of reads(store)) assert.strictEqual(utf8(yield* read), "0123456789")
      assert.strictEqual((yield* plan.journal).length, 6)
    }))

  it.effect("of a backend break off, and the engine goes on at the byte that was delivered", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ operation: "read", hits: [1, 2], fault: Fault.truncate(4) })
      const store = yield* fromBackend(faultyBackend(yield* Memory.makeBackend(), plan), { base })
      yield* store.put("a", "0123456789")
      const fiber = yield* Effect.forkChild(store.get("a"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(utf8(yield* Fiber.join(fiber)), "0123456789")
      assert.deepStrictEqual((yield* plan.journal).map(({ hit }) => hit), [1, 2])
    }))

  it.effect("of a backend meet their faults wherever the bytes are taken", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ operation: "read", hits: 1, fault: Fault.truncate(8) }, {
        operation: "read",
        hits: [1, 2],
        fault: Fault.corrupt(7)
      })
      const backend = faultyBackend(yield* Memory.makeBackend(), plan)
      yield* backend.write(at("a"), text("0123456789"), plain)
      const range = { offset: 1, length: 9 }
      const target = new Uint8Array(3)
      const cut = yield* backend.read(at("a"), { range, conditions: {} })
      for (const expected of ["123", "456"]) {
        assert.strictEqual(yield* cut.into(target), 3)
        assert.strictEqual(utf8(target), expected)
      }
      assert.strictEqual(yield* reasonOf(cut.into(target)), "BodyInterrupted")
      assert.strictEqual(utf8(target.subarray(0, 2)), "78")
      const flipped = yield* backend.read(at("a"), { range, conditions: {} })
      for (const expected of ["123", "456", "799"]) {
        yield* flipped.into(target)
        assert.strictEqual(utf8(target), expected)
      }
      assert.deepStrictEqual((yield* plan.journal).map(({ fault }) => fault._tag), ["Truncate", "Corrupt"])
    }))

  it.effect("of a backend with a handle meet the same faults", () =>
    Effect.gen(function*() {
      const memory = yield* Memory.makeBackend()
      const bytes = text("0123456789")
      const held: Backend = {
        ...memory,
        read: (place, request) =>
          Effect.map(memory.read(place, request), (reply) => ({
            ...reply,
            handle: {
              verify: Effect.void,
              readInto: (offset: number, target: Uint8Array) =>
                Effect.sync(() => target.set(bytes.subarray(offset, offset + target.length)))
            }
          }))
      }
      const plan = yield* planOf({ operation: "read", fault: Fault.truncate(6) })
      const backend = faultyBackend(held, plan)
      yield* backend.write(at("a"), bytes, plain)
      const range = { offset: 2, length: 8 }
      const target = new Uint8Array(4)
      const open = Effect.map(backend.read(at("a"), { range, conditions: {} }), ({ handle }) => handle!)
      const handle = yield* open
      yield* handle.readInto(4, target)
      assert.strictEqual(utf8(target), "4567")
      assert.strictEqual(yield* reasonOf(handle.readInto(6, target)), "BodyInterrupted")
      assert.strictEqual(utf8(target.subarray(0, 2)), "67")
      yield* plan.setRules([{ operation: "read", fault: Fault.corrupt(3) }])
      const corrupted = yield* open
      yield* corrupted.readInto(4, target)
      assert.strictEqual(utf8(target), "4467")
    }))

  it.effect("that are written to a backend have one bit flipped, and the program's buffer has not", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ operation: ["write", "uploadPart"], hits: 1, fault: Fault.corrupt(0) })
      const store = yield* fromBackend(faultyBackend(yield* Memory.makeBackend(), plan), { base })
      const body = text("1234")
      yield* store.put("a", body)
      assert.deepStrictEqual([utf8(yield* store.get("a")), utf8(body)], ["0234", "1234"])
    }))

  it.effect("can stall between two takings", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ operation: "readInto", hits: 2, fault: Fault.delay("1 minute") })
      const store = yield* fromBackend(faultyBackend(yield* Memory.makeBackend(), plan), { base })
      yield* store.put("a", "0123456789")
      const fiber = yield* Effect.forkChild(store.get("a", { partSize: 5, concurrency: 1 }))
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(utf8(yield* Fiber.join(fiber)), "0123456789")
    }))
})

describe("rules", () => {
  it.effect("select by operation, key, hit and window", () =>
    Effect.gen(function*() {
      const plan = yield* planOf()
      const store = faults(yield* Memory.make(), plan)
      const failing = Effect.fnUntraced(function*(rule: Omit<FaultRule, "fault">) {
        yield* plan.setRules([{ ...rule, fault: Fault.fail("Unavailable") }])
        const failed: Array<string> = []
        for (const key of ["a/1", "a/2", "b/1", `${base}a/1`]) {
          if ((yield* reasonOf(store.exists(key))) !== "succeeded") failed.push(key)
          if ((yield* reasonOf(store.put(key, ""))) !== "succeeded") failed.push(`put ${key}`)
          yield* TestClock.adjust("1 second")
        }
        return failed
      })
      const exists = "exists" as const
      assert.deepStrictEqual(yield* failing({ operation: exists }), ["a/1", "a/2", "b/1", `${base}a/1`])
      assert.deepStrictEqual((yield* failing({ operation: ["put", exists] })).length, 8)
      assert.deepStrictEqual((yield* failing({ operation: (name) => name === "put" })).length, 4)
      assert.deepStrictEqual(yield* failing({ operation: exists, key: "a/1" }), ["a/1"])
      assert.deepStrictEqual(yield* failing({ operation: exists, key: /^a\//g }), ["a/1", "a/2"])
      assert.deepStrictEqual(yield* failing({ operation: exists, key: (key) => key.endsWith("1") }), [
        "a/1",
        "b/1",
        `${base}a/1`
      ])
      assert.deepStrictEqual(yield* failing({ operation: exists, hits: 2 }), ["a/2"])
      assert.deepStrictEqual(yield* failing({ operation: exists, hits: [1, 4] }), ["a/1", `${base}a/1`])
      assert.deepStrictEqual(yield* failing({ operation: exists, hits: { every: 2 } }), ["a/2", `${base}a/1`])
      assert.deepStrictEqual(yield* failing({ operation: exists, from: "1 second", until: "3 seconds" }), [
        "a/2",
        "b/1"
      ])
    }))

  it.effect("select a copy by either key, and a batch by any of its keys", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ operation: ["copy", "deleteBatch"], key: "b", fault: Fault.fail("Unavailable") })
      const backend = faultyBackend(yield* Memory.makeBackend(), plan)
      yield* backend.write(at("a"), text("a"), plain)
      assert.strictEqual(yield* reasonOf(backend.copy(at("a"), at("b"), { mode: "overwrite" })), "Unavailable")
      assert.strictEqual(yield* reasonOf(backend.copy(at("b"), at("a"), { mode: "overwrite" })), "Unavailable")
      assert.strictEqual(yield* reasonOf(backend.deleteBatch("memory", [{ key: "x" }, { key: "b" }])), "Unavailable")
      assert.deepStrictEqual(yield* backend.deleteBatch("memory", []), [])
      assert.deepStrictEqual((yield* plan.journal).map(({ key }) => key), ["b", "b", "b"])
    }))

  it.effect("let single keys of a batch fail, and the others go", () =>
    Effect.gen(function*() {
      const plan = yield* planOf(
        { operation: "deleteEntry", key: "b", fault: Fault.fail("PermissionDenied") },
        { operation: "deleteEntry", key: "c", fault: Fault.failAfter("PermissionDenied", { outcome: "applied" }) }
      )
      const store = yield* fromBackend(faultyBackend(yield* Memory.makeBackend(), plan), { base })
      for (const key of ["a", "b", "c"]) yield* store.put(key, key)
      const results = yield* Stream.runCollect(store.deleteMany(["a", "b", "c"]))
      assert.deepStrictEqual(results.map(({ error, key }) => [key, error?.outcome]), [
        ["a", undefined],
        ["b", "not-applied"],
        ["c", "applied"]
      ])
      const left = yield* Stream.runCollect(store.list())
      assert.deepStrictEqual(left.map(({ key }) => key), ["b"])
    }))

  it.effect("add their delays up, and the first other fault counts", () =>
    Effect.gen(function*() {
      const plan = yield* planOf(
        { fault: Fault.delay("1 second") },
        { fault: Fault.fail("Throttled") },
        { fault: Fault.delay("2 seconds") },
        { fault: Fault.fail("Unavailable") }
      )
      const fiber = yield* Effect.forkChild(reasonOf(faults(yield* Memory.make(), plan).stat("a")))
      yield* TestClock.adjust("2999 millis")
      assert.strictEqual(fiber.pollUnsafe(), undefined)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(fiber), "Throttled")
      assert.deepStrictEqual((yield* plan.journal).map(({ rule }) => rule), [0, 2, 1])
    }))

  it.effect("that are wrong are refused", () =>
    Effect.gen(function*() {
      const fault = Fault.fail("Unavailable")
      const wrong: ReadonlyArray<FaultRule> = [
        { fault, probability: 1.1 },
        { fault, operation: "putt" as never },
        { fault, operation: ["put", "putt" as never] },
        { fault: Fault.fail("Unavailble" as never) },
        { fault: undefined as never },
        { fault, probability: Number.NaN },
        { fault, hits: 0 },
        { fault, hits: [1, 1.5] },
        { fault, hits: { every: 0 } },
        { fault: Fault.truncate(-1) },
        { fault: Fault.corrupt(0.5) }
      ]
      for (const rule of wrong) assert.strictEqual(yield* reasonOf(planOf(rule)), "Configuration")
    }))
})

describe("a seed", () => {
  const run = Effect.fnUntraced(function*(seed: string | number | undefined) {
    const plan = yield* makeFaultPlan({
      seed,
      rules: [
        { probability: 0.3, fault: Fault.fail("Unavailable") },
        { operation: "put", probability: 0.2, fault: Fault.failAfter("Unavailable") },
        { probability: 0.1, fault: Fault.delay(0) }
      ]
    })
    const store = faults(yield* Memory.make(), plan)
    for (let i = 0; i < 100; i++) {
      yield* Effect.result(store.put(`k${i % 7}`, "x"))
      yield* Effect.result(store.get(`k${i % 5}`))
    }
    return { seed: plan.seed, journal: yield* plan.journal }
  })

  it.effect("gives the same journal again, and another one another", () =>
    Effect.gen(function*() {
      const first = yield* run("one")
      assert.isAbove(first.journal.length, 30)
      assert.isBelow(first.journal.length, 130)
      assert.deepStrictEqual(yield* run("one"), first)
      assert.notDeepEqual((yield* run("two")).journal, first.journal)
    }))

  it.effect("is drawn from Random when none is given, and repeats the run", () =>
    Effect.gen(function*() {
      const first = yield* run(undefined)
      assert.deepStrictEqual(yield* run(first.seed), first)
      const seeded = Random.withSeed(run(undefined), "a test's seed")
      assert.deepStrictEqual(yield* seeded, yield* seeded)
    }))
})

describe("a decorated store", () => {
  it.effect("forwards the options of listContainers", () =>
    Effect.gen(function*() {
      const memory = yield* Memory.make({ containers: ["one", "two"] })
      const store = faults(memory, yield* makeFaultPlan({ rules: [] }))
      const names = yield* Stream.runCollect(store.listContainers({ prefix: "t" }))
      assert.deepStrictEqual(names.map(({ name }) => name), ["two"])
    }))
})

describe("a scope", () => {
  it.effect("of the store is the scope of the decorated one: an unfinished writer leaves no upload", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ operation: "writer", hits: 2, fault: Fault.failAfter("Unavailable") })
      const store = faults(yield* Memory.make(), plan)
      const scope = yield* Scope.make()
      const writer = yield* Scope.provide(store.writer("a", { partSize: 4 }), scope)
      yield* writer.write(text("0123456789"))
      assert.strictEqual((yield* Stream.runCollect(store.listUploads())).length, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* reasonOf(Effect.scoped(store.writer("a"))), "Unavailable")
      assert.strictEqual((yield* Stream.runCollect(store.listUploads())).length, 0)
    }))

  it.effect("of a body that is interrupted in a delay is closed", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ operation: "readInto", fault: Fault.delay("1 hour") })
      const memory = yield* Memory.makeBackend()
      let open = 0
      const counted: Backend = {
        ...memory,
        read: (place, request) =>
          Effect.tap(memory.read(place, request), () => {
            open++
            return Effect.addFinalizer(() => Effect.sync(() => open--))
          })
      }
      const store = yield* fromBackend(faultyBackend(counted, plan), { base })
      yield* store.put("a", "0123456789")
      const fiber = yield* Effect.forkChild(store.get("a"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(open, 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(open, 0)
    }))
})

describe("layerFaults", () => {
  it.effect("wraps the store of a layer", () =>
    Effect.gen(function*() {
      const plan = yield* planOf({ operation: "put", hits: 1, fault: Fault.fail("Unavailable") })
      const program = Effect.gen(function*() {
        const store = yield* ObjectStore
        const first = yield* reasonOf(store.put("a", "hello"))
        yield* store.put("a", "hello")
        return [first, utf8(yield* store.get("a"))]
      })
      const result = yield* Effect.provide(program, Layer.provide(layerFaults(plan), Memory.layer()))
      assert.deepStrictEqual(result, ["Unavailable", "hello"])
    }))
})

const unharmed = Layer.unwrap(Effect.gen(function*() {
  const plan = yield* makeFaultPlan({ rules: [] })
  const store = yield* fromBackend(faultyBackend(yield* Memory.makeBackend(), plan), { base })
  return Layer.provide(layerFaults(plan), Layer.succeed(ObjectStore, store))
}))

describeObjectStore("a store and a backend under a plan without rules", unharmed, {
  backend: Effect.flatMap(
    Memory.makeBackend(),
    (backend) => Effect.map(makeFaultPlan({ rules: [] }), (plan) => faultyBackend(backend, plan))
  )
})
