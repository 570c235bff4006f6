import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3"
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as S3 from "effect-objectstore/layers/S3"
import * as NodeChildProcess from "node:child_process"
import { randomBytes } from "node:crypto"
import * as NodeUtil from "node:util"
import { crc32 } from "node:zlib"
import { minio } from "../servers/minio.ts"
import { boto3 } from "../servers/moto.ts"
import { onProgram, onServer } from "../servers/onServer.ts"
import { versitygw } from "../servers/versitygw.ts"
import { freshName, optionsOf, type Running, sdkOf } from "./S3Test.ts"

const MiB = 1024 * 1024
const attributes = {
  contentType: "text/x-test; charset=utf-8",
  contentEncoding: "x-none",
  contentLanguage: "de, en",
  contentDisposition: "attachment; filename=\"a b.txt\"",
  cacheControl: "max-age=60"
}
const metadata = { owner: "somebody", "a-b.c": "two  spaces" }
/** Metadata without the mark by which a write whose answer was lost is known again. */
const own = (all: unknown) => {
  const { objectstorewriteid: _, ...rest } = all as Record<string, string>
  return rest
}

const base64 = (sum: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(sum)
  return bytes.toString("base64")
}

const prepared = (server: Running) =>
  Effect.gen(function*() {
    const address = yield* server
    const bucket = yield* freshName
    const options = { ...optionsOf(address), base: `s3://${bucket}/` }
    const store = yield* S3.make(options)
    yield* store.createContainer(bucket)
    return { address, bucket, store, sdk: sdkOf(address) }
  })

const execFile = NodeUtil.promisify(NodeChildProcess.execFile)

/** Reads what we wrote, and writes what we read: attributes, metadata, checksums, bytes. */
const script = `
import base64, boto3, hashlib, json, sys, zlib
from botocore.config import Config
endpoint, key, secret, region, bucket = sys.argv[1:6]
s3 = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=key, aws_secret_access_key=secret, region_name=region,
                  config=Config(s3={"addressing_style": "path"}))
seen = {}
for name in json.loads(sys.argv[6]):
    r = s3.get_object(Bucket=bucket, Key=name, ChecksumMode="ENABLED")
    body = r["Body"].read()
    seen[name] = {"sha256": hashlib.sha256(body).hexdigest(), "metadata": r["Metadata"], "type": r["ContentType"],
                  "language": r.get("ContentLanguage"), "disposition": r.get("ContentDisposition"),
                  "cache": r.get("CacheControl"), "encoding": r.get("ContentEncoding"), "crc32": r.get("ChecksumCRC32"),
                  "real": base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()}
body = b"from boto3" * 100
s3.put_object(Bucket=bucket, Key="boto/ü +%2F", Body=body, Metadata={"owner": "boto"}, ContentType="text/boto",
              CacheControl="no-cache", ChecksumAlgorithm="CRC32")
up = s3.create_multipart_upload(Bucket=bucket, Key="boto/parts", Metadata={"owner": "boto"})
part = lambda n, b: {"PartNumber": n, "ETag": s3.upload_part(Bucket=bucket, Key="boto/parts", UploadId=up["UploadId"], PartNumber=n, Body=b)["ETag"]}
parts = [part(1, b"a" * 5242880), part(2, b"b")]
s3.complete_multipart_upload(Bucket=bucket, Key="boto/parts", UploadId=up["UploadId"], MultipartUpload={"Parts": parts})
print(json.dumps(seen))
`

