/**
 * What has to be so after an operation, whatever it met: the store holds what was there before or what should be, answers and
 * outcomes agree with what the server did, and nothing is left.
 */
import { Effect, Exit } from "effect"
import type { ObjectStoreError } from "effect-objectstore"
import type { Done, Operation } from "./operations.ts"
import type { Server } from "./services.ts"

/** What really happened. */
export type Ground = Pick<Server, "stored" | "changes" | "openUploads" | "connections">

/** How it failed, in a word or two. */
export const reasonOf = (exit: Exit.Failure<unknown, ObjectStoreError>): string => {
  const error = errorOf(exit)
  return error === undefined ? "interrupted" : `${error.reason._tag} ${error.outcome ?? ""}`
}

/** The error that it failed with, if it was not interrupted. */
export const errorOf = (exit: Exit.Failure<unknown, ObjectStoreError>): ObjectStoreError | undefined =>
  exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error

/** Whether the same is there. */
export const equal = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0

/** What was delivered is what was stored; what is stored is as before, or as it should be; outcomes are true. */
export const checkStore = Effect.fnUntraced(function*(
  { after, objects, writes }: Operation,
  exit: Exit.Exit<Done, ObjectStoreError>,
  server: Ground,
  wrong: (what: string) => void
) {
  for (const key of new Set([...Object.keys(objects), ...Object.keys(after)])) {
    const now = yield* server.stored(key)
    const wanted = key in after ? after[key] : objects[key]
    const isDone = equal(now, wanted)
    if (!isDone && !equal(now, objects[key])) wrong(`${key} is neither what it was nor what it should be`)
    if (Exit.isSuccess(exit) && !isDone) wrong(`it succeeded, and ${key} is not what it should be`)
  }
  const changes = yield* server.changes
  if (Exit.isFailure(exit)) {
    const error = errorOf(exit)
    const own = changes.filter(({ key }) => key in after)
    if (error?.outcome === "not-applied" && own.length > 0) wrong("it said that it was not applied, and it was")
    if (error?.outcome === "applied" && own.length === 0) wrong("it said that it was applied, and it was not")
    return
  }
  const { etag, listed, stat } = exit.value
  if (writes !== undefined && !changes.some((change) => change.key === writes && change.etag === etag)) {
    wrong(`it answered the etag ${etag}, which nothing has that it wrote`)
  }
  if (listed !== undefined && listed.join() !== Object.keys(objects).sort().join()) wrong(`it listed ${listed.join()}`)
  if (stat !== undefined && stat.size !== objects[stat.key]!.length) wrong(`it said a size of ${stat.size}`)
})

/** What was delivered is what is stored. */
export const isExact = ({ objects }: Operation, { delivered = [] }: Done): boolean =>
  delivered.every(({ bytes, key, offset, whole }) => {
    const stored = objects[key]!
    return equal(bytes, whole ? stored : stored.subarray(offset, offset + bytes.length))
  })

/** Uploads are gone, or it was told that one may be open. */
export const checkUploads = Effect.fnUntraced(function*(
  server: Ground,
  told: ReadonlyArray<string>,
  wrong: (what: string) => void
) {
  const open = yield* server.openUploads
  const known = told.filter((line) => /stays? open$/.test(line)).length
  if (open > known) wrong(`${open} uploads are open, ${known} were told of: ${told.join(" / ")}`)
})

/** The store is closed, so nobody is connected any more, within a second. */
export const checkConnections = Effect.fnUntraced(function*(server: Ground, wrong: (what: string) => void) {
  for (let millis = 0; millis < 1000; millis += 10) {
    if ((yield* server.connections) === 0) return
    yield* Effect.sleep(10)
  }
  wrong(`${yield* server.connections} connections are left`)
})
