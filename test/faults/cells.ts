/**
 * How each cell of the matrix is met over the wire: what a request of each kind is, and what has to happen to it. What no
 * server can bring about is written down with the reason.
 */
import { Effect, Stream } from "effect"
import type { RequestClass, RetryFailure } from "effect-objectstore"
import { on, WireFault } from "effect-objectstore/testing"
import { bytesOf, type Operation, type Sizes } from "./operations.ts"
import type { ServiceName } from "./services.ts"

/** A request of a kind: an operation that makes one, and the exchange that it is. */
export interface Target {
  readonly operation: Operation
  readonly wire: Parameters<typeof on>[0]
  /** Which of the exchanges of that name. */
  readonly hit: number
  /** What happens before. */
  readonly before: ReadonlyArray<ReturnType<typeof on>>
}

const small = bytesOf(1, 600)
const other = bytesOf(2, 700)

/** Larger than what the system takes from a program that a server does not read from. */
const large = bytesOf(3, 12 * 1024 * 1024)

/** What the answers have to have a body for. */
const bodily: ReadonlySet<RetryFailure> = new Set<RetryFailure>(["Timeout.stall", "BodyInterrupted"])

export const targetsOf = ({ part: partSize }: Sizes, failure: RetryFailure): Readonly<Record<RequestClass, Target>> => {
  const body = failure === "ConnectionFailed.request" ? large : small
  const big = body === large ? large : bytesOf(4, partSize + 321)
  const cut = { partSize: Math.max(partSize, big.length >> 1), concurrency: 1 }
  const target = (
    wire: Target["wire"],
    operation: Pick<Operation, "objects" | "run" | "after" | "writes">,
    more: Partial<Target> = {}
  ): Target => ({ operation: { name: String(wire), ...operation }, wire, hit: 1, before: [], ...more })
  const put = (mode: "overwrite" | "create" | "update") => ({
    objects: mode === "create" ? { b: other } : { a: other, b: other },
    after: { a: body },
    run: (store) =>
      Effect.gen(function*() {
        const { etag } = yield* store.stat(mode === "update" ? "a" : "b")
        return { etag: (yield* store.put("a", body, { mode: mode === "update" ? { update: etag! } : mode })).etag }
      }),
    writes: "a"
  } satisfies Partial<Operation>)
  const parts = {
    objects: { a: other },
    after: { a: big },
    run: (store) => Effect.map(store.putMultipart("a", big, cut), ({ etag }) => ({ etag })),
    writes: "a"
  } satisfies Partial<Operation>
  return {
    read: target("head", {
      objects: { a: small },
      after: {},
      run: (store) => Effect.map(store.stat("a"), ({ etag, size }) => ({ stat: { key: "a", size, etag } }))
    }),
    body: target("read", {
      objects: { a: small },
      after: {},
      run: (store) =>
        Effect.map(store.get("a"), (bytes) => ({ delivered: [{ key: "a", offset: 0, bytes, whole: true }] }))
    }, { hit: 2, before: [on("read", "a", 1, WireFault.cutBody(300, "reset"))] }),
    put: target("write", put("overwrite")),
    // A condition that fails is another thing where there was to be nothing.
    conditional: target("write", put(failure === "PreconditionFailed" ? "update" : "create")),
    part: target("uploadPart", parts),
    complete: target("completeUpload", parts),
    initiate: target("openUpload", parts),
    abort: target("abortUpload", {
      objects: { a: other },
      after: {},
      run: (store) => Effect.as(Effect.scoped(Effect.flatMap(store.writer("a", cut), ({ write }) => write(big))), {})
    }),
    delete: bodily.has(failure)
      ? target("deleteBatch", {
        objects: { a: small, b: small },
        after: { a: undefined, b: undefined },
        run: (store) =>
          Effect.flatMap(Stream.runCollect(store.deleteMany(["a", "b"])), (results) => {
            const error = results.find((result) => result.error !== undefined)?.error
            return error === undefined ? Effect.succeed({}) : Effect.fail(error)
          })
      })
      : target("delete", {
        objects: { a: small },
        after: { a: undefined },
        run: (store) => Effect.as(store.delete("a"), {})
      }),
    copy: target("copy", {
      objects: { from: small, a: other },
      after: { a: small },
      run: (store) => Effect.map(store.copy("from", "a"), ({ etag }) => ({ etag })),
      writes: "a"
    })
  }
}

/** How long connecting fails, in milliseconds. */
export const outage = 400

/** What is met when a connection is made. */
const connecting: Readonly<Partial<Record<RetryFailure, (options: WireFault.ConnectOptions) => WireFault.WireFault>>> =
  {
    // Those who connect meanwhile are led where nobody listens: a port that is given up for a while is soon another server's.
    "ConnectionFailed.connect": (options) => WireFault.refuse(outage, options),
    "ConnectionFailed.tls": (options) => WireFault.resetConnections(outage, options),
    "ConnectionFailed.certificate": (options) => WireFault.impostor("1 minute", options)
  }

/** What is met over https. */
export const secure: ReadonlySet<RetryFailure> = new Set<RetryFailure>([
  "ConnectionFailed.tls",
  "ConnectionFailed.certificate"
])

/** Kinds for which the store is asked first when a connection breaks: their own request is to find none. */
const asking: ReadonlySet<RequestClass> = new Set<RequestClass>(["conditional", "complete", "copy"])

