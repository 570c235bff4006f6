/**
 * What a file's inode says of an object: size, etag, time; and the conditions that are put on them.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import type * as NodeFs from "node:fs"
import type { ObjectStat } from "../Backend.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { ReadConditions } from "../ObjectStoreOptions.ts"
import * as Calls from "./calls.ts"
import { refuse } from "./errors.ts"

/** The etag of a file: another inode, size or time of change of the bytes is another etag. */
export const etagOf = (stats: NodeFs.BigIntStats): string =>
  `${stats.ino.toString(16)}-${stats.size.toString(16)}-${stats.mtimeNs.toString(16)}`

/** What a file says of the object it is, but for attributes and metadata. */
export const statOf = (stats: NodeFs.BigIntStats): ObjectStat & { readonly etag: string } => ({
  size: Number(stats.size),
  etag: etagOf(stats),
  lastModified: timeOf(stats.mtimeNs)
})

/** A file's time; the nanoseconds are cut. */
export const timeOf = (nanoseconds: bigint): DateTime.Utc => DateTime.makeUnsafe(Number(nanoseconds / 1_000_000n))

/** HTTP dates have no fractions of a second, so conditions compare whole seconds here as on services that speak HTTP. */
const seconds = (time: DateTime.DateTime): number => Math.floor(DateTime.toEpochMillis(time) / 1000)

/** Fails unless the conditions hold (RFC 9110 section 13.2.2). */
export const checkConditions = (
  stat: ObjectStat,
  conditions: ReadConditions
): Effect.Effect<void, ObjectStoreError> => {
  const { ifMatch, ifModifiedSince, ifNoneMatch, ifUnmodifiedSince } = conditions
  if (ifMatch !== undefined && ifMatch !== stat.etag) {
    return Effect.fail(refuse("PreconditionFailed", `the etag is ${stat.etag}`))
  }
  const modified = stat.lastModified!
  if (ifMatch === undefined && ifUnmodifiedSince !== undefined && seconds(modified) > seconds(ifUnmodifiedSince)) {
    return Effect.fail(refuse("PreconditionFailed", `it was modified ${DateTime.formatIso(modified)}`))
  }
  if (ifNoneMatch !== undefined) {
    return ifNoneMatch === stat.etag ? Effect.fail(refuse("NotModified", "the etag is the same")) : Effect.void
  }
  return ifModifiedSince !== undefined && seconds(modified) <= seconds(ifModifiedSince)
    ? Effect.fail(refuse("NotModified", `it was modified ${DateTime.formatIso(modified)}`))
    : Effect.void
}

// Each process begins its times at another place between two ticks of the file system's clock, so that two processes
// which reuse an inode within one tick still make different etags.
const salt = BigInt(NodeCrypto.randomInt(4096))

let last = 0n

/**
 * Gives an open file a time of change that no other file of this process has: its own one, moved on by microseconds. So
 * etags do not repeat, though the file system reuses inodes and its clock ticks slowly.
 */
export const stamp = (fd: number, stats: NodeFs.BigIntStats): Effect.Effect<void, Calls.Errno> =>
  Effect.suspend(() => {
    const own = stats.mtimeNs / 1000n + salt
    last = own > last ? own : last + 1n
    // Half a microsecond more, for a double of seconds cannot hold whole ones exactly and the call may cut.
    const seconds = (Number(last) + 0.5) / 1_000_000
    return Calls.futimes(fd, seconds, seconds)
  })
