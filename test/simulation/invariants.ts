/**
 * What must hold after every schedule: what each operation said of itself is compared with what the store really did.
 */
import { Cause, Effect, Exit, Stream } from "effect"
import { type Backend, fromBackend, type ObjectStoreError, type ObjectStoreOperations } from "effect-objectstore"
import { checkBudgets } from "./budgets.ts"
import type { Applied, Journal } from "./SimulatedBackend.ts"
import type { Rules, Watch } from "./Watch.ts"
import { bodyOf, type Delivered, type Done, keys, moded, type Operation } from "./workload.ts"

export interface Ended {
  readonly operation: Operation
  readonly exit: Exit.Exit<Done, ObjectStoreError>
}

/** Reasons that a correct engine may end with in this weather. */
const explained: ReadonlySet<string> = new Set([
  "ConnectionFailed",
  "Timeout",
  "Unavailable",
  "Throttled",
  "BodyInterrupted",
  "OutcomeUnknown",
  "AlreadyExists",
  "PreconditionFailed",
  "NotFound",
  "UploadNotFound",
  "ObjectChanged",
  "RangeNotSatisfiable",
  "SourceFailed"
])

const writes: ReadonlySet<string> = new Set(["put", "putMultipart", "putStream", "writer"])
const mayNotPublish: ReadonlySet<string> = new Set(["failedStream", "abandonedWriter"])
const changes: ReadonlySet<string> = new Set([
  ...writes,
  ...mayNotPublish,
  "copy",
  "copyStream",
  "delete",
  "deleteIfMatch"
])

/** Primitives that are asked for more than once in one operation. */
const reads: ReadonlySet<string> = new Set(["head", "read", "listPage"])

const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const fits = ({ bytes, offset, suffix, whole }: Delivered, body: Uint8Array): boolean =>
  whole
    ? equal(bytes, body)
    : equal(bytes, suffix === undefined ? body.subarray(offset, offset + bytes.length) : body.subarray(-suffix))

/** Compares what one operation said with what it did. */
export const checkOperation = ({ exit, operation }: Ended, journal: Journal): void => {
  const { id, key, op, to } = operation
  const name = `operation ${id} (${op} ${key})`
  const wrong = (what: string) => void journal.violations.push(`${name} ${what}`)
  const own = journal.applied.filter((one) => one.operation === id)
  const target = op === "copy" || op === "copyStream" ? to : key
  const published = own.filter(({ body }) => body !== undefined)
  const ofKey = (one: string) => journal.applied.filter((applied) => applied.key === one)

  if (published.some((one) => one.key !== target)) wrong("published under another key")
  if (writes.has(op) && published.some(({ body }) => !equal(body!, bodyOf(operation)))) {
    wrong("published other bytes than it was given")
  }
  if (mayNotPublish.has(op) && published.length > 0) wrong("published although its source failed")
  if (
    (op === "copyStream" || op === "copy") &&
    published.some(({ body }) => !isVersion(ofKey(key), { offset: 0, bytes: body!, whole: true }))
  ) {
    wrong("published what no version of its source was")
  }
  const held = op === "deleteIfMatch"
    ? "update"
    : op === "copy"
    ? operation.mode === "create" ? "create" : "overwrite"
    : moded.has(op)
    ? operation.mode
    : undefined
  if (held !== undefined && own.some((one) => one.held !== held)) wrong(`was not held to its mode, ${held}`)
  const unique = published[0]?.primitive === "completeUpload" || (writes.has(op) && operation.mode !== "overwrite")
  if (op !== "copy" && unique && published.length > 1) wrong(`published ${published.length} times`)

  if (Exit.isSuccess(exit)) {
    const { delivered, etag, removed } = exit.value
    if (writes.has(op) || op === "copyStream") {
      if (!published.some((one) => one.etag === etag)) wrong("succeeded with an etag that it did not publish")
    }
    if (op === "copy" && etag !== undefined && !ofKey(to).some((one) => one.etag === etag)) {
      wrong("succeeded with an etag that nobody published")
    }
    // Gone is gone, whoever removed it.
    if (removed !== undefined && ofKey(key).at(-1)?.etag === removed) {
      wrong("succeeded, but that version is still there")
    }
    for (const one of delivered ?? []) {
      if (!isVersion(ofKey(key), one)) wrong(`delivered ${one.bytes.length} bytes that no version has`)
    }
    if (
      delivered !== undefined && delivered.length > 1 &&
      !ofKey(key).some(({ body }) => body !== undefined && delivered.every((one) => fits(one, body)))
    ) wrong("delivered ranges of two versions")
    return
  }
  if (Cause.hasDies(exit.cause)) {
    if (!journal.died.has(id)) wrong(`died: ${Cause.pretty(exit.cause)}`)
    return
  }
  const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
  if (error === undefined) {
    if (!Cause.hasInterrupts(exit.cause)) wrong("ended without a reason")
    else if (operation.interrupt === undefined) wrong("was interrupted by nobody")
    return
  }
  // Such an answer comes only to what changes something.
  const violated = error.reason._tag === "ProtocolViolation" && changes.has(op)
  if (!explained.has(error.reason._tag) && !violated) wrong(`failed with ${error.message}`)
  if (error.reason._tag === "SourceFailed" && op !== "failedStream" && op !== "copyStream") {
    wrong("failed with SourceFailed")
  }
  if (!changes.has(op)) return
  // The reads before it have no outcome of their own.
  if (error.operation === "stat") return
  if (error.outcome === undefined) wrong("failed without an outcome")
  if (error.outcome === "not-applied" && own.length > 0) wrong(`said that it was not applied: ${error.message}`)
  if (error.outcome === "applied" && own.length === 0) wrong(`said that it was applied: ${error.message}`)
}

const isVersion = (applied: ReadonlyArray<Applied>, one: Delivered): boolean =>
  applied.some(({ body }) => body !== undefined && fits(one, body))

/** What must hold of the store and the engine when everything is over. */
export const checkEnd = Effect.fnUntraced(function*(
  store: ObjectStoreOperations,
  memory: Backend,
  rules: Rules,
  journal: Journal,
  watch: Watch
) {
  const wrong = (what: string) => void journal.violations.push(what)
  const plain = yield* fromBackend(memory, { base: "mem://memory/" })
  for (const key of keys) {
    const last = journal.applied.findLast((one) => one.key === key)
    const now = yield* Effect.option(plain.get(key))
    const expected = last?.body
    const same = now._tag === "None" ? expected === undefined : expected !== undefined && equal(now.value, expected)
    if (!same) wrong(`${key} is not what was published last`)
  }
  const open = yield* Stream.runCollect(plain.listUploads())
  const told = journal.trace.filter((line) => /stays? open$/.test(line)).length
  if (open.length > Math.max(told, journal.orphans)) wrong(`${open.length} uploads are open, ${told} were told of`)
  if (journal.orphans > told) wrong(`${journal.orphans} uploads may be open without an id, ${told} were told of`)
  for (const [name, count] of journal.requests) {
    const [, primitive] = name.split(" ")
    if (!reads.has(primitive!) && count > rules.attempts) wrong(`${count} requests: ${name}`)
  }
  watch.end()
  yield* checkBudgets(store, plain, rules, journal)
})