/** What the network does to any service. */
const broken = {
  "ConnectionFailed.request": WireFault.resetInRequest,
  "ConnectionFailed.headers": WireFault.resetBeforeApply,
  "Timeout.headers": WireFault.stallBeforeApply,
  "Timeout.stall": WireFault.stallInBody,
  BodyInterrupted: WireFault.cutBody(),
  ProtocolViolation: WireFault.raw("this is no HTTP")
} satisfies Partial<Record<RetryFailure, WireFault.WireFault>>

const says = (status: number, code?: string): WireFault.WireFault => WireFault.status(status, { code })

const anywhere = {
  ...broken,
  Throttled: WireFault.throttle(0),
  Unavailable: says(500),
  "Unauthenticated.renewed": WireFault.skewedClock,
  PermissionDenied: says(403),
  NotModified: says(304),
  InvalidRequest: says(400),
  RangeNotSatisfiable: says(416),
  NotFound: says(404),
  PreconditionFailed: says(412),
  Unsupported: says(501, "NotImplemented")
} satisfies Partial<Record<RetryFailure, WireFault.WireFault>>

/** How each service brings a failure about. */
const recipes: Readonly<Record<ServiceName, Readonly<Partial<Record<RetryFailure, WireFault.WireFault>>>>> = {
  S3: {
    ...anywhere,
    "Timeout.request": says(400, "RequestTimeout"),
    Unauthenticated: says(403, "InvalidAccessKeyId"),
    ContainerNotFound: says(404, "NoSuchBucket"),
    UploadNotFound: says(404, "NoSuchUpload"),
    AlreadyExists: says(409, "BucketAlreadyExists"),
    Conflict: says(409, "ObjectParentIsFile"),
    NotEmpty: says(409, "BucketNotEmpty"),
    InvalidKey: says(400, "KeyTooLongError"),
    IntegrityFailed: says(400, "BadDigest"),
    LimitExceeded: says(400, "EntityTooLarge"),
    StorageFull: says(507, "QuotaExceeded"),
    Configuration: says(301, "PermanentRedirect")
  },
  Azure: {
    ...anywhere,
    Unauthenticated: says(401, "InvalidAuthenticationInfo"),
    ContainerNotFound: says(404, "ContainerNotFound"),
    UploadNotFound: says(400, "InvalidBlockList"),
    AlreadyExists: says(409, "BlobAlreadyExists"),
    Conflict: says(409, "LeaseIdMissing"),
    InvalidKey: says(400, "InvalidUri"),
    IntegrityFailed: says(400, "Md5Mismatch"),
    LimitExceeded: says(413, "RequestBodyTooLarge"),
    StorageFull: says(507, "InsufficientStorage")
  },
  GCS: {
    ...anywhere,
    "Timeout.request": says(408, "uploadBrokenConnection"),
    Unauthenticated: says(401),
    ContainerNotFound: says(404, "NoSuchBucket"),
    UploadNotFound: says(410, "gone"),
    AlreadyExists: says(409, "BucketAlreadyExists"),
    Conflict: says(409, "conflict"),
    NotEmpty: says(409, "BucketNotEmpty"),
    InvalidKey: says(400, "InvalidObjectName"),
    IntegrityFailed: says(400, "BadDigest"),
    LimitExceeded: says(403, "quotaExceeded"),
    StorageFull: says(507, "storageFull")
  }
}

/** What a request of a kind has to meet, and whether it is the exchange before it that meets it. */
export const faultOf = (name: ServiceName, failure: RetryFailure, kind: RequestClass) => {
  // A refusal ends a session, so there is none for the part that is sent again.
  if (name === "GCS" && failure === "IntegrityFailed" && kind === "part") return undefined
  const connect = connecting[failure]
  if (connect === undefined) {
    const fault = recipes[name][failure]
    return fault === undefined ? undefined : { fault, isBefore: false }
  }
  const isBefore = asking.has(kind)
  return { fault: connect({ answered: isBefore }), isBefore }
}

const noServer = "it is none of a server's doing"
const noBody = "it has no body that the system would not take at once"

/** Cells that no server can bring about, and why: a whole row, or some of its kinds. */
const unmeetable: Readonly<
  Partial<Record<RetryFailure, string | Readonly<Partial<Record<RequestClass, string>>>>>
> = {
  "ConnectionFailed.dns": "names are resolved before there is a server",
  "ConnectionFailed.host": "names are resolved before there is a server",
  "ConnectionFailed.request": {
    read: noBody,
    body: noBody,
    complete: noBody,
    initiate: noBody,
    abort: noBody,
    delete: noBody,
    copy: noBody
  },
  "Timeout.deadline": "the deadline is the program's own",
  "Timeout.stall": { part: "no service's answer has a body", abort: "no service's answer has a body" },
  BodyInterrupted: { part: "no service's answer has a body", abort: "no service's answer has a body" },
  "Unavailable.device": "it is said of disks",
  "Unavailable.stale": "it is said of file systems",
  "LimitExceeded.descriptors": "they are the process's own",
  NotFound: { delete: "what is not there is removed, and the backends say so" },
  InvalidUri: "it is refused before it is sent",
  ObjectChanged: "it is found by comparing answers, and ends what compared them",
  SourceFailed: noServer,
  OutcomeUnknown: "it is what comes of asking, and is not asked about",
  PartialFailure: "it is what comes of many requests, and not of one"
}

/** Why a cell cannot be met, if it cannot. */
export const reasonOfNone = (failure: RetryFailure, kind: RequestClass): string | undefined => {
  const reason = unmeetable[failure]
  return typeof reason === "string" ? reason : reason?.[kind]
}
