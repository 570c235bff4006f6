/**
 * Uploads in parts: a staged file beside the target, written at the parts' offsets, and a record of what it is for.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Location, ObjectOptions, Part, PartReceipt, Upload, UploadId, WriteReply } from "../Backend.ts"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import * as Calls from "./calls.ts"
import type { FileWriter } from "./DataPath.ts"
import { type Environment, inDirectory, inExistingDirectory, pathOfKey, prune } from "./environment.ts"
import { type Failure, isErrno, refuse } from "./errors.ts"
import { type HeldWriter, type HeldWriters, makeHeldWriters } from "./heldWriters.ts"
import { filesOfId, isSidecarId, orphanedSidecars, removeSidecarsOf } from "./leftovers.ts"
import { isLock, type KeyPath, randomId, uploadName, uploadRecordName } from "./names.ts"
import { removeAbandonedLock } from "./processLock.ts"
import { checkMode, lookAt, lookAtTarget, publish, seal } from "./publish.ts"
import type { Directory } from "./root.ts"
import { sidecarText } from "./sidecar.ts"
import { removeFile, writeSmallFile } from "./smallFile.ts"
import { etagOf } from "./stats.ts"
import { readContent } from "./tree.ts"

/** What this process knows of an upload it began. */
interface Staged {
  readonly path: KeyPath
  readonly options: ObjectOptions
  /** Where each part lies or is being written. */
  readonly places: Map<number, { readonly offset: number; readonly size: number }>
  /** Where the last of them ends. */
  end: number
  /** Whether bytes may be lost because the disk failed: it tells so only once. */
  failed: boolean
  /** The parts that are written. */
  readonly receipts: Map<number, PartReceipt>
  readonly held: HeldWriter
}

/** The uploads that this process began and has not ended. */
export interface StagedUploads {
  readonly open: Map<string, Staged>
  readonly writers: HeldWriters
}

/** Makes the uploads of a store: none. */
export const makeStagedUploads: Effect.Effect<StagedUploads, never, Scope.Scope> = Effect.map(
  makeHeldWriters,
  (writers) => ({ open: new Map(), writers })
)

/** Takes an upload out, if it is one of this process. */
const forget = ({ open }: StagedUploads, id: string): Effect.Effect<void> =>
  Effect.suspend(() => {
    const staged = open.get(id)
    open.delete(id)
    return staged === undefined ? Effect.void : staged.held.release
  })

const unknown = (): ObjectStoreError => refuse("UploadNotFound", "there is no such open upload in this process")

const find = ({ open }: StagedUploads, { id }: UploadId): Effect.Effect<Staged, Failure> =>
  Effect.suspend(() => {
    const staged = open.get(id)
    return staged === undefined ? Effect.fail(unknown()) : Effect.succeed(staged)
  })

const whereStaged = <A>(
  env: Environment,
  staged: Staged,
  use: Parameters<typeof inExistingDirectory<A>>[2]
): Effect.Effect<A, Failure> =>
  inExistingDirectory(env.root, staged.path.directory, use, () => Effect.fail(unknown())).pipe(
    // The staged file is gone: somebody aborted the upload.
    Effect.mapError((failure) => isErrno(failure, "ENOENT") ? unknown() : failure)
  )

/** Makes `openUpload`. */
export const makeOpenUpload = (env: Environment, uploads: StagedUploads) =>
  Effect.fnUntraced(function*(at: Location, options: ObjectOptions) {
    const path = yield* pathOfKey(at.key)
    yield* sidecarText(options)
    const id = randomId()
    const scope = yield* Scope.make()
    const writer = yield* inDirectory<FileWriter>(env, path.directory, (directory) =>
      Effect.gen(function*() {
        const found = yield* lookAtTarget(env, directory, path.name)
        if (options.mode === "create") yield* checkMode(options.mode, found)
        yield* writeSmallFile(directory.at(uploadRecordName(id)), JSON.stringify({ key: at.key }), "none")
        return yield* Scope.provide(env.data.openWriter(directory.at(uploadName(id)), { create: true }), scope)
      }).pipe(
        Effect.onError(() => Effect.ignore(removeStaged(directory, id), { log: "Warn" }))
      )).pipe(Effect.onError(() => Scope.close(scope, Exit.void)))
    const held = yield* uploads.writers.hold(writer, scope)
    uploads.open.set(id, { path, options, places: new Map(), end: 0, failed: false, receipts: new Map(), held })
    const upload: Upload = { ...at, id, options }
    return upload
  }, Effect.uninterruptible)

const removeStaged = (directory: Directory, id: string): Effect.Effect<void, Failure> =>
  Effect.andThen(removeFile(directory.at(uploadName(id))), removeFile(directory.at(uploadRecordName(id))))

/** Another part whose place this one would run into; its bytes could not be told from this one's. */
const overlap = ({ end: last, places }: Staged, { body, number, offset }: Part): number | undefined => {
  if (offset >= last) return undefined
  const end = offset + body.length
  for (const [other, place] of places) {
    if (other !== number && offset < place.offset + place.size && place.offset < end) return other
  }
  return undefined
}

