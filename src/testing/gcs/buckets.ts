/**
 * Buckets of the model of GCS.
 *
 * @internal
 */
import { compareKeys } from "../../keyOrder.ts"
import { checkContainerName } from "../../ObjectUri.ts"
import type { ServerReply } from "../protocol/Server.ts"
import type { Operation } from "./Operation.ts"
import { bucketResource, document, nothing, refusals, refuse } from "./replies.ts"
import type { State } from "./state.ts"

type Of<Tag extends Operation["_tag"]> = Extract<Operation, { readonly _tag: Tag }>

/** Makes a bucket. */
export const insertBucket = (
  state: State,
  { location, name, project, versioning }: Of<"InsertBucket">,
  now: number
): ServerReply => {
  if (checkContainerName("gs", name) !== undefined) {
    return refuse("json", refusals.invalid(`Invalid bucket name: '${name}'`))
  }
  if (state.buckets.has(name)) return refuse("json", refusals.bucketExists)
  const bucket = { name, project, location, created: now, metageneration: 1, versioning, entries: new Map() }
  state.buckets.set(name, bucket)
  return document(bucketResource(bucket))
}

/** Describes a bucket. */
export const getBucket = (state: State, { bucket: name }: Of<"GetBucket">): ServerReply => {
  const bucket = state.buckets.get(name)
  return bucket === undefined ? refuse("json", refusals.noBucket) : document(bucketResource(bucket))
}

/** Changes a bucket: whether it keeps versions. */
export const patchBucket = (state: State, { bucket: name, versioning }: Of<"PatchBucket">): ServerReply => {
  const bucket = state.buckets.get(name)
  if (bucket === undefined) return refuse("json", refusals.noBucket)
  bucket.versioning = versioning ?? bucket.versioning
  bucket.metageneration++
  return document(bucketResource(bucket))
}

/** Removes a bucket that holds nothing, old versions included. */
export const deleteBucket = (state: State, { bucket: name }: Of<"DeleteBucket">): ServerReply => {
  const bucket = state.buckets.get(name)
  if (bucket === undefined) return refuse("json", refusals.noBucket)
  if (bucket.entries.size > 0) return refuse("json", refusals.bucketNotEmpty)
  state.buckets.delete(name)
  return nothing()
}

/** Lists a page of the buckets of a project. */
export const listBuckets = (
  state: State,
  { maxResults, pageToken, prefix, project }: Of<"ListBuckets">
): ServerReply => {
  const after = pageToken === undefined ? "" : Buffer.from(pageToken, "base64url").toString()
  const found = [...state.buckets.values()]
    .filter((bucket) => bucket.project === project && bucket.name.startsWith(prefix) && bucket.name > after)
    .sort((a, b) => compareKeys(a.name, b.name))
  const page = found.slice(0, maxResults)
  return document({
    kind: "storage#buckets",
    ...(page.length < found.length ? { nextPageToken: Buffer.from(page.at(-1)!.name).toString("base64url") } : {}),
    ...(page.length > 0 ? { items: page.map(bucketResource) } : {})
  })
}
