/**
 * List Blobs.
 *
 * @internal
 */
import { xmlElement, xmlText } from "../../http/Xml.ts"
import { compareKeys } from "../../keyOrder.ts"
import { inContainer } from "./blobs.ts"
import { document, httpDate, refuse } from "./replies.ts"
import type { Blob, Container, Operation } from "./state.ts"

/** Names that XML cannot hold come percent-encoded. */
// oxlint-disable-next-line no-control-regex
const unfit = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/

const printName = (name: string): string =>
  unfit.test(name) ? `<Name Encoded="true">${encodeURIComponent(name)}</Name>` : xmlText("Name", name)

const printBlob = (key: string, blob: Blob, metadata: boolean): string =>
  xmlElement(
    "Blob",
    printName(key),
    blob.versionId === undefined ? "" : xmlText("VersionId", blob.versionId) + xmlText("IsCurrentVersion", true),
    xmlElement(
      "Properties",
      xmlText("Last-Modified", httpDate(blob.lastModified)),
      xmlText("Etag", blob.etag.slice(1, -1)),
      xmlText("Content-Length", blob.body.length),
      xmlText("Content-Type", blob.attributes.get("content-type") ?? ""),
      xmlText("Content-MD5", blob.contentMd5 ?? ""),
      xmlText("BlobType", "BlockBlob"),
      xmlText("AccessTier", blob.tier),
      xmlText("ServerEncrypted", true)
    ),
    metadata ? xmlElement("Metadata", ...[...blob.metadata].map(([name, value]) => xmlText(name, value))) : ""
  )

const printUncommitted = (key: string): string =>
  xmlElement(
    "Blob",
    printName(key),
    xmlElement("Properties", xmlText("Content-Length", 0), xmlText("BlobType", "BlockBlob"))
  )

/** Where a page begins: at a name; an opaque text for the client. */
const printMarker = (name: string): string => `2!${Buffer.from(name).toString("base64url")}`

const parseMarker = (marker: string): string | undefined =>
  marker.startsWith("2!") ? Buffer.from(marker.slice(2), "base64url").toString() : undefined

/** Keys and prefixes in order, each with what is printed for it. */
const entriesOf = (container: Container, prefix: string, delimiter: string, include: ReadonlySet<string>) => {
  const entries = new Map<string, string>()
  const add = (key: string, print: () => string): void => {
    if (!key.startsWith(prefix)) return
    const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length)
    if (end === -1) entries.set(key, print())
    else entries.set(key.slice(0, end + delimiter.length), "")
  }
  for (const [key, blob] of container.blobs) add(key, () => printBlob(key, blob, include.has("metadata")))
  if (include.has("uncommittedblobs")) {
    for (const key of container.uncommitted.keys()) {
      if (!container.blobs.has(key)) add(key, () => printUncommitted(key))
    }
  }
  return [...entries].sort(([a], [b]) => compareKeys(a, b))
}

/** List Blobs. */
export const listBlobs: Operation = inContainer((state, { query }, container) => {
  const given = query.get("marker") ?? ""
  const marker = given === "" ? undefined : parseMarker(given)
  if (given !== "" && marker === undefined) return refuse(400, "OutOfRangeInput")
  const most = Number(query.get("maxresults") ?? 5000)
  if (!(most >= 1)) return refuse(400, "OutOfRangeQueryParameterValue")
  const include = new Set((query.get("include") ?? "").split(","))
  const all = entriesOf(container, query.get("prefix") ?? "", query.get("delimiter") ?? "", include)
  const isEmptyPage = state.behaviour.emptyPages && marker === undefined
  const from = isEmptyPage ? [] : all.filter(([name]) => compareKeys(name, marker ?? "") >= 0)
  const page = from.slice(0, Math.min(most, 5000))
  const next = isEmptyPage ? "" : from[page.length]?.[0]
  return document(
    `<EnumerationResults ServiceEndpoint="${state.origin()}/${state.account}">` +
      xmlElement(
        "Blobs",
        ...page.map(([name, print]) => print === "" ? xmlElement("BlobPrefix", printName(name)) : print)
      ) +
      xmlText("NextMarker", next === undefined ? "" : printMarker(next)) + "</EnumerationResults>"
  )
})