/** A staged file that has no name any more is one that somebody aborted. */
const writeHeld = (writer: FileWriter, offset: number, body: Uint8Array): Effect.Effect<void, Failure> =>
  Effect.andThen(
    writer.write(offset, body),
    Effect.flatMap(Calls.fstat(writer.fd), ({ nlink }) => nlink === 0n ? Effect.fail<Failure>(unknown()) : Effect.void)
  )

/** Makes `uploadPart`. */
export const makeUploadPart = (env: Environment, uploads: StagedUploads) =>
  Effect.fnUntraced(function*(upload: Upload, part: Part) {
    const staged = yield* find(uploads, upload)
    const { body, number, offset } = part
    const other = overlap(staged, part)
    if (other !== undefined) return yield* refuse("InvalidRequest", `part ${number} lies over part ${other}`)
    staged.receipts.delete(number)
    staged.places.set(number, { offset, size: body.length })
    staged.end = Math.max(staged.end, offset + body.length)
    yield* staged.held.use<void, Failure, never>((held) =>
      held !== undefined ? writeHeld(held, offset, body) : whereStaged(env, staged, (directory) =>
        Effect.flatMap(
          env.data.openWriter(directory.at(uploadName(upload.id)), { create: false }),
          (writer) => writer.write(offset, body)
        ))
    )
    const receipt: PartReceipt = { number, offset, size: body.length, etag: randomId() }
    staged.receipts.set(number, receipt)
    return receipt
  })

const checkParts = (
  staged: Staged,
  parts: ReadonlyArray<PartReceipt>,
  size: number
): Effect.Effect<void, Failure> => {
  let end = 0
  for (const { etag, number, offset, size } of parts) {
    const receipt = staged.receipts.get(number)
    if (receipt === undefined) return Effect.fail(refuse("InvalidRequest", `part ${number} was not uploaded`))
    if (receipt.etag !== etag || receipt.offset !== offset || receipt.size !== size) {
      return Effect.fail(refuse("IntegrityFailed", `part ${number} was uploaded again after this receipt`))
    }
    if (offset !== end) return Effect.fail(refuse("InvalidRequest", `part ${number} begins at ${offset}, not ${end}`))
    end += size
  }
  return end === size
    ? Effect.void
    : Effect.fail(refuse("InvalidRequest", `the parts have ${end} bytes, the object ${size}`))
}

/** Makes `completeUpload`. */
export const makeCompleteUpload = (env: Environment, uploads: StagedUploads) =>
  Effect.fnUntraced(
    function*(upload: Upload, request: { readonly parts: ReadonlyArray<PartReceipt>; readonly size: number }) {
      const staged = yield* find(uploads, upload)
      if (staged.failed) return yield* refuse("IntegrityFailed", "the disk failed while the parts were written")
      yield* checkParts(staged, request.parts, request.size)
      const { name } = staged.path
      return yield* staged.held.use((held) =>
        whereStaged<WriteReply>(env, staged, (directory) =>
          Effect.gen(function*() {
            const path = directory.at(uploadName(upload.id))
            const writer = held ?? (yield* env.data.openWriter(path, { create: false }))
            const stats = yield* Effect.tapError(seal(env, writer, request.size), () => {
              staged.failed = true
              return Effect.void
            })
            const temporary = { path, taken: false }
            return yield* publish(env, { directory, name }, { temporary, stats }, staged.options).pipe(
              Effect.tap(() =>
                Effect.andThen(
                  forget(uploads, upload.id),
                  // The object is there. What cannot be removed is found again by `listUploads`.
                  Effect.ignore(removeStaged(directory, upload.id), { log: "Warn" })
                )
              ),
              Effect.uninterruptible
            )
          }))
      )
    }
  )

/** Makes `abortUpload`, which also removes what killed processes left. */
export const makeAbortUpload = (env: Environment, uploads: StagedUploads) => {
  const { root } = env
  const remove = (id: string, files: ReadonlyArray<string>) =>
    Effect.fnUntraced(function*(directory: Directory) {
      if (isSidecarId(id)) {
        const content = yield* readContent(root, directory.names)
        // Metadata that are in use are no leftovers.
        if (!(yield* orphanedSidecars(root, directory, content)).includes(files[0]!)) return false
      }
      // Nor are locks that are held.
      if (isLock(files[0]!)) return yield* removeAbandonedLock(directory, files[0]!)
      let found = false
      for (const file of files) {
        const stats = yield* lookAt(directory, file)
        if (stats === undefined) continue
        yield* removeFile(directory.at(file))
        // A process that was killed right before it published has written the version's metadata; one that was killed
        // right after a create-only write has published them with the file's other link.
        if (stats.nlink === 1n) yield* removeSidecarsOf(root, directory, etagOf(stats))
        found = true
      }
      return found
    })
  return Effect.fnUntraced(function*({ id, key }: UploadId) {
    const files = filesOfId(id)
    if (files.length === 0) return yield* unknown()
    const { directory: names } = yield* pathOfKey(key)
    const found = yield* Effect.ensuring(
      inExistingDirectory(root, names, remove(id, files), () => Effect.succeed(false)),
      // What stays is found by the next one; nobody writes to it any more.
      forget(uploads, id)
    )
    if (!found) return yield* refuse("UploadNotFound", "there is no such open upload")
    yield* prune(root, names)
  }, Effect.uninterruptible)
}
