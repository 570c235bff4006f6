/**
 * Containers.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { BackendContainer } from "../../src/Backend.ts"
import { readText } from "../../src/http/replyBody.ts"
import { violation } from "../../src/http/violation.ts"
import { parseXml, refuseXml, type XmlReader } from "../../src/http/Xml.ts"
import { compareKeys } from "../../src/keyOrder.ts"
import { makeError, type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import { type Client, send, sendForHead } from "./client.ts"
import { backendName } from "./errors.ts"
import { listBlobs } from "./list.ts"

/** Makes a container. */
export const createContainer = (client: Client, container: string): Effect.Effect<void, ObjectStoreError> =>
  Effect.asVoid(sendForHead(client, {
    operation: "createContainer",
    mutation: true,
    ofContainer: true,
    method: "PUT",
    container,
    query: { restype: "container" },
    accept: [201]
  }))

/** Removes a container that holds nothing. The service removes it with all that is in it, so it is looked at first. */
export const deleteContainer = Effect.fnUntraced(function*(
  client: Client,
  container: string
): Effect.fn.Return<void, ObjectStoreError> {
  let cursor: unknown
  do {
    const page = yield* listBlobs(client, { container, prefix: "", limit: 1, cursor })
    if (page.objects.length > 0) {
      return yield* makeError("NotEmpty", {
        operation: "deleteContainer",
        backend: backendName,
        description: "the container holds objects",
        outcome: "not-applied"
      })
    }
    cursor = page.next
  } while (cursor !== undefined)
  yield* sendForHead(client, {
    operation: "deleteContainer",
    mutation: true,
    ofContainer: true,
    method: "DELETE",
    container,
    query: { restype: "container" },
    accept: [202]
  })
}, Effect.mapError((error: ObjectStoreError) => error.outcome === undefined ? notBegun(error) : error))

/** The look failed, and so nothing was removed. */
const notBegun = (error: ObjectStoreError): ObjectStoreError => withContext(error, { outcome: "not-applied" })

const asked = { backend: backendName, operation: "listContainers" }

const maxReply = 16 * 1024 * 1024

/** All containers of the account. */
export const listContainers = Effect.fnUntraced(function*(
  client: Client
): Effect.fn.Return<ReadonlyArray<BackendContainer>, ObjectStoreError> {
  const containers: Array<BackendContainer> = []
  const seen = new Set<string>()
  let marker: string | undefined
  do {
    const next: string | undefined = yield* send(client, {
      operation: asked.operation,
      mutation: false,
      method: "GET",
      query: { comp: "list", marker },
      accept: [200]
    }).pipe(
      Effect.flatMap((reply) => readText(asked, reply, maxReply)),
      Effect.flatMap((text) => parseXml(asked, text, "EnumerationResults", (xml) => readPage(xml, containers))),
      Effect.scoped
    )
    if (next !== undefined && seen.has(next)) {
      return yield* violation(asked, "the listing comes back to a page that it has left")
    }
    marker = next
    if (next !== undefined) seen.add(next)
  } while (marker !== undefined)
  return containers.sort((a, b) => compareKeys(a.name, b.name))
})

/** Adds the containers of a page, and answers where the next one begins. */
const readPage = (xml: XmlReader, containers: Array<BackendContainer>): string | undefined => {
  let next = ""
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "NextMarker") next = xml.text()
    else if (name !== "Containers") xml.skip()
    else while (xml.child() !== undefined) containers.push(readContainer(xml))
  }
  return next === "" ? undefined : next
}

const readContainer = (xml: XmlReader): BackendContainer => {
  let container = ""
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    if (name === "Name") container = xml.text()
    else xml.skip()
  }
  return container === "" ? refuseXml("a container has no name") : { name: container }
}
