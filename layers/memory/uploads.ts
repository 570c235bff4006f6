/**
 * Uploads in parts.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import type {
  CopiedPart,
  ListUploadsRequest,
  Location,
  ObjectOptions,
  Part,
  PartReceipt,
  Upload,
  UploadId,
  UploadsPage
} from "../../src/Backend.ts"
import type { MultipartCapabilities } from "../../src/Capabilities.ts"
import { compareKeys } from "../../src/keyOrder.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import {
  checkKey,
  checkShape,
  type Client,
  concatBytes,
  containerForWrite,
  copyBytes,
  findUpload,
  publish,
  sourceOf,
  type StoredObject,
  type StoredPart,
  type StoredUpload
} from "./client.ts"
import { checkMode } from "./conditions.ts"
import { exceeded, refuse, refuseRead } from "./errors.ts"

type Answer<A> = Result.Result<A, ObjectStoreError>

/** Begins an upload. */
export const openUpload = (client: Client, at: Location, options: ObjectOptions, now: number): Answer<Upload> =>
  Result.flatMap(containerForWrite(client, at.container, now), (container) => {
    const wrong = checkKey(client, at.key) ??
      // A store that cannot decide at the end decides at the beginning.
      (client.capabilities.multipart.conditionalComplete
        ? undefined
        : checkMode(options.mode, container.objects.get(at.key)))
    if (wrong !== undefined) return Result.fail(wrong)
    const id = client.nextToken()
    container.uploads.set(id, {
      id,
      key: at.key,
      initiated: DateTime.makeUnsafe(now),
      options: { ...options, attributes: { ...options.attributes }, metadata: { ...options.metadata } },
      parts: new Map()
    })
    return Result.succeed({ container: at.container, key: at.key, id, options })
  })

/** Stores a part. */
export const uploadPart = (client: Client, upload: Upload, part: Part): Answer<PartReceipt> =>
  storePart(client, upload, part, part.body.length, () => copyBytes(part.body))

/** Stores a part that is made of another object's bytes. */
export const copyPart = (client: Client, upload: Upload, part: CopiedPart): Answer<PartReceipt> =>
  storePart(client, upload, part, part.length, () => sourceOf(client, part))

const storePart = (
  client: Client,
  upload: Upload,
  { number, offset }: Pick<Part, "number" | "offset">,
  size: number,
  body: () => Answer<Uint8Array>
): Answer<PartReceipt> =>
  Result.flatMap(findUpload(client, upload), ({ stored }) => {
    const wrong = checkPart(client.capabilities.multipart, stored, number, offset, size)
    return wrong === undefined
      ? Result.map(body(), (bytes) => {
        const etag = `"${client.nextToken()}"`
        stored.parts.set(number, { offset, body: bytes, etag })
        return { number, offset, size, etag }
      })
      : Result.fail(wrong)
  })

const checkPart = (
  { maxPartSize, maxParts, ordered }: MultipartCapabilities,
  stored: StoredUpload,
  number: number,
  offset: number,
  size: number
): ObjectStoreError | undefined => {
  if (number > maxParts) return exceeded("multipart.maxParts", maxParts, number)
  if (size > maxPartSize) return exceeded("multipart.maxPartSize", maxPartSize, size)
  if (!ordered) return undefined
  // The last part may come again, because its answer may have been lost.
  const before = stored.parts.get(number - 1)
  const inOrder = (number === stored.parts.size + 1 || number === stored.parts.size) &&
    offset === (before === undefined ? 0 : before.offset + before.body.length)
  return inOrder ? undefined : refuse("InvalidRequest", `part ${number} at ${offset} is not the next one`)
}

