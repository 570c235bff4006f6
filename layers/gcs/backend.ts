/**
 * The backend contract over GCS.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Backend } from "../../src/Backend.ts"
import { makeError, type ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { checkContainerName } from "../../src/ObjectUri.ts"
import type { Client } from "./client.ts"
import { backendName } from "./config.ts"
import { createContainer, deleteContainer, listContainers } from "./containers.ts"
import { copy } from "./copy.ts"
import { fail } from "./errors.ts"
import { checkKey, onKeys } from "./keys.ts"
import { listPage } from "./list.ts"
import { presign } from "./presign.ts"
import { head, read } from "./read.ts"
import { deleteBatch } from "./remove.ts"
import { abortUpload, completeUpload, openUpload, type Sessions, uploadPart } from "./sessions.ts"
import { write } from "./write.ts"

/** Runs a request on a bucket whose name can be. */
const onName = <A>(
  operation: string,
  name: string,
  run: () => Effect.Effect<A, ObjectStoreError>
): Effect.Effect<A, ObjectStoreError> => {
  const wrong = checkContainerName("gs", name)
  return wrong === undefined ? run() : Effect.fail(fail(operation, "InvalidRequest", wrong, "not-applied"))
}

/** The backend over the requests of a client. */
export const toBackend = (client: Client): Backend => {
  const sessions: Sessions = new Map()
  return {
    name: backendName,
    capabilities: client.capabilities,
    address: { schemes: ["gs"], account: "", root: "" },
    endpoint: `${client.endpoint.origin}${client.endpoint.prefix}`,
    head: (at, conditions) => onKeys("head", false, [at.key], head(client, at, conditions)),
    read: (at, request) => onKeys("read", false, [at.key], read(client, at, request)),
    write: (at, body, options) => onKeys("write", true, [at.key], write(client, at, body, options)),
    openUpload: (at, options) => onKeys("openUpload", true, [at.key], openUpload(client, sessions, at, options)),
    uploadPart: (upload, part) => uploadPart(client, sessions, upload, part),
    completeUpload: (upload, request) => completeUpload(client, sessions, upload, request),
    abortUpload: (upload) => abortUpload(client, sessions, upload),
    listUploads: () =>
      Effect.fail(
        makeError("Unsupported", { operation: "listUploads", backend: backendName, capability: "multipart.listed" })
      ),
    listPage: (request) => listPage(client, request),
    deleteBatch: (container, entries) => {
      const wrong = entries.map(({ key }) => checkKey(key))
      const sent = entries.filter((_, index) => wrong[index] === undefined)
      if (sent.length === entries.length) return deleteBatch(client, container, entries)
      return Effect.map(deleteBatch(client, container, sent), (answers) => {
        let next = 0
        return wrong.map((why) =>
          why === undefined ? answers[next++] : fail("deleteBatch", "InvalidKey", why, "not-applied")
        )
      })
    },
    copy: (from, to, options) => onKeys("copy", true, [from.key, to.key], copy(client, from, to, options)),
    createContainer: (name, options) => onName("createContainer", name, () => createContainer(client, name, options)),
    deleteContainer: (name) => onName("deleteContainer", name, () => deleteContainer(client, name)),
    listContainers: listContainers(client),
    presign: (at, options) => onKeys("presign", false, [at.key], presign(client, at, options))
  }
}
