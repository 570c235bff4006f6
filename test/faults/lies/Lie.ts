/**
 * What a server may lie about, what it is asked, and what may come of it.
 */
import { Effect, Stream } from "effect"
import type { ObjectStoreError, ObjectStoreOperations } from "effect-objectstore"
import { type FaultServer, WireFault } from "effect-objectstore/testing"
import { bytesOf } from "../operations.ts"
import type { ServiceName } from "../services.ts"

/** An object. */
export const small = bytesOf(1, 600)
/** What is there. */
export const objects = { "a": small, "p/1": small, "p/2": small, "p/3": small }

type Operation = FaultServer.WireOperation

/** One lie, told every time, and what may come of it: one of these errors, or else nothing but the truth. */
export interface Lie {
  readonly services?: ReadonlyArray<ServiceName>
  readonly to: Operation | ReadonlyArray<Operation>
  readonly fault: WireFault.WireFault
  readonly ask: keyof typeof questions
  readonly errors: ReadonlyArray<string>
}

/** What is asked, with answers that can be compared with the truth. */
export const questions = {
  "get": (store) => store.get("a"),
  "get in parts": (store) => store.get("a", { partSize: 256, concurrency: 1 }),
  "getRange": (store) => store.getRange("a", { offset: 100, length: 200 }),
  "getRange of the end": (store) => store.getRange("a", { suffix: 50 }),
  "stat": (store) => Effect.map(store.stat("a"), ({ key, size }) => [key, size]),
  "list": (store) =>
    Effect.map(Stream.runCollect(store.list("p/", { pageSize: 2 })), (found) => found.map(({ key }) => key)),
  "list all": (store) =>
    Effect.map(
      Stream.runCollect(store.list("", { pageSize: 2 })),
      (found) => found.map(({ key, size }) => [key, size])
    ),
  "listUploads": (store) => Effect.as(Stream.runDrain(store.listUploads()), "none"),
  "listUploads of a prefix": (store) => Effect.as(Stream.runDrain(store.listUploads("p/")), "none"),
  "listContainers": (store) =>
    Effect.map(Stream.runCollect(store.listContainers()), (found) => found.map(({ name }) => name)),
  "deleteMany": (store) =>
    Effect.flatMap(Stream.runCollect(store.deleteMany(["p/1", "p/2", "p/3"])), (results) => {
      const failed = results.find(({ error }) => error !== undefined)?.error
      return failed === undefined ? Effect.succeed(results.length) : Effect.fail(failed)
    }),
  "deletePrefix": (store) => store.deletePrefix("p/"),
  "delete": (store) => store.delete("a"),
  "put": (store) => Effect.map(store.put("new", small), ({ size }) => size),
  "put of much": (store) => Effect.map(store.put("new", new Uint8Array(12 * 1024 * 1024)), ({ size }) => size),
  "create": (store) => Effect.map(store.put("new", small, { mode: "create" }), ({ size }) => size),
  "putMultipart": (store) => Effect.map(store.putMultipart("new", small), ({ size }) => size),
  "copy": (store) => Effect.map(store.copy("a", "new"), ({ size }) => size)
} satisfies Record<string, (store: ObjectStoreOperations) => Effect.Effect<unknown, ObjectStoreError>>

export const range = (value: string | undefined) => WireFault.contentRange(value)
export const header = (headers: Record<string, string | undefined>) => WireFault.change({ headers })
export const body = (body: string | ((body: string) => string), applied = true) =>
  WireFault.change({ body }, { applied })
export const xmlClouds: ReadonlyArray<ServiceName> = ["S3", "Azure"]
export const refused = ["ProtocolViolation"]
export const anyBody = [
  "ProtocolViolation",
  "BodyInterrupted",
  "ObjectChanged",
  "IntegrityFailed",
  "RangeNotSatisfiable"
]
export const S3: ReadonlyArray<ServiceName> = ["S3"]
export const Azure: ReadonlyArray<ServiceName> = ["Azure"]
export const GCS: ReadonlyArray<ServiceName> = ["GCS"]
