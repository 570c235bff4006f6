/**
 * Keys that the service refuses (cloud.google.com/storage/docs/objects#naming): they are refused before a request is made.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { fail } from "./errors.ts"

/** What is wrong with a key, if anything is. */
export const checkKey = (key: string): string | undefined => {
  if (key === "." || key === "..") return `a key is not "${key}"`
  if (/[\r\n]/.test(key)) return "a key holds no carriage return and no line feed"
  return key.startsWith(".well-known/acme-challenge/")
    ? "a key does not begin with .well-known/acme-challenge/"
    : undefined
}

/** Runs a request on keys that can be; any other is `InvalidKey`. */
export const onKeys = <A, R>(
  operation: string,
  mutation: boolean,
  keys: ReadonlyArray<string>,
  effect: Effect.Effect<A, ObjectStoreError, R>
): Effect.Effect<A, ObjectStoreError, R> => {
  for (const key of keys) {
    const wrong = checkKey(key)
    if (wrong !== undefined) {
      return Effect.fail(fail(operation, "InvalidKey", wrong, mutation ? "not-applied" : undefined))
    }
  }
  return effect
}
