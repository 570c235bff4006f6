/**
 * Every system call of every operation fails once, in each of the ways that it can: what the operation says of itself is
 * compared with what the directory holds.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Scope, Stream } from "effect"
import { defaultRetryPolicy, ObjectStore, type ObjectStoreError, RetryPolicy } from "effect-objectstore"
import * as Direct from "effect-objectstore/layers/Direct"
import * as File from "effect-objectstore/layers/File"
import { type CallName, errno, watchSystemCalls } from "../support/SystemCalls.ts"
import { after, before, descriptors, isSame, leftovers, operations, reset, type Store } from "./operations.ts"
import { memoryDirectory } from "./TempDirectory.ts"

/** A removal of many tells the failures of its keys, and those have tests of their own. */
const { deletePrefix: _, ...tried } = operations

const opening = new Set(["open", "opendir", "readdir", "copyFile", "readFile"])
/** Calls of which nobody knows whether they have done it when the device fails. */
const naming = new Set(["rename", "link", "unlink"])
const forcing = new Set(["fsync", "fdatasync"])
const taking = new Set(["open", "mkdir", "link", "rename", "write", "ftruncate", "copyFile", ...forcing])
/** What is lost if one of these fails, and is told. */
const essential = ["write", "ftruncate", "copyFile", ...forcing]

/** What a call can answer: before it does anything, or after it has. */
const faultsOf = ({ name }: CallName): ReadonlyArray<readonly [code: string, late: boolean]> => [
  ...name === "close" ? [] : [["EIO", false]] as const,
  ...["close", "rename", "link", "unlink", "mkdir", ...forcing].includes(name) ? [["EIO", true]] as const : [],
  ...taking.has(name) ? [["ENOSPC", false], ["EDQUOT", false]] as const : [],
  ...opening.has(name) ? [["EMFILE", false]] as const : []
]

const reasons: Record<string, ReadonlyArray<string>> = {
  EIO: ["Unavailable"],
  ENOSPC: ["StorageFull"],
  EDQUOT: ["StorageFull"],
  EMFILE: ["LimitExceeded"]
}

/** What a program can see: every object with its bytes, metadata and etag. */
const visible = (store: Store) =>
  Effect.gen(function*() {
    const all: Record<string, string> = {}
    for (const { key } of yield* Stream.runCollect(store.list())) {
      const { etag, metadata } = yield* store.stat(key)
      const body = yield* store.get(key)
      const what = isSame(body, before) ? "before" : isSame(body, after) ? "after" : "torn"
      all[key] = `${what} ${JSON.stringify(metadata)} ${etag}`
    }
    return all
  })

const contents = (seen: Record<string, string>) =>
  Object.fromEntries(Object.entries(seen).map(([key, text]) => [key, text.replace(/ [^ ]*$/, "")]))

const failureOf = (exit: Exit.Exit<unknown, ObjectStoreError>, where: string): ObjectStoreError | undefined => {
  if (Exit.isSuccess(exit)) return undefined
  const [reason, ...more] = exit.cause.reasons
  assert(reason?._tag === "Fail" && more.length === 0, `${where}: ${Cause.pretty(exit.cause)}`)
  return reason.error
}

const stores: Record<string, (root: string) => Layer.Layer<ObjectStore, unknown>> = {
  file: (root) => File.layer({ root, durability: "full" }),
  direct: (root) => Direct.layer({ root, durability: "full", fallback: "buffered" })
}

let points = 0

for (const [name, layer] of Object.entries(stores)) {
  describe(`a system call that fails (${name})`, () => {
    for (const [what, run] of Object.entries(tried)) {
      it.live(
        `in ${what}: one version or the other, a true outcome, nothing left`,
        () =>
          Effect.gen(function*() {
            const root = yield* memoryDirectory
            const scope = yield* Scope.make()
            const context = yield* Scope.provide(Layer.build(layer(root)), scope)
            const store = yield* Effect.provideContext(ObjectStore, context)
            const calls = yield* watchSystemCalls
            yield* reset(store)
            const untouched = contents(yield* visible(store))
            const made: Array<CallName> = []
            calls.count = 0
            calls.onCall = (call, made_) => {
              if (Number.isInteger(call)) made.push(made_)
            }
            yield* run(store)
            calls.onCall = () => {}
            const done = contents(yield* visible(store))
            const baseline = descriptors()
            for (const [index, planned] of made.entries()) {
              for (const [code, late] of faultsOf(planned)) {
                yield* reset(store)
                const start = yield* visible(store)
                const at = index + (late ? 1.5 : 1)
                let hit: CallName | undefined
                let failedFd: unknown
                const again: Array<string> = []
                calls.count = 0
                calls.onCall = (call, one) => {
                  if (one.name === "close" && one.args[0] === failedFd) failedFd = undefined
                  if (Number.isInteger(call) && forcing.has(one.name) && one.args[0] === failedFd) {
                    again.push(one.name)
                  }
                  // Side by side, calls may come in another order: the fault is one that this call can have.
                  if (call !== at || !faultsOf(one).some(([c, l]) => c === code && l === late)) return
                  hit = one
                  if (forcing.has(one.name)) failedFd = one.args[0]
                  return errno(code, one.name)
                }
                const exit = yield* Effect.exit(
                  Effect.provideService(run(store), RetryPolicy, { ...defaultRetryPolicy, baseDelay: 1 })
                )
                calls.onCall = () => {}
                if (hit === undefined) continue
                points++
                const where = `${code} ${late ? "after" : "at"} call ${index + 1} of ${made.length}, ${hit.name} ${
                  hit.args.filter((arg) => typeof arg === "string").join(" ")
                }`
                const error = failureOf(exit, where)
                const end = yield* visible(store)
                const told = `${where}: ${error?.message ?? "succeeded"} (${error?.outcome})`
                if (error === undefined) {
                  assert.notInclude(essential, hit.name, `${told}, although something was lost`)
                  assert.deepStrictEqual(contents(end), done, told)
                } else {
                  assert.include(reasons[code] ?? [], error.reason._tag, told)
                  assert.strictEqual(error.reason.code, code, told)
                  if (error.outcome === "not-applied") assert.deepStrictEqual(end, start, told)
                  else if (error.outcome === "applied") assert.deepStrictEqual(contents(end), done, told)
                  else {
                    const open = code === "EIO" && naming.has(hit.name)
                    assert.isTrue(open || error.outcome === undefined, `${told}: it can be known`)
                    assert.include(
                      [JSON.stringify(untouched), JSON.stringify(done)],
                      JSON.stringify(contents(end)),
                      told
                    )
                  }
                  if (code === "EMFILE") assert.strictEqual(error.outcome, "applied", `${told}: it was not tried again`)
                }
                assert.deepStrictEqual(again, [], `${told}: forced to the disk again after it had failed`)
                assert.isAtMost(descriptors(), baseline, told)
                // A file that could not be removed is found by the sweep; no other one is left.
                if (hit.name !== "unlink") assert.deepStrictEqual(leftovers(root), [], told)
                for (const upload of yield* Stream.runCollect(store.listUploads())) yield* store.abortUpload(upload)
                assert.deepStrictEqual(leftovers(root), [], `${told}: the sweep`)
              }
            }
            yield* Scope.close(scope, Exit.void)
          }),
        { timeout: 120_000 }
      )
    }
  })
}

it("covers every call", () => {
  console.log(`faults of system calls: ${points} points`)
  assert.isAbove(points, 500)
})