for (const definition of [minio, versitygw]) {
  onServer(definition, (server) => {
    it.live(
      "what we write @aws-sdk/client-s3 reads, with attributes, metadata and checksums",
      () =>
        Effect.gen(function*() {
          const { bucket, sdk, store } = yield* prepared(server)
          const body = randomBytes(11 * MiB + 3)
          const special = "dir/ü +%2F?#&=.txt"
          yield* store.put(special, body.subarray(0, 5000), { attributes, metadata })
          yield* store.putMultipart("parts", body, { partSize: 5 * MiB, attributes, metadata })
          for (const [key, expected] of [[special, body.subarray(0, 5000)], ["parts", body]] as const) {
            const reply = yield* Effect.promise(() =>
              sdk.send(new GetObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: "ENABLED" }))
            )
            const bytes = yield* Effect.promise(() => reply.Body!.transformToByteArray())
            assert.isTrue(Buffer.from(bytes).equals(expected))
            assert.deepStrictEqual(own(reply.Metadata), metadata)
            assert.deepStrictEqual(
              [
                reply.ContentType,
                reply.ContentEncoding,
                reply.ContentLanguage,
                reply.ContentDisposition,
                reply.CacheControl
              ],
              Object.values(attributes)
            )
            assert.deepStrictEqual([reply.ChecksumCRC32, reply.ChecksumType], [base64(crc32(expected)), "FULL_OBJECT"])
          }
        }),
      60_000
    )

    it.live("what @aws-sdk/client-s3 writes we read", () =>
      Effect.gen(function*() {
        const { bucket, sdk, store } = yield* prepared(server)
        const body = randomBytes(3000)
        yield* Effect.promise(() =>
          sdk.send(
            new PutObjectCommand({
              Bucket: bucket,
              Key: "sdk/ü +%2F",
              Body: body,
              Metadata: metadata,
              ContentType: "text/sdk",
              CacheControl: "no-cache",
              ChecksumAlgorithm: "CRC32"
            })
          )
        )
        assert.isTrue(Buffer.from(yield* store.get("sdk/ü +%2F")).equals(body))
        const info = yield* store.stat("sdk/ü +%2F")
        assert.deepStrictEqual(
          [{ ...info.metadata }, info.attributes.contentType, info.attributes.cacheControl, info.checksums.crc32],
          [metadata, "text/sdk", "no-cache", base64(crc32(body))]
        )
      }))

    it.live("metadata that is no ASCII comes back, also to those that know RFC 2047", () =>
      Effect.gen(function*() {
        const { bucket, sdk, store } = yield* prepared(server)
        yield* store.put("x", "x", { metadata: { name: "grüße \u{1f600}" } })
        assert.strictEqual((yield* store.stat("x")).metadata["name"], "grüße \u{1f600}")
        const head = yield* Effect.promise(() => sdk.send(new HeadObjectCommand({ Bucket: bucket, Key: "x" })))
        assert.strictEqual(head.Metadata?.["name"], `=?UTF-8?B?${Buffer.from("grüße \u{1f600}").toString("base64")}?=`)
      }))

    onProgram(boto3, ([python]) => {
      it.live("what we write boto3 reads, and back", () =>
        Effect.gen(function*() {
          const { address, bucket, store } = yield* prepared(server)
          const body = randomBytes(6 * MiB)
          const sha256 = (bytes: Uint8Array) =>
            Effect.promise(() => crypto.subtle.digest("SHA-256", new Uint8Array(bytes))).pipe(
              Effect.map((digest) => Buffer.from(digest).toString("hex"))
            )
          yield* store.put("one ü+%2F", body.subarray(0, 100), { attributes, metadata })
          yield* store.putMultipart("parts", body, { partSize: 5 * MiB, attributes, metadata })
          const { stdout } = yield* Effect.promise(() =>
            execFile(python, [
              "-c",
              script,
              address.endpoint,
              address.accessKeyId,
              address.secretAccessKey,
              address.region,
              bucket,
              JSON.stringify(["one ü+%2F", "parts"])
            ])
          )
          const seen = JSON.parse(stdout) as Record<string, Record<string, unknown>>
          for (const [key, bytes] of [["one ü+%2F", body.subarray(0, 100)], ["parts", body]] as const) {
            const one = seen[key]!
            assert.deepStrictEqual({ ...one, metadata: own(one["metadata"]) }, {
              sha256: yield* sha256(bytes),
              metadata,
              type: attributes.contentType,
              language: attributes.contentLanguage,
              disposition: attributes.contentDisposition,
              cache: attributes.cacheControl,
              encoding: attributes.contentEncoding,
              crc32: base64(crc32(bytes)),
              real: base64(crc32(bytes))
            })
          }
          assert.strictEqual(Buffer.from(yield* store.get("boto/ü +%2F")).toString(), "from boto3".repeat(100))
          const info = yield* store.stat("boto/ü +%2F")
          assert.deepStrictEqual(
            [{ ...info.metadata }, info.attributes.contentType, info.attributes.cacheControl, info.checksums.crc32],
            [{ owner: "boto" }, "text/boto", "no-cache", base64(crc32(Buffer.from("from boto3".repeat(100))))]
          )
          const parts = yield* store.get("boto/parts")
          assert.deepStrictEqual([parts.length, parts[0], parts[5 * MiB]], [5 * MiB + 1, 97, 98])
        }), 120_000)
    })
  })
}
