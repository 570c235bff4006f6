import { Effect, type Scope } from "effect"
import type { ObjectStoreError, ObjectStoreOperations } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as S3 from "effect-objectstore/layers/S3"
import { FaultServer } from "effect-objectstore/testing"

/** A server of any service, and a store on it. */
export interface Running {
  readonly server: Omit<FaultServer.FaultServer<unknown>, "options">
  readonly store: ObjectStoreOperations
}

/** How long a store of a test waits, and how much it does at a time. */
export interface Limits {
  readonly headersTimeout: number
  readonly stallTimeout: number
  readonly connectTimeout: number
  readonly connections?: number
}

export const limits: Limits = { headersTimeout: 150, stallTimeout: 150, connectTimeout: 500 }

export type Start = (
  options: FaultServer.FaultServerOptions,
  limits: Limits
) => Effect.Effect<Running, ObjectStoreError, Scope.Scope>

/** The services. */
export const services: Readonly<Record<"S3" | "Azure" | "GCS", Start>> = {
  S3: Effect.fnUntraced(function*(options, times) {
    const server = yield* FaultServer.s3(options)
    return { server, store: yield* S3.make({ ...server.options, ...times }) }
  }),
  Azure: Effect.fnUntraced(function*(options, times) {
    const server = yield* FaultServer.azure(options)
    return { server, store: yield* Azure.make({ ...server.options, ...times }) }
  }),
  GCS: Effect.fnUntraced(function*(options, times) {
    const server = yield* FaultServer.gcs(options)
    return { server, store: yield* Gcs.make({ ...server.options, ...times }) }
  })
}
