/**
 * Cases of the uploads of the backend contract.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { PartReceipt, Upload } from "../../Backend.ts"
import { bytes, byUtf8, failsWith, holds, refuses, same, sameBytes } from "./assertions.ts"
import { type Case, contract, type ContractContext, need, subject } from "./Case.ts"
import { at, plain, readAll, write } from "./primitives.ts"

const uploadParts = Effect.fnUntraced(function*(
  t: ContractContext,
  upload: Upload,
  body: Uint8Array,
  order?: ReadonlyArray<number>
) {
  const count = Math.ceil(body.length / t.partSize)
  const receipts: Array<PartReceipt> = []
  for (const i of order ?? Array.from({ length: count }, (_, i) => i)) {
    const offset = i * t.partSize
    receipts[i] = yield* t.backend.uploadPart(upload, {
      number: i + 1,
      offset,
      body: body.subarray(offset, offset + t.partSize),
      last: i === count - 1
    })
  }
  return receipts
})

const openIds = Effect.fnUntraced(function*(t: ContractContext, prefix: string = t.prefix) {
  const ids: Array<string> = []
  let cursor: unknown
  do {
    const page = yield* t.backend.listUploads({ container: t.container, prefix, cursor })
    ids.push(...page.uploads.map((upload) => upload.id))
    cursor = page.next
  } while (cursor !== undefined)
  return ids
})

const listed = need("uploads that are listed", (c) => c.multipart.listed && c.multipart.abort === "removes")
const isolated = need("uploads of one key apart", (c) => c.multipart.listed && c.multipart.isolated)
const unordered = need("parts in any order", (c) => !c.multipart.ordered)
const conditionalParts = need("conditional completion", (c) => c.conditionalCreate && c.multipart.conditionalComplete)

/**
 * Cases of uploads on the primitives.
 *
 * @category testing
 * @since 0.1.0
 */
