/**
 * The backend contract over memory.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type {
  Backend,
  CopyRequest,
  DeleteEntry,
  Location,
  ObjectOptions,
  ReadReply,
  ReadRequest,
  WriteReply
} from "../../src/Backend.ts"
import { compareKeys } from "../../src/keyOrder.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { ReadConditions } from "../../src/ObjectStoreOptions.ts"
import {
  addContainer,
  checkKey,
  checkShape,
  type Client,
  containerForWrite,
  copyBytes,
  findObject,
  findSource,
  publish,
  statOf,
  type StoredObject
} from "./client.ts"
import { checkMatch, checkMode, checkRead, supportsMode } from "./conditions.ts"
import { backendName, exceeded, pastTheEnd, refuse, refuseRead, unsupported } from "./errors.ts"
import { listPage } from "./list.ts"
import { abortUpload, completeUpload, copyPart, listUploads, openUpload, uploadPart } from "./uploads.ts"

type Answer<A> = Result.Result<A, ObjectStoreError>

/** One step on the store, as an effect. */
const step = <A>(run: () => Answer<A>): Effect.Effect<A, ObjectStoreError> =>
  Effect.suspend(() => Effect.fromResult(run()))

/** One step that needs the time. */
const timed = <A>(run: (now: number) => Answer<A>): Effect.Effect<A, ObjectStoreError> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.fromResult(run(now)))

const toReply = ({ body, etag }: StoredObject): WriteReply => ({ etag, size: body.length, verified: "size" })

const find = (client: Client, at: Location, conditions: ReadConditions): Answer<StoredObject> =>
  Result.flatMap(findObject(client, at), (object) => {
    const wrong = checkRead(client.capabilities, object, conditions)
    return wrong === undefined ? Result.succeed(object) : Result.fail(wrong)
  })

const span = (client: Client, size: number, range: ReadRequest["range"]): Answer<readonly [number, number]> => {
  if (range === undefined) return Result.succeed([0, size])
  if ("suffix" in range) {
    return client.capabilities.suffixRange
      ? Result.succeed([Math.max(0, size - range.suffix), size])
      : Result.fail(unsupported("suffixRange"))
  }
  return range.offset < size
    ? Result.succeed([range.offset, Math.min(size, range.offset + range.length)])
    : Result.fail(pastTheEnd(size))
}

const read = (
  client: Client,
  at: Location,
  { conditions, range }: ReadRequest
): Effect.Effect<ReadReply, ObjectStoreError, Scope.Scope> =>
  step(() =>
    Result.flatMap(
      find(client, at, conditions),
      (object) => Result.map(span(client, object.body.length, range), ([start, end]) => ({ object, start, end }))
    )
  ).pipe(
    Effect.flatMap(({ end, object, start }) => {
      let open = true
      let position = start
      const reply: ReadReply = {
        stat: statOf(object),
        offset: start,
        length: end - start,
        into: (target) =>
          step(() => {
            if (!open) return Result.fail(refuseRead("InvalidRequest", "the body's scope has closed"))
            const chunk = object.body.subarray(position, Math.min(end, position + target.length))
            target.set(chunk)
            position += chunk.length
            return Result.succeed(chunk.length)
          })
      }
      return Effect.as(Effect.addFinalizer(() => Effect.sync(() => open = false)), reply)
    })
  )

const supports = (client: Client, options: ObjectOptions): ObjectStoreError | undefined => {
  const { attributes, metadata } = client.capabilities
  if (!attributes && Object.keys(options.attributes).length > 0) return unsupported("attributes")
  if (!metadata && Object.keys(options.metadata).length > 0) return unsupported("metadata")
  return supportsMode(client.capabilities, options.mode)
}

const write = (client: Client, at: Location, body: Uint8Array, options: ObjectOptions, now: number) => {
  const { maxWriteSize } = client.capabilities
  if (body.length > maxWriteSize) return Result.fail(exceeded("maxWriteSize", maxWriteSize, body.length))
  return Result.flatMap(containerForWrite(client, at.container, now), (container) => {
    const wrong = supports(client, options) ??
      checkKey(client, at.key) ??
      checkMode(options.mode, container.objects.get(at.key)) ??
      checkShape(client, container, at.key)
    return wrong === undefined
      ? Result.map(copyBytes(body), (bytes) => toReply(publish(client, container, at.key, bytes, options, now)))
      : Result.fail(wrong)
  })
}

