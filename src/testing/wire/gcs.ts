/**
 * Google Cloud Storage behind a fault server.
 *
 * @internal
 */
import { type Refusal, refusals, refuse } from "../gcs/replies.ts"
import { liveOf, publish, type State } from "../gcs/state.ts"
import type { ServerHead, ServerReply, ServerRequest } from "../protocol/Server.ts"
import type { WireRefusal } from "../WireFault.ts"
import type { Described, Protocol } from "./Protocol.ts"

// docs.cloud.google.com/storage/docs/json_api/v1/status-codes
const known: ReadonlyMap<number, readonly [reason: string, code: string]> = new Map([
  [400, ["invalid", "InvalidArgument"]],
  [401, ["authError", "AuthenticationRequired"]],
  [403, ["forbidden", "AccessDenied"]],
  [404, ["notFound", "NoSuchKey"]],
  [409, ["conflict", "OperationAborted"]],
  [412, ["conditionNotMet", "PreconditionFailed"]],
  [429, ["rateLimitExceeded", "SlowDown"]],
  [500, ["backendError", "InternalError"]],
  [503, ["backendError", "ServiceUnavailable"]]
])

const statusRefusal = (status: number, given: string | undefined): Refusal => {
  const [reason, code] = known.get(status) ?? ["backendError", "InternalError"]
  return { status, reason: given ?? reason, code: given ?? code, message: `The service answers ${status}.` }
}

const refusalOf = (refusal: WireRefusal, { rawPath }: ServerHead): ServerReply => {
  const api = isXml(rawPath) ? "xml" : "json"
  switch (refusal._tag) {
    case "Status":
      return refuse(api, statusRefusal(refusal.status, refusal.code))
    case "Throttle":
      return refuse(
        api,
        statusRefusal(429, undefined),
        refusal.retryAfter === undefined ? {} : { "retry-after": String(refusal.retryAfter) }
      )
    case "ExpiredCredentials":
    case "SkewedClock":
      return refuse(api, refusals.credentials)
  }
}

const isXml = (rawPath: string): boolean => !/^\/(storage|upload|resumable|download|batch)(\/|$)/.test(rawPath)

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The name in the document that a write begins with. */
const nameIn = ({ body }: ServerRequest): string => {
  const document = /\{[\s\S]*?\}\s*(?:\r\n|$)/.exec(Buffer.from(body).toString("utf8", 0, 16_384))?.[0]
  try {
    const value: unknown = JSON.parse(document ?? "{}")
    const name = typeof value === "object" && value !== null && "name" in value ? value.name : undefined
    return typeof name === "string" ? name : ""
  } catch {
    return ""
  }
}

const describeUpload = (state: State, head: ServerHead, request: ServerRequest | undefined): Described => {
  const container = decode(/^\/(?:resumable\/)?upload\/storage\/v1\/b\/([^/]+)\/o/.exec(head.rawPath)?.[1] ?? "")
  const session = state.sessions.get(head.query.get("upload_id") ?? "")
  const key = session?.key ?? head.query.get("name") ?? (request === undefined ? "" : nameIn(request))
  if (head.method === "DELETE") return { operation: "abortUpload", container, key }
  if (head.method === "POST") {
    return { operation: head.query.get("uploadType") === "resumable" ? "openUpload" : "write", container, key }
  }
  const range = head.headers["content-range"] ?? ""
  const operation = range.startsWith("bytes */") && range.endsWith("*")
    ? "queryUpload"
    : range.endsWith("/*")
    ? "uploadPart"
    : "completeUpload"
  return { operation, container, key }
}

const describe = (state: State, head: ServerHead, request: ServerRequest | undefined): Described => {
  const { method, rawPath } = head
  if (rawPath.startsWith("/batch")) return { operation: "deleteBatch", container: "", key: "" }
  if (/^\/(resumable\/)?upload\//.test(rawPath)) return describeUpload(state, head, request)
  if (isXml(rawPath)) {
    const [, bucket = "", key = ""] = /^\/([^/]*)\/?(.*)$/.exec(rawPath) ?? []
    return {
      operation: method === "HEAD" ? "head" : method === "GET" ? "read" : "other",
      container: decode(bucket),
      key: decode(key)
    }
  }
  const [bucket, kind, key, verb, ...to] = (/^\/(?:download\/)?storage\/v1\/b\/?(.*)$/.exec(rawPath)?.[1] ?? "")
    .split("/").map(decode)
  const container = bucket ?? ""
  if (container === "") {
    return { operation: method === "POST" ? "createContainer" : "listContainers", container, key: "" }
  }
  if (kind === undefined) {
    return { operation: method === "DELETE" ? "deleteContainer" : "headContainer", container, key: "" }
  }
  if (key === undefined) return { operation: "listPage", container, key: "" }
  if (verb !== undefined) return { operation: "copy", container: to[1] ?? container, key: to[3] ?? key }
  const isMedia = head.query.get("alt") === "media" || rawPath.startsWith("/download")
  return {
    operation: method === "DELETE" ? "delete" : method !== "GET" ? "other" : isMedia ? "read" : "head",
    container,
    key
  }
}

const storedObjects = new WeakMap<object, { readonly etag: string; readonly body: Uint8Array }>()

/** The same object for the same version. */
const storedOf = (version: { readonly generation: number; readonly media: Uint8Array }) => {
  const before = storedObjects.get(version)
  if (before !== undefined) return before
  const made = { etag: String(version.generation), body: version.media }
  storedObjects.set(version, made)
  return made
}

/** GCS with a memory. */
export const gcsProtocol = (
  state: State,
  respond: Protocol["respond"]
): Protocol => ({
  respond,
  describe: (head, request) => describe(state, head, request),
  refuse: refusalOf,
  errorDocument: JSON.stringify({
    error: {
      code: 503,
      message: "Try again.",
      errors: [{ message: "Try again.", domain: "global", reason: "backendError" }]
    }
  }),
  places: () =>
    [...state.buckets.values()].flatMap(({ entries, name }) => [...entries.keys()].map((key) => [name, key] as const)),
  find: (container, key) => {
    const bucket = state.buckets.get(container)
    const version = bucket === undefined ? undefined : liveOf(bucket, key)
    return version === undefined ? undefined : storedOf(version)
  },
  store: (container, key, body, now) => {
    publish(state, state.buckets.get(container)!, key, body, {}, now)
  },
  openUploads: () => [...state.sessions.values()].filter((session) => session.state === "open").length
})
