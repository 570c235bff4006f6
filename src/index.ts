/**
 * One `ObjectStore` service for Effect; each backend is a layer that provides it.
 *
 * @since 0.1.0
 */
export type * from "./Backend.ts"
export type { Capabilities, MultipartCapabilities, Tuning } from "./Capabilities.ts"
export * as Checksum from "./codec/Checksum.ts"
export * as SeekTable from "./codec/SeekTable.ts"
export * as Zstd from "./codec/Zstd.ts"
export { compress, type CompressSettings, layerCompress } from "./compress.ts"
export {
  defaultMatrix,
  type RequestClass,
  requestClasses,
  type RetryFailure,
  type RetryMatrix,
  type RetryVerdicts,
  type Verdict,
  verdictsOf
} from "./engine/retryMatrix.ts"
export { defaultRetryPolicy, RetryPolicy, type RetryPolicyOptions } from "./engine/retryPolicy.ts"
export { ErrorReason, ErrorReasons, type ErrorReasonTag, Outcome } from "./ErrorReason.ts"
export { attributeNames } from "./ObjectInfo.ts"
export type * from "./ObjectInfo.ts"
export * from "./ObjectStore.ts"
export { isObjectStoreError, makeError, ObjectStoreError, type ReasonFields, withContext } from "./ObjectStoreError.ts"
export type * from "./ObjectStoreOptions.ts"
export * as ObjectUri from "./ObjectUri.ts"
