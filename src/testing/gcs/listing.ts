/**
 * Listings of the model of GCS.
 *
 * @internal
 */
import { compareKeys } from "../../keyOrder.ts"
import type { ServerReply } from "../protocol/Server.ts"
import type { Operation } from "./Operation.ts"
import { document, type Json, objectResource, refusals, refuse } from "./replies.ts"
import { type Bucket, sortedKeys, type State, type Version } from "./state.ts"

type Listing = Extract<Operation, { readonly _tag: "ListObjects" }>

/** One line of a listing: a version, or the keys below a prefix. */
type Line = { readonly name: string; readonly version?: Version | undefined }

const versionsOf = (bucket: Bucket, key: string, all: boolean): ReadonlyArray<Version> => {
  const entry = bucket.entries.get(key)!
  return all ? entry.versions : entry.live === undefined ? [] : [entry.live]
}

/** All lines, in order. A prefix stands where its own name does. */
const linesOf = (bucket: Bucket, listing: Listing): ReadonlyArray<Line> => {
  const { delimiter, endOffset, includeTrailingDelimiter, prefix, startOffset, versions } = listing
  const lines: Array<Line> = []
  let folded: string | undefined
  for (const key of sortedKeys(bucket)) {
    if (!key.startsWith(prefix) || compareKeys(key, startOffset) < 0) continue
    if (endOffset !== undefined && endOffset !== "" && compareKeys(key, endOffset) >= 0) continue
    const found = versionsOf(bucket, key, versions)
    if (found.length === 0) continue
    const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length)
    if (at === -1) {
      for (const version of found) lines.push({ name: key, version })
      continue
    }
    const name = key.slice(0, at + delimiter.length)
    if (folded !== name) lines.push({ name })
    folded = name
    if (includeTrailingDelimiter && key === name) { for (const version of found) lines.push({ name: key, version }) }
  }
  return lines
}

/** Pages go on after a line: its name, whether it is a prefix, and its generation. */
const tokenOf = ({ name, version }: Line): string =>
  Buffer.from(JSON.stringify([name, version?.generation ?? null])).toString("base64url")

const isAfter = (line: Line, name: string, generation: number | null): boolean => {
  const order = compareKeys(line.name, name)
  if (order !== 0) return order > 0
  const own = line.version?.generation ?? null
  return own !== null && (generation === null || own > generation)
}

const readToken = (token: string): readonly [string, number | null] | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString())
    return Array.isArray(value) && typeof value[0] === "string" ? [value[0], value[1] as number | null] : undefined
  } catch {
    return undefined
  }
}

/** Lists one page of objects and prefixes, which count alike. */
export const listObjects = (state: State, listing: Listing): ServerReply => {
  const bucket = state.buckets.get(listing.bucket)
  if (bucket === undefined) return refuse("json", refusals.noBucket)
  const after = listing.pageToken === undefined ? undefined : readToken(listing.pageToken)
  if (listing.pageToken !== undefined && after === undefined) {
    return refuse("json", refusals.invalid("Invalid page token."))
  }
  const all = linesOf(bucket, listing)
  const rest = after === undefined ? all : all.filter((line) => isAfter(line, ...after))
  const page = rest.slice(0, listing.maxResults)
  const items = page.flatMap(({ version }) => version === undefined ? [] : [objectResource(listing.bucket, version)])
  const prefixes = page.flatMap(({ name, version }) => version === undefined ? [name] : [])
  return document({
    kind: "storage#objects",
    ...(page.length < rest.length ? { nextPageToken: tokenOf(page.at(-1)!) } : {}),
    ...(prefixes.length > 0 ? { prefixes } : {}),
    ...(items.length > 0 ? { items } : {})
  })
}

/** Fields that are chosen of a document: each with those that are chosen inside. */
type Fields = Map<string, Fields | undefined>

/** Reads `a,b(c,d),e/f`; `undefined` if it is not of this form. */
const parseFields = (text: string): Fields | undefined => {
  let at = 0
  const read = (): Fields | undefined => {
    const fields: Fields = new Map()
    for (;;) {
      const name = /^[A-Za-z0-9_*-]+/.exec(text.slice(at))?.[0]
      if (name === undefined) return undefined
      at += name.length
      let inner: Fields | undefined
      if (text[at] === "(" || text[at] === "/") {
        const closes = text[at++] === "("
        inner = read()
        if (inner === undefined || (closes && text[at++] !== ")")) return undefined
      }
      fields.set(name, inner)
      if (text[at] !== ",") return fields
      at++
    }
  }
  const fields = read()
  return at === text.length ? fields : undefined
}

const choose = (value: unknown, fields: Fields | undefined): unknown => {
  if (fields === undefined || typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((one) => choose(one, fields))
  const chosen: Record<string, unknown> = {}
  for (const [name, inner] of Object.entries(value)) {
    if (fields.has(name)) chosen[name] = choose(inner, fields.get(name))
    else if (fields.has("*")) chosen[name] = inner
  }
  return chosen
}

/** Leaves of a document what `fields` names (cloud.google.com/storage/docs/json_api, "partial responses"). */
export const withFields = (reply: ServerReply, text: string | undefined): ServerReply => {
  if (text === undefined || text === "" || reply.status >= 300 || typeof reply.body !== "string") return reply
  const fields = parseFields(text)
  if (fields === undefined) return refuse("json", refusals.invalid(`Invalid field selection ${text}`))
  return document(choose(JSON.parse(reply.body), fields) as Json, reply.status)
}
