/**
 * What stands in for a store in tests of programs: mocks, and stores that fail by plan. It needs no test runner, so it
 * can be used with any; `effect-objectstore/testing` has it too.
 *
 * @since 0.1.0
 */
export {
  type AzureIntercept,
  type AzureModel,
  azureModel,
  type AzureModelOptions,
  type AzureReply,
  type AzureRequest
} from "./azure/AzureModel.ts"
export * as Fault from "./Fault.ts"
export * from "./FaultPlan.ts"
export { faults, layerFaults } from "./faults.ts"
export * as FaultServer from "./FaultServer.ts"
export { on } from "./FaultServer.ts"
export { faultyBackend } from "./faultyBackend.ts"
export {
  type GcsIntercept,
  type GcsModel,
  gcsModel,
  type GcsModelOptions,
  type GcsReply,
  type GcsRequest
} from "./gcs/GcsModel.ts"
export { layerMock } from "./layerMock.ts"
export {
  type S3Intercept,
  type S3Model,
  s3Model,
  type S3ModelOptions,
  type S3Reply,
  type S3Request
} from "./s3/S3Model.ts"
export * as WireFault from "./WireFault.ts"
