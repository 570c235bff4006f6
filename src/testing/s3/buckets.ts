/**
 * ListBuckets, CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation, and whether a bucket keeps versions.
 *
 * @internal
 */
import { xmlElement, xmlText } from "../../http/Xml.ts"
import { compareKeys } from "../../keyOrder.ts"
import { readText } from "./documents.ts"
import { inBucket } from "./objects.ts"
import { document, isoDate, nothing, refuse, rootElement } from "./replies.ts"
import type { Operation } from "./state.ts"

/** docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const isName = (name: string): boolean =>
  /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes("..") && !/^\d+\.\d+\.\d+\.\d+$/.test(name)

const maxBuckets = 10_000

/** ListBuckets. */
export const listBuckets: Operation = (state, { query }) => {
  const after = query.get("continuation-token") ?? ""
  const most = Math.min(Number(query.get("max-buckets") ?? maxBuckets), state.pageSize)
  const all = [...state.buckets.values()].filter(({ name }) => compareKeys(name, after) > 0)
    .sort((a, b) => compareKeys(a.name, b.name))
  const page = all.slice(0, most)
  return document(rootElement(
    "ListAllMyBucketsResult",
    xmlElement(
      "Buckets",
      ...page.map(({ created, name }) =>
        xmlElement("Bucket", xmlText("Name", name), xmlText("CreationDate", isoDate(created)))
      )
    ),
    all.length > page.length ? xmlText("ContinuationToken", page.at(-1)!.name) : ""
  ))
}

const firstRegion = "us-east-1"

/** CreateBucket. */
export const createBucket: Operation = (state, { body, bucket: name, now }) => {
  if (!isName(name)) return refuse(400, "InvalidBucketName")
  const region = readText(Buffer.from(body).toString(), "LocationConstraint") ?? firstRegion
  if (region !== state.region) return refuse(400, "IllegalLocationConstraintException")
  if (state.buckets.has(name)) {
    // In the first region, making one's own bucket again succeeds.
    return region === firstRegion ? nothing(200, { location: `/${name}` }) : refuse(409, "BucketAlreadyOwnedByYou")
  }
  state.buckets.set(name, {
    name,
    region,
    created: now,
    versioning: false,
    objects: new Map(),
    uploads: new Map()
  })
  return nothing(200, { location: `/${name}` })
}

/** HeadBucket. */
export const headBucket: Operation = inBucket((_, __, { region }) => nothing(200, { "x-amz-bucket-region": region }))

/** DeleteBucket. */
export const deleteBucket: Operation = inBucket((state, _, { name, objects }) => {
  if (objects.size > 0) return refuse(409, "BucketNotEmpty")
  state.buckets.delete(name)
  return nothing(204)
})

/** GetBucketLocation. */
export const getLocation: Operation = inBucket((_, __, { region }) =>
  document(rootElement("LocationConstraint", region === firstRegion ? "" : region))
)

/** GetBucketVersioning. */
export const getVersioning: Operation = inBucket((_, __, { versioning }) =>
  document(rootElement("VersioningConfiguration", versioning ? xmlText("Status", "Enabled") : ""))
)

/** PutBucketVersioning. */
export const putVersioning: Operation = inBucket((_, { body }, bucket) => {
  bucket.versioning = readText(Buffer.from(body).toString(), "Status") === "Enabled"
  return nothing(200)
})
