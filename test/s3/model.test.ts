import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
  UploadPartCopyCommand
} from "@aws-sdk/client-s3"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { s3Model, type S3ModelOptions } from "effect-objectstore/testing"
import { Readable } from "node:stream"

const MiB = 1024 * 1024

/** The vendor's own client on a model. */
const onModel = (options: S3ModelOptions, body: (s3: S3Client) => Promise<void>) =>
  Effect.scoped(Effect.gen(function*() {
    const { credentials, endpoint, region } = yield* s3Model(options)
    const { accessKeyId, secretAccessKey } = credentials
    const s3 = new S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey: Redacted.value(secretAccessKey) },
      forcePathStyle: true,
      maxAttempts: 1
    })
    yield* Effect.promise(() => body(s3))
    s3.destroy()
  }))

const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => "succeeded", (error: Error) => error.name)

describe("the model of S3, driven by the vendor's client", () => {
  it.live("keeps objects: bytes, headers, checksums, ranges, conditions", () =>
    onModel({ buckets: ["data"] }, async (s3) => {
      const at = { Bucket: "data", Key: "a/../b c+d" }
      const put = await s3.send(
        new PutObjectCommand({ ...at, Body: "hello", ContentType: "text/plain", Metadata: { one: "1" } })
      )
      assert.strictEqual(put.ETag, "\"5d41402abc4b2a76b9719d911017c592\"")
      assert.strictEqual(put.ChecksumCRC32, "NhCmhg==")
      const got = await s3.send(new GetObjectCommand({ ...at, ChecksumMode: "ENABLED" }))
      assert.strictEqual(await got.Body!.transformToString(), "hello")
      assert.deepStrictEqual([got.ContentType, got.Metadata, got.ChecksumCRC32], [
        "text/plain",
        { one: "1" },
        "NhCmhg=="
      ])
      const part = await s3.send(new GetObjectCommand({ ...at, Range: "bytes=-3" }))
      assert.deepStrictEqual([await part.Body!.transformToString(), part.ContentRange], ["llo", "bytes 2-4/5"])
      assert.strictEqual(await code(s3.send(new GetObjectCommand({ ...at, Range: "bytes=5-" }))), "InvalidRange")
      const put2 = (more: object) => code(s3.send(new PutObjectCommand({ ...at, Body: "x", ...more })))
      assert.strictEqual(await put2({ IfNoneMatch: "*" }), "PreconditionFailed")
      assert.strictEqual(await put2({ IfMatch: "\"no\"" }), "PreconditionFailed")
      assert.strictEqual(await put2({ Key: "missing", IfMatch: put.ETag }), "NoSuchKey")
      assert.strictEqual(await put2({ ChecksumCRC32: "AAAAAA==" }), "BadDigest")
      assert.strictEqual(await put2({ IfMatch: put.ETag }), "succeeded")
      const streamed = Readable.from([Buffer.from("from "), Buffer.from("a stream")])
      await s3.send(new PutObjectCommand({ Bucket: "data", Key: "s", Body: streamed, ContentLength: 13 }))
      const back = await s3.send(new GetObjectCommand({ Bucket: "data", Key: "s" }))
      assert.strictEqual(await back.Body!.transformToString(), "from a stream")
      assert.isUndefined(back.ContentEncoding)
      assert.strictEqual(await code(s3.send(new HeadObjectCommand({ ...at, Key: "none" }))), "NotFound")
      assert.strictEqual(
        await code(s3.send(new DeleteObjectCommand({ ...at, IfMatch: "\"no\"" }))),
        "PreconditionFailed"
      )
      assert.strictEqual(await code(s3.send(new DeleteObjectCommand(at))), "succeeded")
      assert.strictEqual(await code(s3.send(new GetObjectCommand(at))), "NoSuchKey")
    }))

  it.live("puts uploads together: order, sizes, checksums, copies of parts, aborts", () =>
    onModel({ buckets: ["data"] }, async (s3) => {
      const at = { Bucket: "data", Key: "big" }
      const body = Buffer.alloc(5 * MiB, "x")
      const { UploadId } = await s3.send(
        new CreateMultipartUploadCommand({ ...at, ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" })
      )
      const upload = { ...at, UploadId }
      const first = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: body }))
      await s3.send(new PutObjectCommand({ Bucket: "data", Key: "source", Body: "0123456789" }))
      const second = await s3.send(
        new UploadPartCopyCommand({ ...upload, PartNumber: 2, CopySource: "data/source", CopySourceRange: "bytes=2-4" })
      )
      const listed = await s3.send(new ListPartsCommand(upload))
      assert.deepStrictEqual(listed.Parts?.map(({ Size }) => Size), [5 * MiB, 3])
      const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket: "data", Prefix: "b" }))
      assert.deepStrictEqual(uploads.Uploads?.map(({ Key }) => Key), ["big"])
      const parts = [
        { PartNumber: 1, ETag: first.ETag, ChecksumCRC32: first.ChecksumCRC32 },
        { PartNumber: 2, ETag: second.CopyPartResult?.ETag, ChecksumCRC32: second.CopyPartResult?.ChecksumCRC32 }
      ]
      const complete = (Parts: typeof parts, more: object = {}) =>
        s3.send(new CompleteMultipartUploadCommand({ ...upload, ...more, MultipartUpload: { Parts } }))
      assert.strictEqual(await code(complete([...parts].reverse())), "InvalidPartOrder")
      assert.strictEqual(await code(complete([{ ...parts[0]!, ETag: "\"0\"" }])), "InvalidPart")
      assert.strictEqual(await code(complete(parts, { MpuObjectSize: 7 })), "InvalidRequest")
      assert.strictEqual(await code(complete(parts, { ChecksumCRC32: "AAAAAA==" })), "BadDigest")
      const done = await complete(parts, { MpuObjectSize: 5 * MiB + 3 })
      assert.match(done.ETag ?? "", /^"[0-9a-f]{32}-2"$/)
      const head = await s3.send(new HeadObjectCommand(at))
      assert.strictEqual(head.ContentLength, 5 * MiB + 3)
      assert.strictEqual(await code(complete(parts)), "NoSuchUpload")
      const other = await s3.send(new CreateMultipartUploadCommand(at))
      const small = await s3.send(new UploadPartCommand({ ...at, UploadId: other.UploadId, PartNumber: 1, Body: "1" }))
      const last = await s3.send(new UploadPartCommand({ ...at, UploadId: other.UploadId, PartNumber: 2, Body: "2" }))
      const Parts = [{ PartNumber: 1, ETag: small.ETag }, { PartNumber: 2, ETag: last.ETag }]
      const command = { ...at, UploadId: other.UploadId, MultipartUpload: { Parts } }
      assert.strictEqual(await code(s3.send(new CompleteMultipartUploadCommand(command))), "EntityTooSmall")
      await s3.send(new AbortMultipartUploadCommand({ ...at, UploadId: other.UploadId }))
      assert.strictEqual(await code(s3.send(new ListPartsCommand({ ...at, UploadId: other.UploadId }))), "NoSuchUpload")
    }))

  it.live("lists in pages, removes many, copies under conditions", () =>
    onModel({ buckets: ["data"], pageSize: 2 }, async (s3) => {
      const Bucket = "data"
      const keys = ["a/1", "a/2", "b", "c &+%<", "é", "\u{1F600}"]
      for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
      const found: Array<string | undefined> = []
      let ContinuationToken: string | undefined
      do {
        const page = await s3.send(
          new ListObjectsV2Command({ Bucket, ...(ContinuationToken && { ContinuationToken }) })
        )
        found.push(...(page.Contents ?? []).map(({ Key }) => Key))
        ContinuationToken = page.NextContinuationToken
      } while (ContinuationToken !== undefined)
      assert.deepStrictEqual(found, keys)
      const folded = await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }))
      assert.deepStrictEqual(folded.CommonPrefixes?.map(({ Prefix }) => Prefix), ["a/"])
      assert.deepStrictEqual(folded.Contents?.map(({ Key }) => Key), ["b"])
      const source = `data/${encodeURIComponent("é")}`
      const copy = (more: object) =>
        code(s3.send(new CopyObjectCommand({ Bucket, CopySource: source, ...more, Key: "k" })))
      assert.strictEqual(await copy({ CopySourceIfMatch: "\"no\"" }), "PreconditionFailed")
      assert.strictEqual(await copy({ IfNoneMatch: "*" }), "succeeded")
      assert.strictEqual(await copy({ IfNoneMatch: "*" }), "PreconditionFailed")
      const Objects = [...keys, "k", "missing"].map((Key) => ({ Key }))
      const removed = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
      assert.lengthOf(removed.Deleted ?? [], Objects.length)
      assert.strictEqual((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount, 0)
    }))

  it.live("makes buckets, and knows who asks", () =>
    onModel({ region: "eu-west-1" }, async (s3) => {
      assert.strictEqual(await code(s3.send(new CreateBucketCommand({ Bucket: "mine" }))), "succeeded")
      assert.strictEqual(await code(s3.send(new CreateBucketCommand({ Bucket: "mine" }))), "BucketAlreadyOwnedByYou")
      assert.strictEqual(await code(s3.send(new HeadBucketCommand({ Bucket: "mine" }))), "succeeded")
      assert.deepStrictEqual((await s3.send(new ListBucketsCommand({}))).Buckets?.map(({ Name }) => Name), ["mine"])
      await s3.send(new PutObjectCommand({ Bucket: "mine", Key: "a", Body: "" }))
      assert.strictEqual(await code(s3.send(new DeleteBucketCommand({ Bucket: "mine" }))), "BucketNotEmpty")
      const address = await s3.config.endpoint!()
      const client = (credentials: { accessKeyId: string; secretAccessKey: string }, systemClockOffset = 0) =>
        new S3Client({
          endpoint: `http://${address.hostname}:${address.port}`,
          region: "eu-west-1",
          credentials,
          systemClockOffset,
          forcePathStyle: true,
          maxAttempts: 1
        })
      const stranger = (accessKeyId: string) => client({ accessKeyId, secretAccessKey: "wrong" })
      const { accessKeyId, secretAccessKey } = await s3.config.credentials()
      assert.strictEqual(await code(stranger("NOBODY").send(new ListBucketsCommand({}))), "InvalidAccessKeyId")
      assert.strictEqual(await code(stranger(accessKeyId).send(new ListBucketsCommand({}))), "SignatureDoesNotMatch")
      const late = client({ accessKeyId, secretAccessKey }, 20 * 60_000)
      assert.strictEqual(await code(late.send(new ListBucketsCommand({}))), "RequestTimeTooSkewed")
    }))
})
