/**
 * Create Container, Delete Container, Get Container Properties, List Containers, Get User Delegation Key.
 *
 * @internal
 */
import { xmlElement, xmlText } from "../../http/Xml.ts"
import { compareKeys } from "../../keyOrder.ts"
import { delegationKey } from "./authorize.ts"
import { inContainer } from "./blobs.ts"
import { document, httpDate, refuse } from "./replies.ts"
import { nextEtag, type Operation } from "./state.ts"

const containerName = /^(?:\$root|\$logs|\$web|[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9])$/

/** Create Container. */
export const createContainer: Operation = (state, { container: name = "", now }) => {
  if (!containerName.test(name)) return refuse(400, "InvalidResourceName")
  if (state.containers.has(name)) return refuse(409, "ContainerAlreadyExists")
  const container = {
    etag: nextEtag(state),
    lastModified: now,
    blobs: new Map(),
    uncommitted: new Map(),
    versions: new Map()
  }
  state.containers.set(name, container)
  return { status: 201, headers: { "etag": container.etag, "last-modified": httpDate(now) } }
}

/** Delete Container, with all that is in it. */
export const deleteContainer: Operation = inContainer((state, { container = "" }) => {
  state.containers.delete(container)
  return { status: 202 }
})

/** Get Container Properties. */
export const getContainer: Operation = inContainer((_, __, { etag, lastModified }) => ({
  status: 200,
  headers: { "etag": etag, "last-modified": httpDate(lastModified) }
}))

/** List Containers. */
export const listContainers: Operation = (state, { query }) => {
  const prefix = query.get("prefix") ?? ""
  const marker = query.get("marker") ?? ""
  const most = Number(query.get("maxresults") ?? 5000)
  const names = [...state.containers.keys()]
    .filter((name) => name.startsWith(prefix) && compareKeys(name, marker) >= 0)
    .sort(compareKeys)
  const entries = names.slice(0, most).map((name) =>
    xmlElement(
      "Container",
      xmlText("Name", name),
      xmlElement("Properties", xmlText("Last-Modified", httpDate(state.containers.get(name)!.lastModified)))
    )
  )
  return document(
    xmlElement("EnumerationResults", xmlElement("Containers", ...entries), xmlText("NextMarker", names[most] ?? ""))
  )
}

const time = (body: string, name: string): string | undefined =>
  new RegExp(`<${name}>([^<]+)</${name}>`).exec(body)?.[1]

/** Get User Delegation Key. */
export const getDelegationKey: Operation = (state, { body, isOwner, now }) => {
  if (isOwner) return refuse(403, "AuthenticationFailed", { detail: "Only authentication scheme Bearer is supported" })
  const text = Buffer.from(body).toString()
  const [start, expiry] = [time(text, "Start"), time(text, "Expiry")]
  const until = Date.parse(expiry ?? "")
  if (start === undefined || expiry === undefined || !(until > now && until <= now + 7 * 24 * 3_600_000 + 60_000)) {
    return refuse(400, "InvalidXmlNodeValue")
  }
  const fields = [
    "a1b2c3d4-0000-4000-8000-000000000001",
    "a1b2c3d4-0000-4000-8000-000000000002",
    start,
    expiry,
    "b",
    "2021-12-02"
  ]
  const [oid = "", tid = "", , , service = "", version = ""] = fields
  return document(xmlElement(
    "UserDelegationKey",
    xmlText("SignedOid", oid),
    xmlText("SignedTid", tid),
    xmlText("SignedStart", start),
    xmlText("SignedExpiry", expiry),
    xmlText("SignedService", service),
    xmlText("SignedVersion", version),
    xmlText("Value", delegationKey(state, fields).export().toString("base64"))
  ))
}
