/**
 * Pages of a listing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { ListedObject, ListPage, ListRequest } from "../../src/Backend.ts"
import { retag } from "../../src/http/serviceError.ts"
import { violation } from "../../src/http/violation.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { bucketPath, call, type Client, query, type Resource } from "./client.ts"
import { backendName } from "./config.ts"
import { fail } from "./errors.ts"
import { statFields, statOfResource, textField } from "./resource.ts"

/** Where the next page begins. */
class PageToken {
  readonly token: string
  constructor(token: string) {
    this.token = token
  }
}

const fields = `items(${statFields}),prefixes,nextPageToken`

/** What is not found when a bucket is listed is the bucket. */
const missingBucket = (error: ObjectStoreError): ObjectStoreError =>
  error.reason._tag === "NotFound" ? retag(error, "ContainerNotFound") : error

const fetchPage = (
  client: Client,
  container: string,
  parameters: Readonly<Record<string, string | number | undefined>>
): Effect.Effect<Resource, ObjectStoreError> =>
  Effect.mapError(
    call(client, {
      operation: "listPage",
      method: "GET",
      path: `${bucketPath(container)}/o${query({ ...parameters, fields })}`,
      mutation: false
    }),
    missingBucket
  )

/** Lists one page. */
export const listPage = Effect.fnUntraced(function*(
  client: Client,
  { container, cursor, delimiter, limit, prefix, startAfter }: ListRequest
): Effect.fn.Return<ListPage, ObjectStoreError> {
  if (cursor !== undefined && !(cursor instanceof PageToken)) {
    return yield* fail("listPage", "InvalidRequest", "the cursor is not one of this store")
  }
  const page = yield* fetchPage(client, container, {
    prefix: prefix === "" ? undefined : prefix,
    delimiter,
    // It is inclusive: an equal key is dropped below.
    startOffset: startAfter,
    pageToken: cursor?.token,
    maxResults: limit
  })
  const objects = yield* objectsOf(page, startAfter)
  const prefixes = yield* prefixesOf(page)
  const next = textField(page, "nextPageToken")
  if (next !== undefined && next === cursor?.token) {
    return yield* violation(asked, "a page of the listing is followed by itself")
  }
  return {
    objects,
    prefixes: yield* withoutReached(client, container, prefixes, startAfter),
    next: next === undefined ? undefined : new PageToken(next)
  }
})

const asked = { backend: backendName, operation: "listPage" } as const

const objectsOf = (page: Resource, startAfter: string | undefined) => {
  const items = page["items"] ?? []
  if (!Array.isArray(items)) return Effect.fail(violation(asked, "the answer holds no list of items"))
  const objects: Array<ListedObject> = []
  for (const item of items as ReadonlyArray<Resource>) {
    const key = textField(item, "name")
    const stat = statOfResource(item)
    if (key === undefined || stat === undefined) {
      return Effect.fail(violation(asked, "an item of the answer describes no object"))
    }
    if (key !== startAfter) objects.push({ key, ...stat })
  }
  return Effect.succeed(objects)
}

const prefixesOf = (page: Resource): Effect.Effect<ReadonlyArray<string>, ObjectStoreError> => {
  const prefixes = page["prefixes"] ?? []
  return Array.isArray(prefixes) && prefixes.every((prefix) => typeof prefix === "string")
    ? Effect.succeed(prefixes)
    : Effect.fail(violation(asked, "the answer holds no list of prefixes"))
}

/**
 * A prefix that `startAfter` lies in is listed if a key below it comes after; the service lists it for an equal key too,
 * so it is asked for the two keys that matter.
 */
const withoutReached = Effect.fnUntraced(function*(
  client: Client,
  container: string,
  prefixes: ReadonlyArray<string>,
  startAfter: string | undefined
): Effect.fn.Return<ReadonlyArray<string>, ObjectStoreError> {
  const reached = startAfter === undefined ? undefined : prefixes.find((prefix) => startAfter.startsWith(prefix))
  if (reached === undefined) return prefixes
  const page = yield* fetchPage(client, container, { prefix: reached, startOffset: startAfter, maxResults: 2 })
  const after = yield* objectsOf(page, startAfter)
  return after.length > 0 ? prefixes : prefixes.filter((prefix) => prefix !== reached)
})
