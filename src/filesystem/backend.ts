/**
 * The backend of directories: everything `file://` and `direct://` share, which is all but the way bytes travel.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as NodePath from "node:path"
import type { Backend } from "../Backend.ts"
import type { Capabilities, Tuning } from "../Capabilities.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import * as Calls from "./calls.ts"
import { makeCreateContainer, makeDeleteContainer, makeListContainers } from "./containers.ts"
import { makeCopy } from "./copy.ts"
import type { DataPath, Durability } from "./DataPath.ts"
import type { Environment } from "./environment.ts"
import { explain, type Failure, refuse } from "./errors.ts"
import { makeListPage } from "./list.ts"
import { makeListUploads } from "./listUploads.ts"
import { maxNameBytes } from "./names.ts"
import { makeHead, makeRead } from "./read.ts"
import { makeDeleteBatch } from "./remove.ts"
import { makeRename } from "./rename.ts"
import { makeRoot } from "./root.ts"
import { makeAbortUpload, makeCompleteUpload, makeOpenUpload, makeStagedUploads, makeUploadPart } from "./uploads.ts"
import { makeWrite } from "./write.ts"

/** What a backend of a directory is made of. */
export interface FileBackendOptions {
  /** Its name, which is its scheme as well. */
  readonly name: "file" | "direct"
  /** The root: an absolute path of a directory, or of one that the first write makes. */
  readonly root: string
  readonly data: DataPath
  readonly durability: Durability
  /** Whether the first write makes a missing root; `true` without it. */
  readonly createRoot?: boolean | undefined
  /** Sizes and numbers other than the usual ones. */
  readonly tuning?: Partial<Tuning> | undefined
}

const MiB = 1024 * 1024

const defaultTuning: Tuning = {
  readPartSize: 4 * MiB,
  readConcurrency: 4,
  streamPartSize: 4 * MiB,
  streamConcurrency: 2,
  writePartSize: 4 * MiB,
  writeConcurrency: 4,
  multipartThreshold: 8 * MiB,
  // A body in memory gains nothing from parts: the calls of one write are as large.
  bytesThreshold: Number.MAX_SAFE_INTEGER,
  alignedBuffers: false
}

const capabilitiesOf = ({ data, tuning }: FileBackendOptions): Capabilities => ({
  io: data.io,
  conditionalRead: true,
  conditionalCreate: true,
  conditionalUpdate: true,
  conditionalDelete: true,
  conditionalCopy: true,
  conditionalCopySource: true,
  suffixRange: true,
  versions: false,
  attributes: true,
  metadata: true,
  metadataNames: "token",
  metadataValues: "text",
  storageClass: false,
  tags: false,
  sortedList: true,
  listStartAfter: true,
  maxPageSize: 1000,
  maxDeleteBatch: 256,
  serverCopy: true,
  maxCopySize: Number.MAX_SAFE_INTEGER,
  atomicRename: true,
  hierarchical: true,
  containers: "implicit",
  containerLocation: false,
  presign: false,
  maxMetadataBytes: 2048,
  maxKeyBytes: 4096,
  maxSegmentBytes: maxNameBytes,
  maxObjectSize: Number.MAX_SAFE_INTEGER,
  maxWriteSize: Number.MAX_SAFE_INTEGER,
  multipart: {
    minPartSize: 1,
    maxPartSize: Number.MAX_SAFE_INTEGER,
    maxParts: 1_000_000,
    partMultiple: 1,
    ordered: false,
    conditionalComplete: true,
    listed: true,
    abort: "removes",
    isolated: true
  },
  tuning: { ...defaultTuning, ...tuning }
})

const usualMode = 0o666

/** The permissions of new files. The system tells the umask without changing it only in `/proc`. */
const modeOfFiles: Effect.Effect<number> = Calls.readFile("/proc/self/status").pipe(
  Effect.map((status) => /^Umask:\s*([0-7]+)$/m.exec(status)?.[1]),
  Effect.orElseSucceed(() => undefined),
  Effect.map((umask) => usualMode & ~(umask === undefined ? process.umask() : Number.parseInt(umask, 8)))
)

const checkRoot = (root: string): string | undefined => {
  if (!NodePath.isAbsolute(root)) return "the root is not an absolute path"
  return root.includes("\0") || !root.isWellFormed() ? "the root holds NUL or a lone surrogate" : undefined
}

/** Makes the backend. Nothing is made on the disk before the first write; a root that is no directory is `Configuration`. */
export const makeFileBackend = Effect.fnUntraced(function*(
  options: FileBackendOptions
): Effect.fn.Return<Backend, ObjectStoreError, Scope.Scope> {
  const { data, durability, name } = options
  const where = { operation: "makeBackend", backend: name }
  const wrong = checkRoot(options.root)
  if (wrong !== undefined) return yield* makeError("Configuration", { ...where, description: wrong })

  const path = NodePath.resolve(options.root)
  const root = yield* Effect.mapError(
    makeRoot({ path, create: options.createRoot ?? true }),
    explain(where)
  )
  const env: Environment = { root, data, durability, mode: yield* Effect.cached(modeOfFiles) }
  const uploads = yield* makeStagedUploads

  const looking = <Args extends ReadonlyArray<unknown>, A, R>(
    operation: string,
    run: (...args: Args) => Effect.Effect<A, Failure, R>
  ) =>
  (...args: Args): Effect.Effect<A, ObjectStoreError, R> =>
    Effect.mapError(run(...args), explain({ operation, backend: name }))
  const changing = <Args extends ReadonlyArray<unknown>, A, R>(
    operation: string,
    run: (...args: Args) => Effect.Effect<A, Failure, R>
  ) =>
  (...args: Args): Effect.Effect<A, ObjectStoreError, R> =>
    Effect.mapError(run(...args), explain({ operation, backend: name, outcome: "not-applied" }))

  const backend: Backend = {
    name,
    capabilities: capabilitiesOf(options),
    address: { schemes: [name], account: "", root: path === "/" ? "" : `${path.slice(1)}/` },
    head: looking("head", makeHead(env)),
    read: looking("read", makeRead(env, name)),
    write: changing("write", makeWrite(env)),
    openUpload: changing("openUpload", makeOpenUpload(env, uploads)),
    uploadPart: changing("uploadPart", makeUploadPart(env, uploads)),
    completeUpload: changing("completeUpload", makeCompleteUpload(env, uploads)),
    abortUpload: changing("abortUpload", makeAbortUpload(env, uploads)),
    listUploads: looking("listUploads", makeListUploads(env)),
    listPage: looking("listPage", makeListPage(env)),
    deleteBatch: makeDeleteBatch(env, name),
    copy: changing("copy", makeCopy(env)),
    rename: changing("rename", makeRename(env)),
    createContainer: changing("createContainer", makeCreateContainer(env)),
    deleteContainer: changing("deleteContainer", makeDeleteContainer(env)),
    listContainers: Effect.mapError(
      makeListContainers(env),
      explain({ operation: "listContainers", backend: name })
    ),
    presign: () =>
      Effect.mapError(
        Effect.fail(refuse("Unsupported", "files have no URLs that others could use", { capability: "presign" })),
        explain({ operation: "presign", backend: name })
      )
  }
  return backend
})
