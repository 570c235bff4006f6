import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as S3 from "effect-objectstore/layers/S3"
import * as NodeCrypto from "node:crypto"
import * as NodeFs from "node:fs"
import { optionsOf } from "../s3/S3Test.ts"
import { awsVariables, type AzureAddress, type GcsAddress, gcsVariables, type S3Address } from "../servers/address.ts"
import { azurite } from "../servers/azurite.ts"
import { fakeGcs } from "../servers/fakeGcs.ts"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import type { Server } from "../servers/Server.ts"
import { versitygw } from "../servers/versitygw.ts"
import { ended, run as runIn, spawn as spawnIn, temporary, tree, write } from "./CliTest.ts"

const MiB = 1024 * 1024

const unique = (): string => `cli-${NodeCrypto.randomBytes(5).toString("hex")}`

interface Clouds {
  readonly s3: Server<S3Address>
  readonly gcs: Server<GcsAddress>
  readonly azure: Server<AzureAddress>
}

/** The variables of the vendors' tools that lead to the servers. */
const variables = ({ azure, gcs, s3 }: Clouds): Record<string, string> => ({
  ...awsVariables(s3),
  ...gcsVariables(gcs),
  GOOGLE_CLOUD_PROJECT: gcs.projectId,
  AZURE_STORAGE_CONNECTION_STRING: azure.connectionString
})

/** What is in a directory, without what a store keeps beside objects. */
const sums = (directory: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(tree(directory))
      .filter(([name]) => !name.includes(".objectstore~"))
      .map(([name, body]) => [name, NodeCrypto.createHash("sha256").update(body, "latin1").digest("hex")])
  )

const files: Readonly<Record<string, string | Uint8Array>> = {
  "a.md": "hello\n",
  empty: "",
  "sub/deep/big.bin": NodeCrypto.randomBytes(21 * MiB + 1),
  "sub/with space & ünï.txt": "x",
  "sub/100%.txt": "%2F",
  "sub/plus+and?query#hash": "y"
}

