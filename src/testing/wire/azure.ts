/**
 * Azure Blob behind a fault server.
 *
 * @internal
 */
import { xmlDocument, xmlElement, xmlText } from "../../http/Xml.ts"
import { answer } from "../azure/answer.ts"
import { placeOf } from "../azure/places.ts"
import { refuse } from "../azure/replies.ts"
import { md5Of, nextEtag, nextVersion, publish, type State } from "../azure/state.ts"
import type { ServerHead, ServerReply } from "../protocol/Server.ts"
import type { WireRefusal } from "../WireFault.ts"
import type { Described, Protocol, WireOperation } from "./Protocol.ts"

const codes: ReadonlyMap<number, string> = new Map([
  [400, "InvalidInput"],
  [401, "InvalidAuthenticationInfo"],
  [403, "AuthorizationFailure"],
  [404, "BlobNotFound"],
  [405, "UnsupportedHttpVerb"],
  [409, "LeaseIdMissing"],
  [412, "ConditionNotMet"],
  [416, "InvalidRange"],
  [500, "InternalError"],
  [503, "ServerBusy"]
])

const refusalOf = (refusal: WireRefusal): ServerReply => {
  switch (refusal._tag) {
    case "Status":
      return refuse(refusal.status, refusal.code ?? codes.get(refusal.status) ?? "InternalError")
    case "Throttle":
      return refuse(503, "ServerBusy", {
        headers: refusal.retryAfter === undefined ? {} : { "retry-after": String(refusal.retryAfter) }
      })
    case "ExpiredCredentials":
      return refuse(401, "InvalidAuthenticationInfo", {
        headers: { "www-authenticate": "Bearer error=\"invalid_token\"" }
      })
    case "SkewedClock":
      return refuse(403, "AuthenticationFailed", { detail: "Request date header too old" })
  }
}

const ofContainer = ({ method, query }: ServerHead): WireOperation => {
  const comp = query.get("comp")
  if (comp === "batch") return "deleteBatch"
  if (comp === "list") return query.get("include")?.includes("uncommittedblobs") === true ? "listUploads" : "listPage"
  switch (method) {
    case "PUT":
      return "createContainer"
    case "DELETE":
      return "deleteContainer"
    default:
      return "headContainer"
  }
}

const ofBlob = ({ headers, method, query }: ServerHead): WireOperation => {
  const comp = query.get("comp")
  const isCopy = headers["x-ms-copy-source"] !== undefined
  switch (`${method} ${comp ?? ""}`) {
    case "PUT block":
      return isCopy ? "copyPart" : "uploadPart"
    case "PUT blocklist":
      return "completeUpload"
    case "GET blocklist":
      return "queryUpload"
    case "PUT ":
      return isCopy ? "copy" : "write"
    case "GET ":
      return "read"
    case "HEAD ":
      return "head"
    case "DELETE ":
      return "delete"
    default:
      return "other"
  }
}

/** Azure Blob with a memory. */
export const azureProtocol = (state: State): Protocol => ({
  respond: (request, now) => answer(state, request, now),
  describe: (head): Described => {
    const { container = "", key = "" } = placeOf(state, head.rawPath) ?? {}
    const operation = container === ""
      ? head.query.get("comp") === "batch"
        ? "deleteBatch"
        : head.query.get("comp") === "list"
        ? "listContainers"
        : "other"
      : key === ""
      ? ofContainer(head)
      : ofBlob(head)
    return { operation, container, key }
  },
  refuse: refusalOf,
  errorDocument: xmlDocument(xmlElement("Error", xmlText("Code", "InternalError"), xmlText("Message", "Try again."))),
  places: () =>
    [...state.containers].flatMap(([name, { blobs }]) => [...blobs.keys()].map((key) => [name, key] as const)),
  find: (container, key) => state.containers.get(container)?.blobs.get(key),
  store: (container, key, body, now) => {
    const etag = nextEtag(state)
    publish(state.containers.get(container)!, key, {
      body,
      etag,
      lastModified: now,
      versionId: nextVersion(state, now),
      contentMd5: md5Of(body),
      attributes: new Map([["content-type", "application/octet-stream"]]),
      metadata: new Map(),
      tags: undefined,
      tier: "Hot",
      blocks: []
    })
  },
  openUploads: () => [...state.containers.values()].reduce((sum, { uncommitted }) => sum + uncommitted.size, 0)
})
