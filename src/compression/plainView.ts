/**
 * How what a store keeps compressed is shown as if it was not: keys without `.zst`, and what is known of the original.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { markOf, suffix, withoutMark } from "../codec/compressionMark.ts"
import { maxHeaderLength, parseFrameHeader } from "../codec/FrameHeader.ts"
import * as SeekTable from "../codec/SeekTable.ts"
import { decompressStream } from "../codec/Zstd.ts"
import type { DeleteResult, ObjectInfo } from "../ObjectInfo.ts"
import type { ObjectStoreOperations } from "../ObjectStore.ts"
import { type ObjectStoreError, withContext } from "../ObjectStoreError.ts"
import type { At } from "../ObjectStoreOptions.ts"
import * as ObjectUri from "../ObjectUri.ts"

type Store = ObjectStoreOperations

/** Where the object of a program's place is stored. A place that has no key stays one. */
export const storedAt = (at: At): At => {
  if (typeof at !== "string") {
    return at instanceof ObjectUri.ObjectUri && at.key !== ""
      ? new ObjectUri.ObjectUri({ ...at, key: at.key + suffix })
      : at
  }
  if (!ObjectUri.isAbsolute(at)) return at === "" ? at : at + suffix
  const parsed = ObjectUri.parseResult(at)
  return Result.isFailure(parsed) || parsed.success.key === "" ? at : at + suffix
}

/** A key or location without what was added to it. */
const plainName = (name: string): string => name.endsWith(suffix) ? name.slice(0, -suffix.length) : name

/** Something named, as the program named it. */
export const plainNames = <A extends { readonly uri: string; readonly key: string }>(named: A): A => ({
  ...named,
  uri: plainName(named.uri),
  key: plainName(named.key)
})

/** An error of the object that the program named. */
export const plainError = (error: ObjectStoreError): ObjectStoreError =>
  error.uri === undefined ? error : withContext(error, { uri: plainName(error.uri) })

/** What became of one key, as the program named it. */
export const plainRemoval = (result: DeleteResult): DeleteResult => ({
  ...plainNames(result),
  ...(result.error !== undefined && { error: plainError(result.error) })
})

/** What tells the stored version again. */
export const pin = (store: Store, { etag, version }: ObjectInfo) => ({
  ...(store.capabilities.conditionalRead && etag !== undefined && { ifMatch: etag }),
  ...(store.capabilities.versions && version !== undefined && { version })
})

/** The original's size: by the mark, by the table of frames, by the one frame, or else by decompressing all of it. */
export const originalSize = (store: Store, info: ObjectInfo): Effect.Effect<number, ObjectStoreError> => {
  const mark = markOf(info.metadata)
  if (mark?.size !== undefined) return Effect.succeed(mark.size)
  return Effect.scoped(Effect.gen(function*() {
    const reader = yield* store.open(info.uri, pin(store, info))
    const table = yield* SeekTable.read(reader.info.size, (length) => reader.read({ suffix: length }))
    if (table !== undefined) return table.size
    // What this library wrote without a table is one frame, which tells its size.
    if (markOf(reader.info.metadata) !== undefined) {
      const header = parseFrameHeader(yield* reader.read({ offset: 0, length: maxHeaderLength }))
      if (typeof header === "object" && header.contentSize !== undefined) return header.contentSize
    }
    return yield* reader.stream().pipe(
      decompressStream(),
      Stream.runFold(() => 0, (sum, chunk) => sum + chunk.length)
    )
  }))
}

/** The info of an original of `size` bytes. Checksums of what is stored are not its own. */
export const plainInfo = (info: ObjectInfo, size: number): ObjectInfo => {
  const crc32c = markOf(info.metadata)?.crc32c
  return {
    ...plainNames(info),
    size,
    metadata: withoutMark(info.metadata),
    checksums: crc32c === undefined ? {} : { crc32c }
  }
}

/** Which of what is stored below a prefix belongs to what a program sees: the rest of it is no object of this library's. */
export const seenBelow = (prefix: At): (stored: { readonly uri: string; readonly key: string }) => boolean => {
  const absolute = typeof prefix !== "string" || ObjectUri.isAbsolute(prefix)
  const keyOf = (uri: At): string => {
    const parsed = typeof uri === "string" ? ObjectUri.parseResult(uri) : Result.succeed(uri)
    return Result.isFailure(parsed) ? "" : parsed.success.key
  }
  // A prefix can end within what was added to a key.
  const least = Math.max(1, (absolute ? keyOf(prefix) : prefix).length)
  return ({ key, uri }) => key.endsWith(suffix) && (absolute ? keyOf(uri) : key).length - suffix.length >= least
}