onServer(minio, (s3) =>
  onServer(fakeGcs, (gcs) =>
    onServer(azurite, (azure) => {
      const all = Effect.all({ s3, gcs, azure })

      describe("objectstore over three clouds", () => {
        it.live("carries a tree through all of them and back, byte for byte", () =>
          Effect.gen(function*() {
            const dir = yield* temporary
            const clouds = yield* all
            const env = variables(clouds)
            const run = (...args: ReadonlyArray<string>) => runIn(dir, args, "", env)
            write(dir, Object.fromEntries(Object.entries(files).map(([name, body]) => [`src/${name}`, body])))
            const { account } = clouds.azure
            const [bucket, other, container] = [unique(), unique(), unique()]
            const made = yield* run("mb", `s3://${bucket}`, `gs://${other}`, `az://${account}/${container}`)
            assert.deepStrictEqual([made.code, made.stderr, made.stdout], [0, "", "made 3 containers\n"])
            const again = yield* run("mb", `az://${account}/${container}`)
            assert.match(again.stderr, /^objectstore: AlreadyExists: createContainer az:/)

            const stops = [
              "./src",
              `s3://${bucket}/tree`,
              `gs://${other}/tree`,
              `az://${account}/${container}/tree`,
              `file://${dir}/direct`,
              `https://${account}.blob.core.windows.net/${container}/again/`,
              `gcs://${other}/again`,
              `s3://${bucket}/again`,
              "./back"
            ]
            for (let i = 1; i < stops.length; i++) {
              const [from, to] = [stops[i - 1]!, stops[i]!]
              const ran = yield* run("cp", "-r", "--json", "--part-size", "5MiB", from, to)
              assert.deepStrictEqual([ran.code, ran.stderr], [0, ""], `${from} -> ${to}`)
              const verified = ran.json.at(-1)?.["verified"]
              assert.isUndefined((verified as { size?: number }).size, `${from} -> ${to}: ${JSON.stringify(verified)}`)
              assert.strictEqual(ran.json.length, Object.keys(files).length + 1)
            }
            assert.deepStrictEqual(sums(`${dir}/direct`), sums(`${dir}/src`))
            assert.deepStrictEqual(sums(`${dir}/back`), sums(`${dir}/src`))

            const inside = yield* run("cp", `s3://${bucket}/tree/a.md`, `s3://${bucket}/copy.md`)
            assert.deepStrictEqual([inside.code, inside.stderr], [0, ""])
            const copy = yield* run("cat", `s3://${bucket}/copy.md`, `az://${account}/${container}/tree/a.md`)
            assert.strictEqual(copy.stdout, "hello\nhello\n")

            const service = yield* run("ls", "--json", "s3://", `az://${account}`, "gs://")
            const listed = service.json.map(({ uri }) => uri)
            for (const uri of [`s3://${bucket}/`, `gs://${other}/`, `az://${account}/${container}/`]) {
              assert.include(listed, uri)
            }

            for (const place of [`s3://${bucket}`, `gs://${other}`, `az://${account}/${container}`]) {
              const full = yield* run("rb", place)
              assert.match(full.stderr, /^objectstore: NotEmpty: deleteContainer /)
              const removed = yield* run("rm", "-r", "--yes", place)
              assert.deepStrictEqual([removed.code, removed.stderr], [0, ""], place)
              const gone = yield* run("rb", place)
              assert.deepStrictEqual([gone.code, gone.stderr], [0, ""], place)
            }
          }), 400_000)

        it.live("takes endpoints from options, of one service or of each", () =>
          Effect.gen(function*() {
            const dir = yield* temporary
            const { gcs, s3 } = yield* all
            const keys = {
              AWS_ACCESS_KEY_ID: s3.accessKeyId,
              AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
              GOOGLE_CLOUD_PROJECT: gcs.projectId
            }
            const run = (...args: ReadonlyArray<string>) => runIn(dir, args, "", keys)
            const [bucket, other] = [unique(), unique()]
            const one = ["--endpoint", s3.endpoint, "--region", s3.region]
            assert.strictEqual((yield* run("mb", ...one, `s3://${bucket}`)).code, 0)
            assert.strictEqual((yield* run("mb", "--endpoint", gcs.endpoint, `gs://${other}`)).code, 0)
            write(dir, { a: "through two endpoints" })
            assert.strictEqual((yield* run("cp", ...one, "a", `s3://${bucket}/a`)).code, 0)
            const both = ["--endpoint", `s3=${s3.endpoint}`, "--endpoint", `gs=${gcs.endpoint}`]
            const across = yield* run("cp", ...both, `s3://${bucket}/a`, `gs://${other}/b`)
            assert.deepStrictEqual([across.code, across.stderr], [0, ""])
            const read = yield* run("cat", "--anonymous", "--endpoint", gcs.endpoint, `gs://${other}/b`)
            assert.strictEqual(read.stdout, "through two endpoints")
            const refused = yield* run("cat", "--anonymous", ...one, `s3://${bucket}/a`)
            assert.strictEqual(refused.code, 1)
            assert.match(refused.stderr, /^objectstore: (?:PermissionDenied|Unauthenticated): [^\n]+\n$/)
          }), 180_000)

        it.live("signs URLs that work without credentials, prints them once, and tells no secret", () =>
          Effect.gen(function*() {
            const dir = yield* temporary
            const clouds = yield* all
            const run = (...args: ReadonlyArray<string>) => runIn(dir, args, "", variables(clouds))
            const { account, accountKey } = clouds.azure
            const places = [`s3://${unique()}`, `az://${account}/${unique()}`]
            for (const place of places) {
              yield* run("mb", place)
              write(dir, { a: place })
              yield* run("put", "a", `${place}/a`)
              const signed = yield* run("presign", "--expires-in", "5m", `${place}/a`)
              assert.deepStrictEqual([signed.code, signed.stderr], [0, ""])
              assert.match(signed.stdout, /^https?:\/\/\S+\n$/)
              const body = yield* Effect.promise(() => fetch(signed.stdout.trim()).then((reply) => reply.text()))
              assert.strictEqual(body, place)
              const json = yield* run("presign", "--json", "--method", "PUT", `${place}/b`)
              assert.deepInclude(json.json[0], { type: "presigned", uri: `${place}/b`, method: "PUT" })
              assert.notInclude(signed.stdout + json.stdout, clouds.s3.secretAccessKey)
              assert.notInclude(signed.stdout + json.stdout, accountKey)
            }
          }), 180_000)

        it.live("warns that Azure drops no upload, but lists it until it expires", () =>
          Effect.gen(function*() {
            const dir = yield* temporary
            const clouds = yield* all
            const run = (...args: ReadonlyArray<string>) =>
              runIn(dir, args, "", variables(clouds))
            const place = `az://${clouds.azure.account}/${unique()}`
            yield* run("mb", place)
            const signed = yield* run("presign", "--method", "PUT", `${place}/a`)
            const block = `${signed.stdout.trim()}&comp=block&blockid=AAAA`
            const sent = yield* Effect.promise(() =>
              fetch(block, { method: "PUT", body: "block" })
            )
            assert.strictEqual(sent.status, 201)
            const aborted = yield* run("uploads", "abort", place)
            assert.strictEqual(aborted.code, 0)
            assert.include(aborted.stdout, "dropped 1 unfinished upload\n")
            assert.match(aborted.stderr, /^objectstore: Warning: the service drops [^\n]+\n$/)
          }), 180_000)

        it.live("tells what is wrong in one line, with the right reason", () =>
          Effect.gen(function*() {
            const dir = yield* temporary
            const clouds = yield* all
            const env = variables(clouds)
            const bucket = unique()
            yield* runIn(dir, ["mb", `s3://${bucket}`], "", env)
            const cases: ReadonlyArray<readonly [RegExp, ReadonlyArray<string>, Record<string, string>]> = [
              [/^NotFound: /, ["cat", `s3://${bucket}/missing`], {}],
              [/^ContainerNotFound: /, ["put", "a", `s3://${unique()}/a`], {}],
              [/^ContainerNotFound: /, ["ls", `gs://${unique()}`], {}],
              [/^ContainerNotFound: /, ["ls", `az://${clouds.azure.account}/${unique()}`], {}],
              [/^(?:Unauthenticated|PermissionDenied): /, ["ls", `s3://${bucket}`], {
                AWS_SECRET_ACCESS_KEY: "canary-secret"
              }],
              [/^ConnectionFailed: /, ["ls", "--endpoint", "http://127.0.0.1:1", `s3://${bucket}`], {}],
              [/^InvalidKey: /, ["stat", `s3://${bucket}/a//b`], {}],
              [/^Unsupported: /, ["uploads", "ls", `gs://${bucket}`], {}]
            ]
            write(dir, { a: "1" })
            for (const [reason, args, more] of cases) {
              const ran = yield* runIn(dir, args, "", { ...env, ...more })
              const [line, ...rest] = ran.stderr.split("\n")
              assert.match(line!.replace(/^objectstore: /, ""), reason, args.join(" "))
              assert.deepStrictEqual([ran.code, ran.stdout, rest], [1, "", [""]], args.join(" "))
              assert.notInclude(ran.stderr, "canary-secret")
            }
          }), 180_000)
      })
    })))

