/**
 * Whether a file system takes O_DIRECT from this process, found out by doing it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as NodeCrypto from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import { allocate, maxAlignment, minAlignment } from "../../src/filesystem/AlignedMemory.ts"
import * as Calls from "../../src/filesystem/calls.ts"
import { randomId, temporaryName } from "../../src/filesystem/names.ts"

const { O_CREAT, O_DIRECT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR } = NodeFs.constants

/** What the probe found: the alignment at which O_DIRECT works, or why it does not. */
export type Probe =
  | { readonly _tag: "Accepted"; readonly alignment: number }
  | { readonly _tag: "Refused"; readonly description: string }

/** The flag of O_DIRECT, 0 where `node:fs` does not know it. */
export const directFlag: number = O_DIRECT ?? 0

/** What a file system answers that cannot do what a flag asks. */
const refusals = ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]

const isAmong = (...codes: ReadonlyArray<string>) => (error: Calls.Errno): boolean => codes.includes(error.code ?? "")

/** A file without a name (Linux); `node:fs` has no constant for it. */
const O_TMPFILE = 0o20000000 | O_DIRECTORY

/**
 * Writes two blocks by O_DIRECT to a new file in `directory`, reads them back both ways and compares. The file has no
 * name where the file system can do that, and is gone afterwards. Where nothing can be written, a file that is there is
 * read both ways instead. Failures that tell nothing of O_DIRECT (no permission and no file, no space) are failures.
 */
export const probe = Effect.fnUntraced(
  function*(directory: string, flag: number): Effect.fn.Return<Probe, Calls.Errno> {
    if (flag === 0) return refused("this operating system has no O_DIRECT")
    const alignment = Math.max(minAlignment, yield* pageSize)
    const path = `${directory}/${temporaryName(randomId())}`
    const unnamed = Calls.open(directory, O_TMPFILE | O_RDWR)
    const named = Effect.tap(Calls.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW), () => Calls.unlink(path))
    return yield* Effect.acquireUseRelease(
      Effect.catchIf(unnamed, isAmong("ENOENT", "EISDIR", ...refusals), () => named),
      (fd) => roundTrip(fd, flag, alignment),
      Calls.closeQuietly
    ).pipe(
      Effect.catchIf(
        isAmong("EROFS", "EACCES", "EPERM"),
        (error) =>
          Effect.flatMap(
            firstFile(directory),
            (file) => file === undefined ? Effect.fail(error) : readBothWays(file, flag, alignment)
          )
      )
    )
  },
  Effect.catchIf(
    isAmong(...refusals),
    (error) => Effect.succeed(refused(`${error.syscall ?? "open"} answers ${error.code}`))
  )
)

const roundTrip = Effect.fnUntraced(function*(buffered: number, flag: number, alignment: number) {
  const size = 2 * alignment
  const written = yield* allocate(size)
  const direct = yield* allocate(size)
  const cached = new Uint8Array(size)
  yield* Effect.sync(() => NodeCrypto.randomFillSync(written))
  const sent = yield* Effect.acquireUseRelease(
    Calls.open(`/proc/self/fd/${buffered}`, O_RDWR | flag),
    (fd) =>
      Effect.gen(function*() {
        // Two calls each way, so that an offset and an address beyond the first block are tried as well.
        const out = [
          yield* Calls.write(fd, written, 0, alignment, 0),
          yield* Calls.write(fd, written, alignment, alignment, alignment)
        ]
        const back = [
          yield* Calls.read(fd, direct, 0, alignment, 0),
          yield* Calls.read(fd, direct, alignment, alignment, alignment)
        ]
        return [...out, ...back].every((count) => count === alignment)
      }),
    Calls.closeQuietly
  )
  const count = yield* Calls.read(buffered, cached, 0, size, 0)
  const same = sent && count === size && Buffer.compare(written, direct) === 0 && Buffer.compare(written, cached) === 0
  return same ? { _tag: "Accepted" as const, alignment } : refused("what was written is not what was read")
})

/** Where nothing can be written: reads the beginning of a file both ways and compares. */
const readBothWays = (path: string, flag: number, alignment: number): Effect.Effect<Probe, Calls.Errno> =>
  Effect.scoped(Effect.gen(function*() {
    const opened = (flags: number) =>
      Effect.acquireRelease(Calls.open(path, O_RDONLY | O_NOFOLLOW | flags), Calls.closeQuietly)
    const direct = yield* allocate(alignment)
    const cached = new Uint8Array(alignment)
    const count = yield* Calls.read(yield* opened(flag), direct, 0, alignment, 0)
    const same = count === (yield* Calls.read(yield* opened(0), cached, 0, alignment, 0)) &&
      Buffer.compare(direct, cached) === 0
    return same ? { _tag: "Accepted", alignment } : refused("two ways of reading a file differ")
  }))

const most = 1000

/** A file with content at or below `directory`, among the first thousand entries. */
const firstFile = Effect.fnUntraced(function*(directory: string) {
  const found = [...(yield* firstEntries(directory, most))]
  for (let seen = 0; seen < found.length; seen++) {
    const path = found[seen]!
    const stats = yield* Calls.lstat(path)
    if (stats.isFile() && stats.size > 0n) return path
    if (stats.isDirectory() && found.length < most) {
      // One that cannot be read cannot be probed with, and others may do.
      found.push(...(yield* Effect.orElseSucceed(firstEntries(path, most - found.length), () => [])))
    }
  }
  return undefined
})

const firstEntries = (path: string, most: number): Effect.Effect<ReadonlyArray<string>, Calls.Errno> =>
  Effect.suspend(() => {
    const paths: Array<string> = []
    return Effect.as(Calls.scan(path, (entry) => paths.push(`${path}/${entry.name.toString()}`) >= most), paths)
  })

const refused = (description: string): Probe => ({ _tag: "Refused", description })

const AT_PAGESZ = 6n
const isLittleEndian = NodeOs.endianness() === "LE"

/**
 * The page size as the kernel tells it (AT_PAGESZ of the auxiliary vector); where it does not, the largest in use, which
 * is right as well.
 */
const pageSize: Effect.Effect<number> = Effect.scoped(Effect.gen(function*() {
  const fd = yield* Effect.acquireRelease(Calls.open("/proc/self/auxv", O_RDONLY), Calls.closeQuietly)
  const vector = new DataView(new ArrayBuffer(4096))
  const length = yield* Calls.read(fd, new Uint8Array(vector.buffer), 0, vector.byteLength, 0)
  for (let at = 0; at + 16 <= length; at += 16) {
    if (vector.getBigUint64(at, isLittleEndian) === AT_PAGESZ) {
      return Number(vector.getBigUint64(at + 8, isLittleEndian))
    }
  }
  return maxAlignment
})).pipe(Effect.orElseSucceed(() => maxAlignment))