export const backendUploads: ReadonlyArray<Case> = subject("Backend uploads", [
  contract("nothing is visible until the upload completes, and then the object is its parts", function*(t) {
    const body = bytes(3 * t.partSize + 7)
    const upload = yield* t.backend.openUpload(at(t, "x"), plain)
    if (listed.met(t.capabilities)) same(yield* openIds(t), [upload.id], "open uploads")
    const parts = yield* uploadParts(t, upload, body)
    yield* failsWith("NotFound", t.backend.head(at(t, "x"), {}))
    const page = yield* t.backend.listPage({ container: t.container, prefix: t.prefix, limit: 10 })
    same(page.objects, [], "objects")
    const reply = yield* t.backend.completeUpload(upload, { parts, size: body.length })
    same([reply.size, reply.etag], [body.length, (yield* t.backend.head(at(t, "x"), {})).etag])
    sameBytes((yield* readAll(t.backend, at(t, "x"), { conditions: {} }, 50_000)).body, body, "object")
    if (listed.met(t.capabilities)) same(yield* openIds(t), [], "open uploads")
  }),
  contract("parts may come in any order, and the same number again replaces the part", function*(t) {
    const body = bytes(4 * t.partSize + 1)
    const upload = yield* t.backend.openUpload(at(t, "x"), plain)
    yield* uploadParts(t, upload, bytes(body.length, 9), [1, 4])
    const parts = yield* uploadParts(t, upload, body, [3, 0, 4, 2, 1])
    yield* t.backend.completeUpload(upload, { parts, size: body.length })
    sameBytes((yield* readAll(t.backend, at(t, "x"), { conditions: {} }, 50_000)).body, body, "object")
  }, { needs: [unordered] }),
  contract("parts may be stored side by side", function*(t) {
    const body = bytes(8 * t.partSize)
    const upload = yield* t.backend.openUpload(at(t, "x"), plain)
    const parts = yield* Effect.forEach(Array.from({ length: 8 }, (_, i) => i), (i) =>
      t.backend.uploadPart(upload, {
        number: i + 1,
        offset: i * t.partSize,
        body: body.subarray(i * t.partSize, (i + 1) * t.partSize),
        last: i === 7
      }), { concurrency: 8 })
    yield* t.backend.completeUpload(upload, { parts, size: body.length })
    sameBytes((yield* readAll(t.backend, at(t, "x"), { conditions: {} }, 50_000)).body, body, "object")
  }, { needs: [unordered] }),
  contract("the body of a part can be used again when it is stored", function*(t) {
    const size = 2 * t.partSize
    const upload = yield* t.backend.openUpload(at(t, "x"), plain)
    const buffer = bytes(size)
    const parts = yield* uploadParts(t, upload, buffer)
    buffer.fill(0)
    yield* t.backend.completeUpload(upload, { parts, size })
    sameBytes((yield* readAll(t.backend, at(t, "x"), { conditions: {} }, 50_000)).body, bytes(size), "object")
  }),
  contract("a part that was never stored publishes nothing", function*(t) {
    const body = bytes(3 * t.partSize)
    const upload = yield* t.backend.openUpload(at(t, "x"), plain)
    const parts = yield* uploadParts(t, upload, body, t.capabilities.multipart.ordered ? [0] : [0, 2])
    const forged: PartReceipt = { ...parts[0]!, number: 2, offset: t.partSize }
    const all = [parts[0]!, forged, parts[2] ?? { ...parts[0]!, number: 3, offset: 2 * t.partSize }]
    yield* refuses(
      ["IntegrityFailed", "InvalidRequest"],
      t.backend.completeUpload(upload, { parts: all, size: body.length })
    )
    yield* failsWith("NotFound", t.backend.head(at(t, "x"), {}))
    yield* t.backend.abortUpload(upload)
  }),
  contract("carries attributes and metadata", function*(t) {
    const attributes = t.capabilities.attributes ? { contentType: "text/x-test" } : {}
    const metadata = t.capabilities.metadata ? { a: "1" } : {}
    const upload = yield* t.backend.openUpload(at(t, "x"), { mode: "overwrite", attributes, metadata })
    const parts = yield* uploadParts(t, upload, bytes(10))
    yield* t.backend.completeUpload(upload, { parts, size: 10 })
    const stat = yield* t.backend.head(at(t, "x"), {})
    if (t.capabilities.attributes) same(stat.attributes?.contentType, "text/x-test", "contentType")
    same({ ...stat.metadata }, metadata)
  }),
  contract("an upload that is aborted, completed or unknown is UploadNotFound", function*(t) {
    const one = yield* t.backend.openUpload(at(t, "one"), plain)
    yield* uploadParts(t, one, bytes(10))
    yield* t.backend.abortUpload({ container: one.container, key: one.key, id: one.id })
    yield* refuses("UploadNotFound", t.backend.abortUpload(one))
    const two = yield* t.backend.openUpload(at(t, "two"), plain)
    const parts = yield* uploadParts(t, two, bytes(10))
    yield* t.backend.completeUpload(two, { parts, size: 10 })
    yield* refuses("UploadNotFound", t.backend.abortUpload(two))
    const three = yield* t.backend.openUpload(at(t, "three"), plain)
    const late = yield* uploadParts(t, three, bytes(10))
    yield* t.backend.abortUpload(three)
    yield* refuses("UploadNotFound", t.backend.completeUpload(three, { parts: late, size: 10 }))
    yield* refuses(
      "UploadNotFound",
      t.backend.uploadPart(three, { number: 1, offset: 0, body: bytes(10), last: true })
    )
    yield* failsWith("NotFound", t.backend.head(at(t, "three"), {}))
    same(yield* openIds(t), [], "open uploads")
  }, { needs: [listed] }),
  contract("a mode that does not hold fails as in write and leaves the upload open", function*(t) {
    const body = bytes(2 * t.partSize)
    const upload = yield* t.backend.openUpload(at(t, "x"), { ...plain, mode: "create" })
    const parts = yield* uploadParts(t, upload, body)
    yield* write(t, "x", bytes(5))
    yield* refuses("AlreadyExists", t.backend.completeUpload(upload, { parts, size: body.length }))
    same((yield* t.backend.head(at(t, "x"), {})).size, 5, "size")
    same(yield* openIds(t), [upload.id], "open uploads")
    yield* t.backend.abortUpload(upload)
  }, { needs: [conditionalParts, listed] }),
  contract("two uploads of one key do not disturb each other", function*(t) {
    const [one, two] = [yield* t.backend.openUpload(at(t, "x"), plain), yield* t.backend.openUpload(at(t, "x"), plain)]
    holds(one.id !== two.id, "two uploads have one id")
    same(byUtf8(yield* openIds(t)), byUtf8([one.id, two.id]), "open uploads")
    const size = t.partSize + 5
    const parts = [yield* uploadParts(t, one, bytes(size, 1)), yield* uploadParts(t, two, bytes(size, 2))]
    yield* t.backend.completeUpload(one, { parts: parts[0]!, size })
    sameBytes((yield* readAll(t.backend, at(t, "x"), { conditions: {} }, 50_000)).body, bytes(size, 1), "the first")
    yield* t.backend.completeUpload(two, { parts: parts[1]!, size })
    sameBytes((yield* readAll(t.backend, at(t, "x"), { conditions: {} }, 50_000)).body, bytes(size, 2), "the second")
  }, { needs: [isolated] }),
  contract("open uploads are listed by the prefix of their keys", function*(t) {
    const opened = yield* Effect.forEach(["a/1", "a/2", "ab", "b"], (name) => t.backend.openUpload(at(t, name), plain))
    for (const [prefix, which] of [["", [0, 1, 2, 3]], ["a", [0, 1, 2]], ["a/", [0, 1]], ["c", []]] as const) {
      const expected = which.map((i) => opened[i]!.id)
      same(byUtf8(yield* openIds(t, t.key(prefix))), byUtf8(expected), `uploads under ${prefix}`)
    }
    yield* Effect.forEach(opened, (upload) => t.backend.abortUpload(upload), { discard: true })
  }, { needs: [listed] })
])
