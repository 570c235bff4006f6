/**
 * The way of a request through a model of Azure Blob: where it goes, whose it is, what it does.
 *
 * @internal
 */
import type { ServerReply, ServerRequest } from "../protocol/Server.ts"
import { identify, type Identity, mayDo } from "./authorize.ts"
import { answerBatch } from "./batch.ts"
import { deleteBlob, getBlob, getTags, headBlob, putBlob } from "./blobs.ts"
import { getBlockList, putBlock, putBlockFromUrl, putBlockList } from "./blocks.ts"
import { createContainer, deleteContainer, getContainer, getDelegationKey, listContainers } from "./containers.ts"
import { abortCopy, copyBlob } from "./copies.ts"
import { listBlobs } from "./listing.ts"
import { type Place, placeOf } from "./places.ts"
import { httpDate, refuse } from "./replies.ts"
import type { Operation, State } from "./state.ts"

/** An operation, and the letters of a signature that allow it, any of which is enough. */
interface Route {
  readonly operation: Operation
  readonly permissions: string
}

const route = (operation: Operation, permissions = ""): Route => ({ operation, permissions })

/** Answers a request. */
export const answer = (state: State, request: ServerRequest, now: number): ServerReply => {
  const reply = decide(state, request, now, 0)
  return {
    ...reply,
    headers: {
      ...reply.headers,
      "x-ms-request-id": "model",
      "x-ms-version": request.headers["x-ms-version"],
      "date": httpDate(now)
    }
  }
}

const decide = (state: State, request: ServerRequest, now: number, depth: number): ServerReply => {
  const place = placeOf(state, request.rawPath)
  if (place === undefined) return refuse(400, "InvalidUri")
  const identity = identify(state, request, place, now)
  if (typeof identity === "object" && "status" in identity) return identity
  if (request.method === "POST" && request.query.get("comp") === "batch") {
    return depth > 0 ? refuse(400, "InvalidInput") : answerBatch(request, (inner) => decide(state, inner, now, 1))
  }
  const found = routeOf(request, place)
  if (found === undefined) return refuse(405, "UnsupportedHttpVerb")
  if (!allowed(identity, found)) return refuse(403, "AuthorizationPermissionMismatch")
  if (place.key !== undefined && !isName(place.key)) return refuse(400, "InvalidResourceName")
  return found.operation(state, { ...request, ...place, now, isOwner: identity === "owner" })
}

const allowed = (identity: Identity, { permissions }: Route): boolean =>
  typeof identity === "string" || mayDo(identity, permissions)

// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/

const isName = (key: string): boolean => key.length <= 1024 && !control.test(key)

const routeOf = (request: ServerRequest, { container, key }: Place): Route | undefined =>
  container === undefined
    ? ofAccount(request)
    : key === undefined
    ? ofContainer(request)
    : ofBlob(request)

const ofAccount = ({ method, query }: ServerRequest): Route | undefined => {
  const comp = query.get("comp")
  if (method === "GET" && comp === "list") return route(listContainers)
  return method === "POST" && comp === "userdelegationkey" ? route(getDelegationKey) : undefined
}

const ofContainer = ({ method, query }: ServerRequest): Route | undefined => {
  if (query.get("restype") !== "container") return undefined
  if (query.get("comp") === "list") return method === "GET" ? route(listBlobs, "l") : undefined
  switch (method) {
    case "PUT":
      return route(createContainer)
    case "DELETE":
      return route(deleteContainer)
    case "GET":
    case "HEAD":
      return route(getContainer)
    default:
      return undefined
  }
}

const ofBlob = ({ headers, method, query }: ServerRequest): Route | undefined => {
  const comp = query.get("comp")
  const isCopy = headers["x-ms-copy-source"] !== undefined
  switch (`${method} ${comp ?? ""}`) {
    case "PUT block":
      return isCopy ? route(putBlockFromUrl, "cw") : route(putBlock, "cw")
    case "PUT blocklist":
      return route(putBlockList, "cw")
    case "GET blocklist":
      return route(getBlockList, "r")
    case "PUT copy":
      return route(abortCopy, "w")
    case "GET tags":
      return route(getTags, "t")
    case "PUT ":
      return isCopy ? route(copyBlob, "cw") : route(putBlob, "cw")
    case "GET ":
      return route(getBlob, "r")
    case "HEAD ":
      return route(headBlob, "r")
    case "DELETE ":
      return route(deleteBlob, "d")
    default:
      return undefined
  }
}
