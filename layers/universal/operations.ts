/**
 * The operations of a store, each done by the store that its location belongs to.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import type { Capabilities } from "../../src/Capabilities.ts"
import type { ObjectStore, ObjectStoreOperations } from "../../src/ObjectStore.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { At } from "../../src/ObjectStoreOptions.ts"
import { createContainer, deleteContainer, listContainers } from "./containers.ts"
import { copy, rename } from "./copy.ts"
import { deleteMany } from "./remove.ts"
import { explain, type Router } from "./stores.ts"

type Store = ObjectStore["Service"]

/** Nothing left out: an operation that is not routed here does not compile. */
type Complete<A> = { readonly [Name in keyof A]-?: A[Name] }

/** Routes every operation. */
export const makeOperations = (router: Router, capabilities: Capabilities): Complete<ObjectStoreOperations> => {
  const storeFor = (name: keyof ObjectStoreOperations, at: At, mutation: boolean) =>
    Effect.mapError(router.storeOf(at), (error) => explain(error, name, at, mutation))

  const reading = <A, R>(
    name: keyof ObjectStoreOperations,
    at: At,
    run: (store: Store) => Effect.Effect<A, ObjectStoreError, R>
  ) => Effect.flatMap(storeFor(name, at, false), run)

  const writing = <A, R>(
    name: keyof ObjectStoreOperations,
    at: At,
    run: (store: Store) => Effect.Effect<A, ObjectStoreError, R>
  ) => Effect.flatMap(storeFor(name, at, true), run)

  const streaming = <A>(
    name: keyof ObjectStoreOperations,
    at: At,
    run: (store: Store) => Stream.Stream<A, ObjectStoreError>
  ) => Stream.unwrap(Effect.map(storeFor(name, at, false), run))

  return {
    capabilities,
    get: (at, options) => reading("get", at, (store) => store.get(at, options)),
    getRange: (at, range, options) => reading("getRange", at, (store) => store.getRange(at, range, options)),
    getRanges: (at, ranges, options) => reading("getRanges", at, (store) => store.getRanges(at, ranges, options)),
    getInto: (at, target, options) => reading("getInto", at, (store) => store.getInto(at, target, options)),
    stream: (at, options) => streaming("stream", at, (store) => store.stream(at, options)),
    open: (at, options) => reading("open", at, (store) => store.open(at, options)),
    stat: (at, options) => reading("stat", at, (store) => store.stat(at, options)),
    exists: (at, options) => reading("exists", at, (store) => store.exists(at, options)),
    put: (at, body, options) => writing("put", at, (store) => store.put(at, body, options)),
    putMultipart: (at, body, options) => writing("putMultipart", at, (store) => store.putMultipart(at, body, options)),
    sink: (at, options) => Sink.unwrap(Effect.map(storeFor("sink", at, true), (store) => store.sink(at, options))),
    writer: (at, options) => writing("writer", at, (store) => store.writer(at, options)),
    list: (prefix = "", options) => streaming("list", prefix, (store) => store.list(prefix, options)),
    listDirectory: (prefix = "", options) =>
      streaming("listDirectory", prefix, (store) => store.listDirectory(prefix, options)),
    delete: (at, options) => writing("delete", at, (store) => store.delete(at, options)),
    deleteMany: (keys, options) => deleteMany(router, keys, options),
    deletePrefix: (prefix, options) => writing("deletePrefix", prefix, (store) => store.deletePrefix(prefix, options)),
    copy: (from, to, options) => copy(router, from, to, options),
    rename: (from, to, options) => rename(router, from, to, options),
    createContainer: (name, options) => createContainer(router, name, options),
    deleteContainer: (name) => deleteContainer(router, name),
    listContainers: (options) => listContainers(router, options?.prefix ?? ""),
    presign: (at, options) => reading("presign", at, (store) => store.presign(at, options)),
    listUploads: (prefix = "") => streaming("listUploads", prefix, (store) => store.listUploads(prefix)),
    abortUpload: (upload) => writing("abortUpload", upload.uri, (store) => store.abortUpload(upload))
  }
}
