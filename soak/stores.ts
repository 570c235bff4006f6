/**
 * Stores of workloads, with the options that a program gets if it says nothing.
 */
import { Effect, Exit, Scope } from "effect"
import * as S3 from "../layers/S3.ts"

const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" }

/** The options that lead to a server. */
const s3Options = (endpoint: string, options?: S3.S3Options): S3.S3Options => ({
  base: "s3://bucket/",
  endpoint,
  region: "us-east-1",
  credentials,
  vendor: "aws",
  ...options
})

/** Opens a store until `close`. */
export const openS3 = async (endpoint: string, options?: S3.S3Options) => {
  const scope = Scope.makeUnsafe()
  const store = await Effect.runPromise(Scope.provide(S3.make(s3Options(endpoint, options)), scope))
  return { store, close: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}
