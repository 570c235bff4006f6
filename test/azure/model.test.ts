import {
  BlobSASPermissions,
  BlobServiceClient,
  type BlockBlobClient,
  type ContainerClient,
  generateBlobSASQueryParameters,
  newPipeline,
  type RestError,
  StorageSharedKeyCredential
} from "@azure/storage-blob"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type AzureModel, azureModel, type AzureModelOptions } from "effect-objectstore/testing"
import { makeUndiciTransport } from "../../src/http/UndiciTransport.ts"

const noRetries = { retryOptions: { maxTries: 1 } }

/** Runs the vendor's own client against a model. */
const withSdk = (
  options: AzureModelOptions,
  run: (context: {
    readonly model: AzureModel
    readonly credential: StorageSharedKeyCredential
    readonly service: BlobServiceClient
    readonly container: ContainerClient
  }) => Promise<void>
) =>
  Effect.scoped(Effect.gen(function*() {
    const model = yield* azureModel(options)
    const credential = new StorageSharedKeyCredential(model.account, model.accountKey)
    const service = new BlobServiceClient(model.endpoint, credential, noRetries)
    const container = service.getContainerClient("data")
    yield* Effect.promise(async () => {
      await container.create()
      await run({ model, credential, service, container })
    })
  }))

/** The service's code and status of a request that fails. */
const refusal = async (request: Promise<unknown>): Promise<readonly [number | undefined, unknown]> => {
  const error = await request.then(() => assert.fail("it succeeded"), (error: RestError) => error)
  return [error.statusCode, error.response?.headers.get("x-ms-error-code")]
}

const put = (blob: BlockBlobClient, text: string, options?: Parameters<BlockBlobClient["upload"]>[2]) =>
  blob.upload(text, Buffer.byteLength(text), options)

const bytesOf = async (blob: BlockBlobClient, offset = 0, count?: number): Promise<string> =>
  (await blob.downloadToBuffer(offset, count)).toString()

