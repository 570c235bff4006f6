/**
 * Buckets.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { BackendContainer } from "../../src/Backend.ts"
import type { ErrorReasonTag } from "../../src/ErrorReason.ts"
import { timeOf } from "../../src/http/replyStat.ts"
import { violation } from "../../src/http/violation.ts"
import { missing, xmlDocument, type XmlReader, xmlText } from "../../src/http/Xml.ts"
import { compareKeys } from "../../src/keyOrder.ts"
import { type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import type { ContainerOptions } from "../../src/ObjectStoreOptions.ts"
import { askedOf, type S3Client, sendForDocument, sendOnly } from "./client.ts"
import { type Intent, refuse, unsupported } from "./errors.ts"

const create: Intent = { operation: "createContainer", mutation: true, about: "container" }

/** The region that needs no naming, and where making a bucket of one's own again succeeds. */
const firstRegion = "us-east-1"

/** `Backend.createContainer`. */
export const createContainer = Effect.fnUntraced(function*(
  client: S3Client,
  container: string,
  { location }: ContainerOptions
): Effect.fn.Return<void, ObjectStoreError> {
  const { profile, regions } = client
  if (location !== undefined && !profile.containerLocation) return yield* unsupported("containerLocation")
  const isAws = profile.name === "aws"
  const region = isAws && location !== undefined ? location : regions.of("")
  const constraint = location ?? (isAws ? region : undefined)
  if (isAws && region === firstRegion && (yield* isThere(client, container))) {
    return yield* refuse("AlreadyExists", create.operation, "there is a bucket of this name", true)
  }
  // A bucket is made where it is to be.
  const before = regions.knows(container) ? regions.of(container) : undefined
  regions.learn(container, region)
  const body = constraint === undefined || constraint === firstRegion ? undefined : Buffer.from(xmlDocument(
    `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
      xmlText("LocationConstraint", constraint)
    }</CreateBucketConfiguration>`
  ))
  yield* sendOnly(client, { intent: create, method: "PUT", container, body }).pipe(
    Effect.tapError(() =>
      Effect.sync(() => {
        if (before === undefined) regions.forget(container)
        else regions.learn(container, before)
      })
    )
  )
})

const lookIntent: Intent = { operation: "createContainer", mutation: false, about: "container" }

/** Whether a bucket of one's own is there. One that may not be looked at is somebody else's, and its name is taken. */
const isThere = (client: S3Client, container: string): Effect.Effect<boolean, ObjectStoreError> =>
  sendOnly(client, {
    intent: lookIntent,
    method: "HEAD",
    container
  }).pipe(
    // AWS tells the region of every bucket; who does not is something between.
    Effect.filterOrFail(
      ({ headers }) => headers["x-amz-bucket-region"] !== undefined,
      (reply) => violation(askedOf(lookIntent), "the answer tells no region, so it is no bucket", reply)
    ),
    Effect.as(true),
    Effect.catchIf(({ reason }) => decided.has(reason._tag), () => Effect.succeed(false)),
    Effect.mapError((error) => withContext(error, { outcome: "not-applied" }))
  )

/** Answers to a look at a bucket after which the service itself says whether one can be made. */
const decided: ReadonlySet<ErrorReasonTag> = new Set(["ContainerNotFound", "PermissionDenied", "Configuration"])

/** `Backend.deleteContainer`. */
export const deleteContainer = (client: S3Client, container: string): Effect.Effect<void, ObjectStoreError> =>
  Effect.map(
    sendOnly(client, {
      intent: { operation: "deleteContainer", mutation: true, about: "container" },
      method: "DELETE",
      container
    }),
    () => client.regions.forget(container)
  )

const listIntent: Intent = { operation: "listContainers", mutation: false, about: "service" }

/** `Backend.listContainers`. */
export const listContainers = Effect.fnUntraced(
  function*(client: S3Client): Effect.fn.Return<ReadonlyArray<BackendContainer>, ObjectStoreError> {
    const found: Array<BackendContainer> = []
    const seen = new Set<string>()
    let token: string | undefined
    do {
      const { document, reply } = yield* sendForDocument(
        client,
        {
          intent: listIntent,
          method: "GET",
          container: "",
          query: { "continuation-token": token }
        },
        "ListAllMyBucketsResult",
        readBuckets
      )
      found.push(...document.buckets)
      if (document.next !== undefined && seen.has(document.next)) {
        return yield* violation(askedOf(listIntent), "there are more buckets, but no new place to go on from", reply)
      }
      token = document.next
      if (token !== undefined) seen.add(token)
    } while (token !== undefined)
    return found.sort((a, b) => compareKeys(a.name, b.name))
  }
)

const readBuckets = (xml: XmlReader) => {
  const buckets: Array<BackendContainer> = []
  let next: string | undefined
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "Buckets") {
      for (let inner = xml.child(); inner !== undefined; inner = xml.child()) {
        if (inner === "Bucket") buckets.push(readBucket(xml))
        else xml.skip()
      }
    } else if (name === "ContinuationToken") next = xml.text() || undefined
    else xml.skip()
  }
  return { buckets, next }
}

const readBucket = (xml: XmlReader): BackendContainer => {
  let bucket: string | undefined
  let created: string | undefined
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "Name") bucket = xml.text()
    else if (name === "CreationDate") created = xml.text()
    else xml.skip()
  }
  return { name: bucket ?? missing("Name"), created: timeOf(created) }
}
