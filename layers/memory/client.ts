/**
 * What a memory store holds. Every change of it is one synchronous step, so nobody ever sees half of one.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import type { CopiedPart, Location, ObjectOptions, ObjectStat, Upload } from "../../src/Backend.ts"
import type { Capabilities } from "../../src/Capabilities.ts"
import { compareKeys } from "../../src/keyOrder.ts"
import { attributeNames, type Attributes, type Metadata } from "../../src/ObjectInfo.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { exceeded, refuse, refuseRead } from "./errors.ts"
import { byOwnOrder, type KeyIndex, makeKeyIndex } from "./KeyIndex.ts"

/** One version of an object; its bytes never change. */
export interface StoredObject {
  readonly body: Uint8Array
  readonly etag: string
  readonly lastModified: DateTime.Utc
  readonly attributes: Attributes
  readonly metadata: Metadata
}

/** One part of an open upload. */
export interface StoredPart {
  readonly offset: number
  readonly body: Uint8Array
  readonly etag: string
}

/** An open upload. */
export interface StoredUpload {
  readonly id: string
  readonly key: string
  readonly initiated: DateTime.Utc
  readonly options: ObjectOptions
  readonly parts: Map<number, StoredPart>
}

/** A container. */
export interface Container {
  readonly name: string
  readonly created: DateTime.Utc
  readonly objects: KeyIndex<StoredObject>
  /** By id. */
  readonly uploads: Map<string, StoredUpload>
}

/** All that a store holds. */
export interface Client {
  readonly capabilities: Capabilities
  readonly containers: Map<string, Container>
  /** A token that no other version, part or upload of any store has. */
  readonly nextToken: () => string
}

/** Makes an empty store; `seed` tells its tokens from those of other stores. */
export const makeClient = (capabilities: Capabilities, seed: string): Client => {
  let count = 0
  return { capabilities, containers: new Map(), nextToken: () => `${seed}-${(count++).toString(36)}` }
}

/** Adds a container that is not there. */
export const addContainer = (client: Client, name: string, now: number): Container => {
  const container: Container = {
    name,
    created: DateTime.makeUnsafe(now),
    objects: makeKeyIndex(client.capabilities.sortedList ? compareKeys : byOwnOrder),
    uploads: new Map()
  }
  client.containers.set(name, container)
  return container
}

/** The container that is written to; where containers are implicit it appears. */
export const containerForWrite = (
  client: Client,
  name: string,
  now: number
): Result.Result<Container, ObjectStoreError> => {
  const container = client.containers.get(name)
  if (container !== undefined) return Result.succeed(container)
  return client.capabilities.containers === "implicit"
    ? Result.succeed(addContainer(client, name, now))
    : Result.fail(refuse("ContainerNotFound"))
}

/** The object at a place. */
export const findObject = (client: Client, at: Location): Result.Result<StoredObject, ObjectStoreError> => {
  const container = client.containers.get(at.container)
  if (container === undefined) {
    return Result.fail(refuseRead(client.capabilities.containers === "explicit" ? "ContainerNotFound" : "NotFound"))
  }
  const object = container.objects.get(at.key)
  return object === undefined ? Result.fail(refuseRead("NotFound")) : Result.succeed(object)
}

/** Whether the store can hold an object under this key. */
export const checkKey = ({ capabilities }: Client, key: string): ObjectStoreError | undefined => {
  const { maxKeyBytes, maxSegmentBytes } = capabilities
  if (Buffer.byteLength(key) > maxKeyBytes) return refuse("InvalidKey", `the key has more than ${maxKeyBytes} bytes`)
  return maxSegmentBytes !== undefined && key.split("/").some((segment) => Buffer.byteLength(segment) > maxSegmentBytes)
    ? refuse("InvalidKey", `a segment of the key has more than ${maxSegmentBytes} bytes`)
    : undefined
}