/** Publishes an upload. */
export const completeUpload = (
  client: Client,
  upload: Upload,
  request: { readonly parts: ReadonlyArray<PartReceipt>; readonly size: number },
  now: number
): Answer<StoredObject> =>
  Result.flatMap(findUpload(client, upload), ({ container, stored }) => {
    const { maxObjectSize, multipart } = client.capabilities
    const chosen = chooseParts(multipart, stored, request.parts)
    if (Result.isFailure(chosen)) return Result.fail(chosen.failure)
    const size = chosen.success.reduce((sum, part) => sum + part.body.length, 0)
    if (size !== request.size) {
      return Result.fail(refuse("IntegrityFailed", `the parts have ${size} bytes, ${request.size} were announced`))
    }
    if (size > maxObjectSize) return Result.fail(exceeded("maxObjectSize", maxObjectSize, size))
    const wrong = (multipart.conditionalComplete
      ? checkMode(stored.options.mode, container.objects.get(stored.key))
      : undefined) ?? checkShape(client, container, stored.key)
    if (wrong !== undefined) return Result.fail(wrong)
    return Result.map(concatBytes(chosen.success.map((part) => part.body), size), (body) => {
      container.uploads.delete(stored.id)
      return publish(client, container, stored.key, body, stored.options, now)
    })
  })

const chooseParts = (
  { minPartSize, partMultiple }: MultipartCapabilities,
  stored: StoredUpload,
  receipts: ReadonlyArray<PartReceipt>
): Answer<ReadonlyArray<StoredPart>> => {
  if (receipts.length === 0) return Result.fail(refuse("InvalidRequest", "an upload has at least one part"))
  const chosen: Array<StoredPart> = []
  let offset = 0
  for (const [index, receipt] of receipts.entries()) {
    const { number, size } = receipt
    if (number !== index + 1) {
      return Result.fail(refuse("InvalidRequest", `part ${number} stands where part ${index + 1} belongs`))
    }
    const part = stored.parts.get(number)
    if (part === undefined) return Result.fail(refuse("InvalidRequest", `part ${number} was not stored`))
    if (part.etag !== receipt.etag || part.body.length !== size) {
      return Result.fail(refuse("IntegrityFailed", `part ${number} is not the one that is stored`))
    }
    if (receipt.offset !== offset || part.offset !== offset) {
      return Result.fail(refuse("InvalidRequest", `part ${number} does not begin at ${offset}`))
    }
    if (index < receipts.length - 1 && (size < minPartSize || size % partMultiple !== 0)) {
      return Result.fail(
        refuse(
          "InvalidRequest",
          `part ${number} has ${size} bytes; parts but the last have at least ${minPartSize}, in multiples of ${partMultiple}`
        )
      )
    }
    chosen.push(part)
    offset += size
  }
  return Result.succeed(chosen)
}

/** Drops an upload. */
export const abortUpload = (client: Client, upload: UploadId): Answer<void> =>
  Result.map(findUpload(client, upload), ({ container, stored }) => {
    container.uploads.delete(stored.id)
  })

/** Where the next page of uploads begins: after this one. */
class UploadsCursor {
  readonly key: string
  readonly id: string
  constructor(key: string, id: string) {
    this.key = key
    this.id = id
  }
}

/** Lists a page of open uploads, ordered by key and id. */
export const listUploads = (client: Client, request: ListUploadsRequest): Answer<UploadsPage> => {
  const { container: name, cursor, prefix } = request
  const container = client.containers.get(name)
  if (container === undefined) {
    return client.capabilities.containers === "explicit"
      ? Result.fail(refuseRead("ContainerNotFound"))
      : Result.succeed({ uploads: [] })
  }
  if (cursor !== undefined && !(cursor instanceof UploadsCursor)) {
    return Result.fail(refuseRead("InvalidRequest", "the cursor is not one of this store"))
  }
  const order = (a: { key: string; id: string }, b: { key: string; id: string }) =>
    compareKeys(a.key, b.key) || compareKeys(a.id, b.id)
  const found = Array.from(container.uploads.values())
    .filter((upload) => upload.key.startsWith(prefix) && (cursor === undefined || order(upload, cursor) > 0))
    .sort(order)
  const page = found.slice(0, client.capabilities.maxPageSize)
  const last = page.at(-1)
  return Result.succeed({
    uploads: page.map(({ id, initiated, key }) => ({ container: name, key, id, initiated })),
    next: last === undefined || page.length === found.length ? undefined : new UploadsCursor(last.key, last.id)
  })
}
