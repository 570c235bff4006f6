/**
 * What a copy carries beside bytes, attributes and metadata: tags, and how the object is stored.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { CopySource, ObjectStat } from "../../src/Backend.ts"
import { encodeParameters } from "../../src/http/percentEncoding.ts"
import type { XmlReader } from "../../src/http/Xml.ts"
import { type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import { type S3Client, sendForDocument } from "./client.ts"
import type { Intent } from "./errors.ts"
import type { S3Profile } from "./vendors.ts"

// Classes of one kind of place, which no other one takes (docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html).
const bound: ReadonlySet<string> = new Set(["EXPRESS_ONEZONE", "FSX_ONTAP", "FSX_OPENZFS", "OUTPOSTS", "SNOW"])

/** The storage class of the source, which the service would not keep by itself; none of the default class. */
export const classHeaders = (profile: S3Profile, { storageClass }: ObjectStat): Record<string, string> =>
  !profile.storageClass || storageClass === undefined || bound.has(storageClass)
    ? {}
    : { "x-amz-storage-class": storageClass }

/** Headers of an upload whose parts are copied: what a copy with one request carries by itself, it is told here. */
export const copiedHeaders = Effect.fnUntraced(function*(
  client: S3Client,
  source: CopySource
): Effect.fn.Return<Record<string, string>, ObjectStoreError> {
  const headers = classHeaders(client.profile, source.stat)
  if (!client.profile.tags) return headers
  const tags = encodeParameters(yield* tagsOf(client, source))
  return tags === "" ? headers : { ...headers, "x-amz-tagging": tags }
})

const intent: Intent = { operation: "openUpload", mutation: false, about: "object" }

/** Tags of an object; they may not be seen by everybody who may read it, but by whoever copies it with one request. */
const tagsOf = (
  client: S3Client,
  { container, key }: CopySource
): Effect.Effect<Readonly<Record<string, string>>, ObjectStoreError> =>
  sendForDocument(client, { intent, method: "GET", container, key, query: { tagging: "" } }, "Tagging", readTags).pipe(
    Effect.map(({ document }) => document),
    Effect.mapError((error) => withContext(error, { outcome: "not-applied" }))
  )

const readTags = (xml: XmlReader): Readonly<Record<string, string>> => {
  const tags: Record<string, string> = Object.create(null)
  for (let set = xml.child(); set !== undefined; set = xml.child()) {
    if (set !== "TagSet") {
      xml.skip()
      continue
    }
    for (let tag = xml.child(); tag !== undefined; tag = xml.child()) {
      let key = ""
      let value = ""
      for (let name = xml.child(); name !== undefined; name = xml.child()) {
        if (name === "Key") key = xml.text()
        else if (name === "Value") value = xml.text()
        else xml.skip()
      }
      tags[key] = value
    }
  }
  return tags
}
