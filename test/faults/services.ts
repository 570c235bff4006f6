import { Effect, type Scope } from "effect"
import type { ObjectStoreError, ObjectStoreOperations } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as S3 from "effect-objectstore/layers/S3"
import { FaultServer } from "effect-objectstore/testing"
import type { Sizes } from "./operations.ts"

export type Server = Omit<FaultServer.FaultServer<unknown>, "options">

/** A server of any service, and the way to a store on it. */
export interface Running {
  readonly server: Server
  readonly connect: Effect.Effect<ObjectStoreOperations, ObjectStoreError, Scope.Scope>
}

/** How long a store of a test waits, and how much it does at a time. */
export interface Limits {
  readonly headersTimeout: number
  readonly stallTimeout: number
  readonly connectTimeout: number
  readonly connections?: number
  readonly requests?: number
  readonly lookup?: ((host: string) => string | undefined) | undefined
}

export const limits: Limits = { headersTimeout: 150, stallTimeout: 150, connectTimeout: 500 }

/** The smallest parts of S3 take their time where little of the processor is left. */
export const limitsOf: Readonly<Record<ServiceName, Limits>> = {
  S3: { headersTimeout: 600, stallTimeout: 600, connectTimeout: 2000 },
  Azure: limits,
  GCS: { headersTimeout: 250, stallTimeout: 250, connectTimeout: 1000 }
}

export type Start = (
  options: FaultServer.FaultServerOptions,
  limits: Limits
) => Effect.Effect<Running, ObjectStoreError, Scope.Scope>

export type ServiceName = "S3" | "Azure" | "GCS"

/** The smallest parts of each service, and the size above which S3 is made to copy in parts. */
export const sizes: Readonly<Record<ServiceName, Sizes>> = {
  S3: { part: 5 * 1024 * 1024, maxCopy: 5 * 1024 * 1024 },
  Azure: { part: 1000, maxCopy: undefined },
  GCS: { part: 256 * 1024, maxCopy: undefined }
}

const vendor: S3.S3Profile = { ...S3.profiles.aws, maxCopySize: 5 * 1024 * 1024 }

/** The services. */
export const services: Readonly<Record<ServiceName, Start>> = {
  S3: Effect.fnUntraced(function*(options, times) {
    const server = yield* FaultServer.s3(options)
    return { server, connect: S3.make({ ...server.options, ...times, vendor }) }
  }),
  Azure: Effect.fnUntraced(function*(options, times) {
    const server = yield* FaultServer.azure(options)
    return { server, connect: Azure.make({ ...server.options, ...times }) }
  }),
  GCS: Effect.fnUntraced(function*(options, times) {
    const server = yield* FaultServer.gcs(options)
    return { server, connect: Gcs.make({ ...server.options, ...times }) }
  })
}
