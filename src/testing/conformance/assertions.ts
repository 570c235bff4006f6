/**
 * What the cases assert with. Nothing here needs a test runner.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { AssertionError, deepStrictEqual, strictEqual } from "node:assert"
import type { ErrorReasonTag, Outcome } from "../../ErrorReason.ts"
import { isObjectStoreError, type ObjectStoreError } from "../../ObjectStoreError.ts"
import type { CaseContext } from "./Case.ts"

/**
 * Dies of an `AssertionError`.
 *
 * @category testing
 * @since 0.1.0
 */
export const wrong = (message: string): never => {
  throw new AssertionError({ message })
}

/**
 * Asserts a condition.
 *
 * @category testing
 * @since 0.1.0
 */
export function holds(condition: boolean, message: string): asserts condition {
  if (!condition) wrong(message)
}

/**
 * Asserts that two values are equal: structure for structure.
 *
 * @category testing
 * @since 0.1.0
 */
export const same = (actual: unknown, expected: unknown, message?: string): void => {
  if (message === undefined || typeof expected === "object") deepStrictEqual(actual, expected, message)
  else strictEqual(actual, expected, `${message}: ${String(actual)} is not ${String(expected)}`)
}

/**
 * Asserts that bytes are equal, and names the first that is not.
 *
 * @category testing
 * @since 0.1.0
 */
export const sameBytes = (actual: Uint8Array, expected: Uint8Array, what: string): void => {
  if (Buffer.compare(actual, expected) === 0) return
  let at = 0
  while (at < actual.length && at < expected.length && actual[at] === expected[at]) at++
  wrong(`${what}: ${actual.length} bytes, expected ${expected.length}; the first difference is at ${at}`)
}

/**
 * Bytes in which no run looks like another: a part that is dropped, doubled or shifted shows.
 *
 * @category testing
 * @since 0.1.0
 */
export const bytes = (length: number, seed = 1): Uint8Array => {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = (seed * 2654435761 + 1013904223) >>> 0
  for (let i = 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    words[i] = state ^ (state >>> 15)
  }
  return new Uint8Array(words.buffer, 0, length)
}

/**
 * Text as UTF-8.
 *
 * @category testing
 * @since 0.1.0
 */
export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/**
 * Cuts bytes into a stream of chunks, each its own memory.
 *
 * @category testing
 * @since 0.1.0
 */
export const chunked = (body: Uint8Array, size: number): Stream.Stream<Uint8Array> => {
  const count = Math.ceil(body.length / size)
  return Stream.fromIterable(
    Array.from({ length: count }, (_, i) => body.slice(i * size, (i + 1) * size))
  ).pipe(Stream.rechunk(1))
}

/**
 * Runs an operation that must fail with one of `tags`, and checks what every failure promises: an `ObjectStoreError`
 * of one line that names operation and backend.
 *
 * @category testing
 * @since 0.1.0
 */
export const failsWith = Effect.fnUntraced(function*<A, R>(
  tags: ErrorReasonTag | ReadonlyArray<ErrorReasonTag>,
  effect: Effect.Effect<A, ObjectStoreError, R>,
  what = ""
) {
  const allowed: ReadonlyArray<string> = typeof tags === "string" ? [tags] : tags
  const result = yield* Effect.result(effect)
  const at = what === "" ? "" : ` (${what})`
  if (Result.isSuccess(result)) return wrong(`it succeeded instead of failing with ${allowed.join(" or ")}${at}`)
  const error: unknown = result.failure
  if (!isObjectStoreError(error)) return wrong(`the failure is no ObjectStoreError: ${String(error)}${at}`)
  if (!allowed.includes(error.reason._tag)) {
    return wrong(`it failed with "${error.message}" instead of ${allowed.join(" or ")}${at}`)
  }
  // oxlint-disable-next-line no-control-regex
  holds(!/[\u0000-\u001f]/.test(error.message), `the message is not one line: ${JSON.stringify(error.message)}`)
  holds(error.operation !== "" && error.backend !== "", `the failure does not say where: ${error.message}`)
  return error
})

