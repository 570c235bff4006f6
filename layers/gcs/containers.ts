/**
 * Buckets.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { BackendContainer } from "../../src/Backend.ts"
import { timeOf } from "../../src/http/replyStat.ts"
import { retag } from "../../src/http/serviceError.ts"
import { violation } from "../../src/http/violation.ts"
import { compareKeys } from "../../src/keyOrder.ts"
import { type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import type { ContainerOptions } from "../../src/ObjectStoreOptions.ts"
import { bucketPath, call, type Client, command, query, type Resource } from "./client.ts"
import { backendName } from "./config.ts"
import { textField } from "./resource.ts"

/** Makes a bucket in the project. */
export const createContainer = Effect.fnUntraced(function*(
  client: Client,
  name: string,
  { location }: ContainerOptions
): Effect.fn.Return<void, ObjectStoreError> {
  const project = yield* Effect.mapError(
    client.identity.projectId,
    (error) => withContext(error, { outcome: "not-applied" })
  )
  const made = call(client, {
    operation: "createContainer",
    method: "POST",
    path: `/storage/v1/b${query({ project })}`,
    headers: { "content-type": "application/json; charset=utf-8" },
    body: Buffer.from(JSON.stringify({ name, location })),
    mutation: true
  })
  const bucket = yield* Effect.mapError(
    made,
    (error) => error.reason._tag === "Conflict" ? retag(error, "AlreadyExists") : error
  )
  if (textField(bucket, "name") !== name) {
    return yield* violation(
      { backend: backendName, operation: "createContainer", outcome: "unknown" },
      "the answer describes another bucket, or none"
    )
  }
})

/** Removes an empty bucket. */
export const deleteContainer = (client: Client, name: string): Effect.Effect<void, ObjectStoreError> =>
  Effect.mapError(
    command(client, { operation: "deleteContainer", method: "DELETE", path: bucketPath(name), mutation: true }),
    (error) => {
      switch (error.reason._tag) {
        // Google's own answer, and that of fake-gcs-server.
        case "Conflict":
        case "PreconditionFailed":
          return retag(error, "NotEmpty")
        case "NotFound":
          return retag(error, "ContainerNotFound")
        default:
          return error
      }
    }
  )

const containerOf = (item: Resource): BackendContainer | undefined => {
  const name = textField(item, "name")
  return name === undefined ? undefined : { name, created: timeOf(textField(item, "timeCreated")) }
}

/** All buckets of the project. */
export const listContainers = Effect.fnUntraced(
  function*(client: Client): Effect.fn.Return<ReadonlyArray<BackendContainer>, ObjectStoreError> {
    const project = yield* client.identity.projectId
    const containers: Array<BackendContainer> = []
    const seen = new Set<string>()
    let pageToken: string | undefined
    do {
      const page: Resource = yield* call(client, {
        operation: "listContainers",
        method: "GET",
        path: `/storage/v1/b${query({ project, pageToken, fields: "items(name,timeCreated),nextPageToken" })}`,
        mutation: false
      })
      const items = page["items"] ?? []
      const found = Array.isArray(items) ? (items as ReadonlyArray<Resource>).map(containerOf) : [undefined]
      for (const container of found) {
        if (container === undefined) {
          return yield* violation(
            { backend: backendName, operation: "listContainers" },
            "the answer is no list of buckets"
          )
        }
        containers.push(container)
      }
      const next = textField(page, "nextPageToken")
      if (next !== undefined && seen.has(next)) {
        return yield* violation(
          { backend: backendName, operation: "listContainers" },
          "the listing comes back to a page that it has left"
        )
      }
      pageToken = next
      if (next !== undefined) seen.add(next)
    } while (pageToken !== undefined)
    return containers.sort((a, b) => compareKeys(a.name, b.name))
  }
)
