/**
 * The names of what can meet a fault: a rule of another one could never be met, and a test of it could never fail.
 *
 * @internal
 */
import type { BackendOperation, FaultOperation, StoreOperation } from "./FaultPlan.ts"

/** A table that lacks one, or has one too many, does not compile. */
const backend: { readonly [Name in BackendOperation]: true } = {
  abortUpload: true,
  completeUpload: true,
  copy: true,
  copyPart: true,
  createContainer: true,
  deleteBatch: true,
  deleteContainer: true,
  deleteEntry: true,
  head: true,
  listContainers: true,
  listPage: true,
  listUploads: true,
  openUpload: true,
  presign: true,
  read: true,
  readInto: true,
  rename: true,
  uploadPart: true,
  write: true
}

const store: { readonly [Name in StoreOperation]: true } = {
  abortUpload: true,
  copy: true,
  createContainer: true,
  delete: true,
  deleteContainer: true,
  deleteMany: true,
  deletePrefix: true,
  exists: true,
  get: true,
  getInto: true,
  getRange: true,
  getRanges: true,
  list: true,
  listContainers: true,
  listDirectory: true,
  listUploads: true,
  open: true,
  presign: true,
  put: true,
  putMultipart: true,
  "reader.read": true,
  "reader.readInto": true,
  "reader.stream": true,
  rename: true,
  sink: true,
  stat: true,
  stream: true,
  "writer.finish": true,
  "writer.write": true,
  writer: true
}

/** Whether a store or a backend has this operation. */
export const isOperation = (name: string): name is FaultOperation =>
  Object.hasOwn(backend, name) || Object.hasOwn(store, name)