// MinIO lists the uploads of one object alone, so what is left open is looked for on versitygw.
onServer(versitygw, (s3) =>
  onServer(fakeGcs, (gcs) => {
    describe("objectstore, stopped between two clouds", () => {
      it.live(
        "leaves no upload behind when it is interrupted between two clouds, and lists and aborts those of others",
        () =>
          Effect.gen(function*() {
            const dir = yield* temporary
            const [from, to] = [yield* gcs, yield* s3]
            const env = { ...awsVariables(to), ...gcsVariables(from), GOOGLE_CLOUD_PROJECT: from.projectId }
            const run = (...args: ReadonlyArray<string>) => runIn(dir, args, "", env)
            const [bucket, other] = [unique(), unique()]
            yield* run("mb", `s3://${bucket}`, `gs://${other}`)
            write(dir, { big: "" })
            NodeFs.truncateSync(`${dir}/big`, 200 * MiB)
            assert.strictEqual((yield* run("put", "big", `gs://${other}/big`)).code, 0)

            const target = `s3://${bucket}/big`
            const store = yield* S3.make(optionsOf(to))
            const uploads = Stream.runCollect(store.listUploads(target))
            const copying = ["cp", "--part-size", "5MiB", "--concurrency", "1", `gs://${other}/big`, target]
            /** Stops a copy that has begun an upload, and counts the uploads that it leaves. */
            const stopped = Effect.fnUntraced(function*(signal: "SIGINT" | "SIGKILL", code: number | null) {
              const child = spawnIn(dir, copying, env)
              const end = ended(child)
              while (child.exitCode === null && (yield* uploads).length === 0) {
                yield* Effect.yieldNow
              }
              child.kill(signal)
              const ran = yield* end
              assert.deepStrictEqual(
                [ran.code, ran.signal],
                [code, code === null ? signal : null],
                ran.stdout + ran.stderr
              )
              return (yield* uploads).length
            })
            assert.strictEqual(yield* stopped("SIGINT", 130), 0)
            assert.strictEqual(yield* stopped("SIGKILL", null), 1)
            const listed = yield* run("uploads", "ls", "--json", target)
            assert.deepStrictEqual(
              listed.json.map(({ uri }) => uri),
              [target, undefined]
            )
            assert.match((yield* run("stat", `s3://${bucket}/big`)).stderr, /^objectstore: NotFound: /)
            const young = yield* run("uploads", "abort", "--older-than", "1d", target)
            assert.strictEqual(young.stdout, "dropped 0 unfinished uploads\n")
            const aborted = yield* run("uploads", "abort", `s3://${bucket}/big`)
            assert.strictEqual(aborted.code, 0)
            assert.match(aborted.stdout, /s3:\/\/\S+\/big\ndropped 1 unfinished upload\n$/)
            assert.deepStrictEqual(yield* uploads, [])
          }),
        400_000
      )
    })
  }))