/**
 * Runs a mutation that must fail with one of `tags` and say what became of it.
 *
 * @category testing
 * @since 0.1.0
 */
export const refuses = Effect.fnUntraced(function*<A, R>(
  tags: ErrorReasonTag | ReadonlyArray<ErrorReasonTag>,
  effect: Effect.Effect<A, ObjectStoreError, R>,
  what = "",
  outcome: Outcome = "not-applied"
) {
  const error = yield* failsWith(tags, effect, what)
  same(error.outcome, outcome, `outcome of "${error.message}"${what === "" ? "" : ` (${what})`}`)
  return error
})

/**
 * Collects the keys of a listing.
 *
 * @category testing
 * @since 0.1.0
 */
export const keysOf = <A extends { readonly key: string }, E, R>(
  stream: Stream.Stream<A, E, R>
): Effect.Effect<Array<string>, E, R> => Effect.map(Stream.runCollect(stream), (all) => all.map((one) => one.key))

/**
 * Sorts by UTF-8 bytes.
 *
 * @category testing
 * @since 0.1.0
 */
export const byUtf8 = (keys: Iterable<string>): Array<string> =>
  [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

/**
 * Asserts what a listing gives: in order where the store lists in order, as a set elsewhere.
 *
 * @category testing
 * @since 0.1.0
 */
export const lists = (t: CaseContext, actual: ReadonlyArray<string>, expected: Iterable<string>, what?: string): void =>
  same(t.capabilities.sortedList ? actual : byUtf8(actual), byUtf8(expected), what)

/**
 * Asserts that nothing is under a key and that no upload of the case is open.
 *
 * @category testing
 * @since 0.1.0
 */
export const leavesNothing = Effect.fnUntraced(function*(t: CaseContext, key?: string) {
  if (key !== undefined) {
    same(yield* t.store.exists(key), false, "the object exists")
    same((yield* keysOf(t.store.list(t.prefix))).includes(key), false, "the object is listed")
  }
  yield* noUploads(t)
})

/**
 * Asserts that no upload of the case is open, where the store can tell.
 *
 * @category testing
 * @since 0.1.0
 */
export const noUploads = Effect.fnUntraced(function*(t: CaseContext) {
  const { abort, listed } = t.capabilities.multipart
  if (!listed || abort !== "removes") return
  same(yield* keysOf(t.store.listUploads(t.prefix)), [], "uploads are left open")
})

/**
 * Reads an object and asserts its bytes.
 *
 * @category testing
 * @since 0.1.0
 */
export const reads = Effect.fnUntraced(function*(t: CaseContext, key: string, expected: Uint8Array, what = "object") {
  sameBytes(yield* t.store.get(key), expected, what)
})

/**
 * Interrupts a fiber, waits for its end, and asserts that it did not succeed.
 *
 * @category testing
 * @since 0.1.0
 */
export const interrupted = Effect.fnUntraced(function*<A, E>(fiber: Fiber.Fiber<A, E>) {
  yield* Fiber.interrupt(fiber)
  const exit = yield* Fiber.await(fiber)
  holds(Exit.isFailure(exit), "the interrupted operation succeeded")
})

/**
 * Runs `look` again and again until `work` has ended.
 *
 * @category testing
 * @since 0.1.0
 */
export const beside = Effect.fnUntraced(function*<R, R2>(
  work: Effect.Effect<unknown, ObjectStoreError, R>,
  look: Effect.Effect<unknown, ObjectStoreError, R2>
) {
  const fiber = yield* Effect.forkChild(work)
  do {
    yield* look
    yield* Effect.yieldNow
  } while (fiber.pollUnsafe() === undefined)
  yield* Fiber.join(fiber)
})