describe("the Azure model, driven by the vendor's own client", () => {
  it.live("keeps bytes, attributes, metadata, tags and MD5", () =>
    withSdk({}, async ({ container }) => {
      const blob = container.getBlockBlobClient("dir/a b%2F+é.txt")
      const { contentMD5, etag } = await put(blob, "hello", {
        blobHTTPHeaders: { blobContentType: "text/plain", blobContentLanguage: "de", blobCacheControl: "no-cache" },
        metadata: { Some: "thing" },
        tags: { a: "b c" },
        tier: "Cool"
      })
      const told = await blob.getProperties()
      assert.strictEqual(told.etag, etag)
      assert.deepStrictEqual(
        [told.contentLength, told.contentType, told.contentLanguage, told.cacheControl, told.accessTier, told.tagCount],
        [5, "text/plain", "de", "no-cache", "Cool", 1]
      )
      assert.deepStrictEqual(told.metadata, { some: "thing" })
      assert.deepStrictEqual(Buffer.from(told.contentMD5!), Buffer.from(contentMD5!))
      assert.strictEqual(await bytesOf(blob), "hello")
      assert.strictEqual(await bytesOf(blob, 1, 3), "ell")
      assert.deepStrictEqual((await blob.getTags()).tags, { a: "b c" })
      assert.deepStrictEqual(await refusal(blob.download(5)), [416, "InvalidRange"])
      await blob.delete()
      assert.deepStrictEqual(await refusal(blob.download()), [404, "BlobNotFound"])
    }))

  it.live("decides conditions", () =>
    withSdk({}, async ({ container }) => {
      const blob = container.getBlockBlobClient("a")
      const { etag } = await put(blob, "1", { conditions: { ifNoneMatch: "*" } })
      const [match, other] = [etag!, "\"0x0\""]
      assert.deepStrictEqual(await refusal(put(blob, "2", { conditions: { ifNoneMatch: "*" } })), [
        409,
        "BlobAlreadyExists"
      ])
      assert.deepStrictEqual(await refusal(put(blob, "2", { conditions: { ifMatch: other } })), [
        412,
        "ConditionNotMet"
      ])
      assert.deepStrictEqual(await refusal(blob.delete({ conditions: { ifMatch: other } })), [412, "ConditionNotMet"])
      assert.deepStrictEqual(await refusal(blob.download(0, 1, { conditions: { ifMatch: other } })), [
        412,
        "ConditionNotMet"
      ])
      assert.strictEqual((await refusal(blob.download(0, 1, { conditions: { ifNoneMatch: match } })))[0], 304)
      await put(blob, "2", { conditions: { ifMatch: match } })
      assert.strictEqual(await bytesOf(blob), "2")
    }))

  it.live("makes blobs of blocks, in the order of the commit", () =>
    withSdk({}, async ({ container }) => {
      const blob = container.getBlockBlobClient("blocks")
      const id = (n: number) => Buffer.from(`block-${n}`).toString("base64")
      for (const n of [2, 0, 1, 3]) await blob.stageBlock(id(n), `(${n})`, 3)
      assert.deepStrictEqual((await blob.getBlockList("uncommitted")).uncommittedBlocks?.length, 4)
      assert.deepStrictEqual(await refusal(blob.getProperties()), [404, "BlobNotFound"])
      assert.deepStrictEqual(await refusal(blob.stageBlock(Buffer.from("longer id").toString("base64"), "x", 1)), [
        400,
        "InvalidBlobOrBlock"
      ])
      assert.deepStrictEqual(await refusal(blob.commitBlockList([id(0), id(9)])), [400, "InvalidBlockList"])
      const wrong = new Uint8Array(16)
      assert.deepStrictEqual(await refusal(blob.stageBlock(id(0), "x", 1, { transactionalContentMD5: wrong })), [
        400,
        "Md5Mismatch"
      ])
      const crc64 = Buffer.alloc(8)
      crc64.writeBigUInt64LE(0xae8b14860a799888n)
      const check = (text: string) => blob.stageBlock(id(0), text, 9, { transactionalContentCrc64: crc64 })
      assert.deepStrictEqual(Buffer.from((await check("123456789")).xMsContentCrc64!), crc64)
      assert.deepStrictEqual(await refusal(check("123456780")), [400, "Crc64Mismatch"])
      await blob.stageBlock(id(0), "(0)", 3)
      await blob.commitBlockList([id(0), id(1), id(2)], { metadata: { a: "1" } })
      assert.strictEqual(await bytesOf(blob), "(0)(1)(2)")
      assert.deepStrictEqual(await refusal(blob.commitBlockList([id(3)])), [400, "InvalidBlockList"])
      const found = []
      await put(container.getBlockBlobClient("other"), "x")
      await container.getBlockBlobClient("waits").stageBlock(id(0), "x", 1)
      for await (const item of container.listBlobsFlat({ includeUncommitedBlobs: true })) found.push(item.name)
      assert.deepStrictEqual(found, ["blocks", "other", "waits"])
    }))

  it.live("lists in pages, by prefix and delimiter, with names that XML cannot hold", () =>
    withSdk({ emptyPages: true }, async ({ container }) => {
      const names = ["a/1", "a/2", "b", "c/\u{1f600}/d", "c/x & <y>", "odd\uffff"]
      for (const name of names) await put(container.getBlockBlobClient(name), name)
      const flat: Array<string> = []
      let pages = 0
      for await (const page of container.listBlobsFlat().byPage({ maxPageSize: 2 })) {
        pages++
        flat.push(...page.segment.blobItems.map((item) => item.name))
      }
      assert.deepStrictEqual(flat.toSorted(), names.toSorted())
      assert.strictEqual(pages, 4)
      const folded: Array<string> = []
      for await (const item of container.listBlobsByHierarchy("/")) folded.push(`${item.kind} ${item.name}`)
      // The client gives the prefixes of a page first.
      assert.deepStrictEqual(folded.toSorted((a, b) => a.split(" ")[1]! < b.split(" ")[1]! ? -1 : 1), [
        "prefix a/",
        "blob b",
        "prefix c/",
        "blob odd\uffff"
      ])
    }))

  it.live("copies by URL if the source is opened for it, and shows copies that are pending", () =>
    withSdk({ pendingCopies: 2 }, async ({ container, credential, model }) => {
      const source = container.getBlockBlobClient("source")
      await put(source, "content", { metadata: { a: "1" } })
      const target = container.getBlockBlobClient("target")
      assert.deepStrictEqual(await refusal(target.syncCopyFromURL(source.url)), [403, "CannotVerifyCopySource"])
      const sas = (permissions: string) =>
        generateBlobSASQueryParameters({
          containerName: "data",
          blobName: "source",
          permissions: BlobSASPermissions.parse(permissions),
          expiresOn: new Date(Date.now() + 60_000)
        }, credential)
      assert.deepStrictEqual(await refusal(target.syncCopyFromURL(`${source.url}?${sas("d")}`)), [
        403,
        "CannotVerifyCopySource"
      ])
      await target.syncCopyFromURL(`${source.url}?${sas("r")}`)
      const first = await target.getProperties()
      assert.deepStrictEqual([first.copyStatus, first.contentLength], ["pending", 0])
      const second = await target.getProperties()
      assert.deepStrictEqual([second.copyStatus, second.contentLength], ["success", 7])
      assert.strictEqual(await bytesOf(target), "content")
      assert.deepStrictEqual((await target.getProperties()).metadata, { a: "1" })
      const poller = await target.beginCopyFromURL(source.url, { intervalInMs: 1 })
      await poller.pollUntilDone()
      const pending = await target.beginCopyFromURL(source.url, { intervalInMs: 1 })
      await target.abortCopyFromURL((JSON.parse(pending.toString()) as { state: { copyId: string } }).state.copyId)
      assert.strictEqual((await target.getProperties()).copyStatus, "aborted")
      assert.match(model.endpoint, /^http:\/\/127\.0\.0\.1:\d+\/devstoreaccount1$/)
    }))

  it.live("answers each request of a batch", () =>
    withSdk({}, async ({ container, service }) => {
      for (const name of ["a", "b"]) await put(container.getBlockBlobClient(name), name)
      const blobs = ["a", "missing", "b"].map((name) => container.getBlobClient(name))
      const { subResponses } = await service.getBlobBatchClient().deleteBlobs(blobs)
      assert.deepStrictEqual(subResponses.map((reply) => [reply.status, reply.errorCode]), [
        [202, undefined],
        [404, "BlobNotFound"],
        [202, undefined]
      ])
    }))

  it.live("refuses a wrong key, nobody, and a signature that is old, forged or allows something else", () =>
    withSdk({}, async ({ container, credential, model }) => {
      const blob = container.getBlockBlobClient("a")
      await put(blob, "x")
      const wrong = new StorageSharedKeyCredential(model.account, Buffer.from("wrong").toString("base64"))
      const as = (credential?: StorageSharedKeyCredential, query = "") =>
        new BlobServiceClient(`${model.endpoint}${query}`, newPipeline(credential, noRetries)).getContainerClient(
          "data"
        )
          .getBlockBlobClient("a")
      assert.deepStrictEqual(await refusal(as(wrong).download()), [403, "AuthenticationFailed"])
      assert.deepStrictEqual(await refusal(as().download()), [401, "NoAuthenticationInformation"])
      const sas = (expiresOn: Date, permissions = "r") =>
        `?${
          generateBlobSASQueryParameters({
            containerName: "data",
            permissions: BlobSASPermissions.parse(permissions),
            expiresOn
          }, credential)
        }`
      const soon = new Date(Date.now() + 60_000)
      assert.strictEqual(await bytesOf(as(undefined, sas(soon))), "x")
      assert.deepStrictEqual(await refusal(as(undefined, sas(new Date(Date.now() - 60_000))).download()), [
        403,
        "AuthenticationFailed"
      ])
      assert.deepStrictEqual(await refusal(as(undefined, sas(soon).replace("sp=r", "sp=w")).download()), [
        403,
        "AuthenticationFailed"
      ])
      assert.deepStrictEqual(await refusal(as(undefined, sas(soon)).delete()), [403, "AuthorizationPermissionMismatch"])
    }))

  it.live("takes the one token that it was given, and asks for it", () =>
    Effect.scoped(Effect.gen(function*() {
      const { endpoint } = yield* azureModel({ token: "the.token" })
      const transport = yield* makeUndiciTransport({ backend: "test" })
      const { origin, pathname } = new URL(endpoint)
      const list = (token: string) =>
        transport.send({
          method: "GET",
          origin,
          path: `${pathname}/?comp=list`,
          headers: { authorization: `Bearer ${token}` },
          mutation: false
        })
      assert.strictEqual((yield* list("the.token")).status, 200)
      const refused = yield* list("another")
      assert.strictEqual(refused.status, 401)
      assert.match(refused.headers["www-authenticate"] ?? "", /^Bearer /)
    })))

  it.live("keeps versions, and removes containers with all that is in them", () =>
    withSdk({ versioning: true }, async ({ container }) => {
      const blob = container.getBlockBlobClient("a")
      const first = await put(blob, "1")
      const second = await put(blob, "2")
      assert.notStrictEqual(first.versionId, second.versionId)
      assert.strictEqual((await blob.withVersion(first.versionId!).downloadToBuffer()).toString(), "1")
      await container.delete()
      assert.deepStrictEqual(await refusal(blob.download()), [404, "ContainerNotFound"])
    }))
})
