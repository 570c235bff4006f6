import { GetObjectTaggingCommand, HeadObjectCommand } from "@aws-sdk/client-s3"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ObjectOptions } from "effect-objectstore"
import * as S3 from "effect-objectstore/layers/S3"
import { randomBytes } from "node:crypto"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { versitygw } from "../servers/versitygw.ts"
import { freshName, optionsOf, sdkOf } from "./S3Test.ts"
import { scriptedBackend } from "./ScriptedTransport.ts"

const MiB = 1024 * 1024
const tags = { project: "a b", "team/x": "1+1=2 : so" }

for (
  const [definition, vendor, storageClass] of [[minio, "minio", "REDUCED_REDUNDANCY"], [
    versitygw,
    "versitygw",
    undefined
  ]] as const
) {
  onServer(definition, (server) => {
    it.live("a copy keeps tags and storage class, in one request and in parts", () =>
      Effect.gen(function*() {
        const address = yield* server
        const bucket = yield* freshName
        const store = yield* S3.make({
          ...optionsOf(address),
          base: `s3://${bucket}/`,
          vendor: { ...S3.profiles[vendor], maxCopySize: 6 * MiB }
        })
        yield* store.createContainer(bucket)
        const options = { tags, ...(storageClass === undefined ? undefined : { storageClass }) }
        yield* store.put("small", randomBytes(1000), options)
        yield* store.put("large", randomBytes(7 * MiB), options)
        yield* store.put("plain", randomBytes(7 * MiB))
        const sdk = sdkOf(address)
        const told = (Key: string) =>
          Effect.promise(async () => {
            const at = { Bucket: bucket, Key }
            const { TagSet = [] } = await sdk.send(new GetObjectTaggingCommand(at))
            const { StorageClass } = await sdk.send(new HeadObjectCommand(at))
            // versitygw names the default class too.
            return [
              Object.fromEntries(TagSet.map((tag) => [tag.Key, tag.Value])),
              StorageClass === "STANDARD" ? undefined : StorageClass
            ]
          })
        for (const key of ["small", "large"]) {
          yield* store.copy(key, `${key}-copy`)
          assert.deepStrictEqual(yield* told(`${key}-copy`), [tags, storageClass], key)
          yield* store.rename(key, `${key}-moved`)
          assert.deepStrictEqual(yield* told(`${key}-moved`), [tags, storageClass], key)
        }
        assert.match((yield* store.stat("large-copy")).etag ?? "", /-\d+"?$/)
        yield* store.copy("plain", "plain-copy")
        assert.deepStrictEqual(yield* told("plain-copy"), [{}, undefined])
      }), 60_000)
  })
}

describe("an upload whose parts are copied", () => {
  const at = { container: "bucket", key: "to" }
  const copiedFrom = (storageClass?: string): ObjectOptions => ({
    mode: "overwrite",
    attributes: {},
    metadata: {},
    copiedFrom: { container: "bucket", key: "from ü", stat: { size: 6 * 1024 * MiB, storageClass } }
  })
  const tagging = (set: string) => ({ status: 200, body: `<Tagging><TagSet>${set}</TagSet></Tagging>` })
  const opened = {
    status: 200,
    body: "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>"
  }

  it.effect("is told the source's tags and class", () =>
    Effect.gen(function*() {
      const { backend, requests } = yield* scriptedBackend([
        tagging("<Tag><Key>a &amp; b</Key><Value>1=2</Value></Tag><Tag><Key>c</Key><Value/></Tag>"),
        opened
      ])
      yield* backend.openUpload(at, copiedFrom("STANDARD_IA"))
      assert.deepStrictEqual(requests.map(({ method, path }) => `${method} ${path}`), [
        "GET /from%20%C3%BC?tagging=",
        "POST /to?uploads="
      ])
      assert.strictEqual(requests[1]?.headers["x-amz-tagging"], "a%20%26%20b=1%3D2&c=")
      assert.strictEqual(requests[1]?.headers["x-amz-storage-class"], "STANDARD_IA")
    }))

  it.effect("is told none where there are none, and no class that belongs to another kind of place", () =>
    Effect.gen(function*() {
      const { backend, requests } = yield* scriptedBackend([tagging(""), opened])
      yield* backend.openUpload(at, copiedFrom("EXPRESS_ONEZONE"))
      assert.notProperty(requests[1]?.headers, "x-amz-tagging")
      assert.notProperty(requests[1]?.headers, "x-amz-storage-class")
    }))

  it.effect("is not begun where the tags may not be seen, as a copy with one request is refused then", () =>
    Effect.gen(function*() {
      const { backend } = yield* scriptedBackend([
        { status: 403, body: "<Error><Code>AccessDenied</Code><Message>no</Message></Error>" }
      ])
      const error = yield* Effect.flip(backend.openUpload(at, copiedFrom()))
      assert.deepStrictEqual([error.reason._tag, error.outcome], ["PermissionDenied", "not-applied"])
    }))

  it.effect("asks for no tags where the service has none", () =>
    Effect.gen(function*() {
      const { backend, requests } = yield* scriptedBackend([opened], { vendor: "r2" })
      yield* backend.openUpload(at, copiedFrom())
      assert.lengthOf(requests, 1)
    }))
})