/** Copies or moves; the bytes of a version are shared, because they never change. */
const transfer = (
  client: Client,
  from: Location,
  to: Location,
  { ifMatch, mode }: CopyRequest,
  moves: boolean,
  now: number
): Answer<WriteReply> => {
  const { conditionalCopySource, maxCopySize, serverCopy } = client.capabilities
  if (!moves && !serverCopy) return Result.fail(unsupported("serverCopy"))
  if (ifMatch !== undefined && !conditionalCopySource) return Result.fail(unsupported("conditionalCopySource"))
  return Result.flatMap(findSource(client, from, ifMatch), (source) => {
    if (!moves && source.body.length > maxCopySize) {
      return Result.fail(exceeded("maxCopySize", maxCopySize, source.body.length))
    }
    return Result.flatMap(containerForWrite(client, to.container, now), (container) => {
      const wrong = supportsMode(client.capabilities, mode, "conditionalCopy") ??
        checkKey(client, to.key) ??
        checkMode(mode, container.objects.get(to.key)) ??
        checkShape(client, container, to.key)
      if (wrong !== undefined) return Result.fail(wrong)
      if (from.container === to.container && from.key === to.key) return Result.succeed(toReply(source))
      const published = publish(client, container, to.key, source.body, source, now)
      if (moves) client.containers.get(from.container)?.objects.delete(from.key)
      return Result.succeed(toReply(published))
    })
  })
}

const deleteBatch = (
  client: Client,
  name: string,
  entries: ReadonlyArray<DeleteEntry>
): Answer<ReadonlyArray<ObjectStoreError | undefined>> => {
  const { conditionalDelete, containers, maxDeleteBatch } = client.capabilities
  if (entries.length > maxDeleteBatch) return Result.fail(exceeded("maxDeleteBatch", maxDeleteBatch, entries.length))
  const container = client.containers.get(name)
  if (container === undefined && containers === "explicit") return Result.fail(refuse("ContainerNotFound"))
  return Result.succeed(entries.map(({ ifMatch, key }) => {
    if (ifMatch !== undefined && !conditionalDelete) return unsupported("conditionalDelete")
    const wrong = checkMatch(ifMatch, container?.objects.get(key))
    if (wrong === undefined) container?.objects.delete(key)
    return wrong
  }))
}

const createContainer = (client: Client, name: string, location: string | undefined, now: number): Answer<void> => {
  if (location !== undefined) return Result.fail(unsupported("containerLocation"))
  if (client.containers.has(name)) return Result.fail(refuse("AlreadyExists", "there is a container of this name"))
  addContainer(client, name, now)
  return Result.void
}

const deleteContainer = (client: Client, name: string): Answer<void> => {
  const container = client.containers.get(name)
  if (container === undefined) return Result.fail(refuse("ContainerNotFound"))
  if (container.objects.size() > 0) return Result.fail(refuse("NotEmpty", "the container holds objects"))
  if (container.uploads.size > 0) return Result.fail(refuse("NotEmpty", "the container holds open uploads"))
  client.containers.delete(name)
  return Result.void
}

/** The backend over what a store holds. */
export const toBackend = (client: Client): Backend => {
  const { capabilities } = client
  return {
    name: backendName,
    capabilities,
    address: { schemes: ["mem"], account: "", root: "" },
    head: (at, conditions) => step(() => Result.map(find(client, at, conditions), statOf)),
    read: (at, request) => read(client, at, request),
    write: (at, body, options) => timed((now) => write(client, at, body, options, now)),
    openUpload: (at, options) =>
      timed((now) => {
        const wrong = supports(client, options)
        return wrong === undefined ? openUpload(client, at, options, now) : Result.fail(wrong)
      }),
    uploadPart: (upload, part) => step(() => uploadPart(client, upload, part)),
    copyPart: capabilities.maxCopySize < capabilities.maxObjectSize
      ? (upload, part) => step(() => copyPart(client, upload, part))
      : undefined,
    completeUpload: (upload, request) =>
      timed((now) => Result.map(completeUpload(client, upload, request, now), toReply)),
    abortUpload: (upload) => step(() => abortUpload(client, upload)),
    listUploads: (request) => step(() => listUploads(client, request)),
    listPage: (request) => step(() => listPage(client, request)),
    deleteBatch: (container, entries) => step(() => deleteBatch(client, container, entries)),
    copy: (from, to, options) => timed((now) => transfer(client, from, to, options, false, now)),
    rename: capabilities.atomicRename
      ? (from, to, options) => timed((now) => transfer(client, from, to, options, true, now))
      : undefined,
    createContainer: (name, { location }) => timed((now) => createContainer(client, name, location, now)),
    deleteContainer: (name) => step(() => deleteContainer(client, name)),
    listContainers: Effect.sync(() =>
      Array.from(client.containers.values(), ({ created, name }) => ({ name, created }))
        .sort((a, b) => compareKeys(a.name, b.name))
    ),
    presign: () => Effect.fail(unsupported("presign"))
  }
}