/** Whether a key stands where another object's directory or file would have to be. */
export const checkShape = (client: Client, container: Container, key: string): ObjectStoreError | undefined => {
  if (!client.capabilities.hierarchical) return undefined
  const { objects } = container
  for (let slash = key.indexOf("/"); slash !== -1; slash = key.indexOf("/", slash + 1)) {
    if (objects.get(key.slice(0, slash)) !== undefined) {
      return refuse("Conflict", `there is an object "${key.slice(0, slash)}", so there can be none below it`)
    }
  }
  const below = `${key}/`
  for (const next of objects.from((other) => objects.order(other, below) >= 0)) {
    return next.startsWith(below) ? refuse("Conflict", "there are objects below the key") : undefined
  }
  return undefined
}

/** Stores a version. */
export const publish = (
  client: Client,
  container: Container,
  key: string,
  body: Uint8Array,
  carried: { readonly attributes: Attributes; readonly metadata: Metadata },
  now: number
): StoredObject => {
  const object: StoredObject = {
    body,
    etag: `"${client.nextToken()}"`,
    lastModified: DateTime.makeUnsafe(now),
    attributes: keepAttributes(carried.attributes),
    metadata: keepMetadata(carried.metadata)
  }
  container.objects.set(key, object)
  return object
}

const keepAttributes = (given: Attributes): Attributes => {
  const kept: { -readonly [Name in keyof Attributes]: Attributes[Name] } = {}
  for (const name of attributeNames) {
    const value = given[name]
    if (value !== undefined) kept[name] = value
  }
  return Object.freeze(kept)
}

const keepMetadata = (given: Metadata): Metadata =>
  Object.freeze(Object.assign<Record<string, string>, Metadata>(Object.create(null), given))

/** What a version tells of itself. */
export const statOf = (object: StoredObject): ObjectStat => ({
  size: object.body.length,
  etag: object.etag,
  lastModified: object.lastModified,
  attributes: object.attributes,
  metadata: object.metadata
})

/** Copies bytes, so that they do not change with their owner's buffer. */
export const copyBytes = (body: Uint8Array): Result.Result<Uint8Array, ObjectStoreError> =>
  Result.try({
    try: () => new Uint8Array(body),
    catch: () => refuse("StorageFull", `there is no memory for ${body.length} bytes`)
  })

/** Puts parts together. */
export const concatBytes = (
  parts: ReadonlyArray<Uint8Array>,
  size: number
): Result.Result<Uint8Array, ObjectStoreError> =>
  Result.try({
    try: () => {
      const body = new Uint8Array(size)
      let offset = 0
      for (const part of parts) {
        body.set(part, offset)
        offset += part.length
      }
      return body
    },
    catch: () => refuse("StorageFull", `there is no memory for ${size} bytes`)
  })

/** The bytes of another object that a part is made of. */
export const sourceOf = (client: Client, part: CopiedPart): Result.Result<Uint8Array, ObjectStoreError> =>
  Result.flatMap(findSource(client, part.from, part.ifMatch), ({ body }) => {
    const { maxCopySize } = client.capabilities
    if (part.length > maxCopySize) return Result.fail(exceeded("maxCopySize", maxCopySize, part.length))
    return part.offset + part.length > body.length
      ? Result.fail(refuse("InvalidRequest", "the part reaches past the end of the source"))
      : Result.succeed(body.subarray(part.offset, part.offset + part.length))
  })

/** The source of a copy. */
export const findSource = (
  client: Client,
  from: Location,
  ifMatch: string | undefined
): Result.Result<StoredObject, ObjectStoreError> => {
  const container = client.containers.get(from.container)
  if (container === undefined) {
    return Result.fail(refuse(client.capabilities.containers === "explicit" ? "ContainerNotFound" : "NotFound"))
  }
  const object = container.objects.get(from.key)
  if (object === undefined) return Result.fail(refuse("NotFound", "there is no source"))
  return ifMatch === undefined || ifMatch === object.etag
    ? Result.succeed(object)
    : Result.fail(refuse("PreconditionFailed", "the source has another etag"))
}

/** An open upload and its container. */
export const findUpload = (
  client: Client,
  upload: Pick<Upload, "container" | "key" | "id">
): Result.Result<{ readonly container: Container; readonly stored: StoredUpload }, ObjectStoreError> => {
  const container = client.containers.get(upload.container)
  const stored = container?.uploads.get(upload.id)
  return container === undefined || stored === undefined || stored.key !== upload.key
    ? Result.fail(refuse("UploadNotFound"))
    : Result.succeed({ container, stored })
}
