/**
 * The backend contract over Azure Blob.
 *
 * @internal
 */
import type { Backend } from "../../src/Backend.ts"
import type { Client } from "./client.ts"
import { createContainer, deleteContainer, listContainers } from "./containers.ts"
import { copy } from "./copy.ts"
import { backendName } from "./errors.ts"
import { listBlobs } from "./list.ts"
import { presign } from "./presign.ts"
import { head, read } from "./read.ts"
import { deleteBatch } from "./remove.ts"
import { abortUpload, completeUpload, copyPart, listUploads, openUpload, uploadPart } from "./uploads.ts"
import { write } from "./write.ts"

/** Makes the backend of an account. */
export const toBackend = (client: Client): Backend => ({
  name: backendName,
  capabilities: client.settings.capabilities,
  address: { schemes: ["az", "https"], account: client.settings.account, root: "" },
  endpoint: `${client.settings.endpoint.origin}${client.settings.endpoint.basePath}`,
  head: (at, conditions) => head(client, at, conditions),
  read: (at, request) => read(client, at, request),
  write: (at, body, options) => write(client, at, body, options),
  openUpload,
  uploadPart: (upload, part) => uploadPart(client, upload, part),
  copyPart: (upload, part) => copyPart(client, upload, part),
  completeUpload: (upload, request) => completeUpload(client, upload, request),
  abortUpload: () => abortUpload,
  listUploads: (request) => listUploads(client, request),
  listPage: (request) => listBlobs(client, request),
  deleteBatch: (container, entries) => deleteBatch(client, container, entries),
  copy: (from, to, options) => copy(client, from, to, options),
  createContainer: (name) => createContainer(client, name),
  deleteContainer: (name) => deleteContainer(client, name),
  listContainers: listContainers(client),
  presign: (at, options) => presign(client, at, options)
})
