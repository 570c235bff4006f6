import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Metric, Random, Scope, Stream } from "effect"
import { defaultRetryPolicy, type ObjectStore, type ObjectStoreError, RetryPolicy } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as S3 from "effect-objectstore/layers/S3"
import * as NodeFs from "node:fs"
import { env } from "node:process"
import { makeBucket, uniqueBucket } from "../gcs/GcsTest.ts"
import { optionsOf } from "../s3/S3Test.ts"
import type { S3Address } from "../servers/address.ts"
import { azurite } from "../servers/azurite.ts"
import { fakeGcs } from "../servers/fakeGcs.ts"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { makeProxy, type Proxy, toxiproxy } from "../servers/toxiproxy.ts"
import { versitygw } from "../servers/versitygw.ts"
import { makeLedger } from "../support/Ledger.ts"
import { watchFibers } from "../support/LiveFibers.ts"
import { type Trouble, troubles } from "./toxics.ts"
import { workload } from "./workload.ts"

// `npm run test:toxiproxy` runs in the mode of that name: every trouble many times.
const rounds = env["MODE"] === "toxiproxy" ? 20 : 1

const MiB = 2 ** 20

type Open = (endpoint: string) => Effect.Effect<ObjectStore["Service"], ObjectStoreError, Scope.Scope>

interface Subject {
  readonly upstream: string
  /** Makes a container, and answers how a store of it is opened at an endpoint. */
  readonly prepare: Effect.Effect<Open, ObjectStoreError, Scope.Scope>
  readonly partSize: number
  /** Why writes in parts are left out. */
  readonly noParts?: string | undefined
}

/** Gives up soon, so that a test of trouble does not take minutes. */
const impatient = { connectTimeout: 600, headersTimeout: 600, stallTimeout: 600 }
const policy = { ...defaultRetryPolicy, baseDelay: 20, throttleDelay: 50, maxDelay: 200, maxElapsed: 10_000 }

/** Connections of this machine to a port that are not closed. */
const connections = (port: string): number => {
  const hex = Number(port).toString(16).toUpperCase().padStart(4, "0")
  return NodeFs.readFileSync("/proc/net/tcp", "latin1").split("\n").filter((line) => {
    const [, , remote, state, , , , , , inode] = line.trim().split(/\s+/)
    // Those that the kernel alone still knows have no inode.
    return remote?.endsWith(`:${hex}`) === true && state === "01" && inode !== "0"
  }).length
}

const descriptors = (): number => NodeFs.readdirSync("/proc/self/fd").length

/** Waits until a count is back, a second at most. */
const back = (count: () => number, before: number) =>
  Effect.gen(function*() {
    for (let round = 0; round < 100 && count() > before; round++) yield* Effect.sleep(20)
    return count()
  })

/** The sum of a counter over all its attributes, since the process began. */
const counted = (name: string) =>
  Effect.map(
    Metric.snapshot,
    (all) => all.reduce((sum, { id, state }) => id === name && "count" in state ? sum + Number(state.count) : sum, 0)
  )

const told = counted("objectstore_uploads_abandoned_total")
const repeated = counted("objectstore_retries_total")

/** Makes trouble for as long as the scope lives. */
const trouble = ({ lasts, toxic }: Trouble, proxy: Proxy) =>
  lasts === undefined
    ? proxy.poison(toxic)
    : Effect.asVoid(Effect.forkScoped(
      Effect.forever(
        Effect.andThen(Effect.scoped(Effect.andThen(proxy.poison(toxic), Effect.sleep(lasts))), Effect.sleep(lasts))
      )
    ))

const run = (subject: Subject, { endpoint }: { readonly endpoint: string }, one: Trouble, seed: string) =>
  Effect.gen(function*() {
    const proxy = yield* makeProxy({ endpoint }, subject.upstream)
    const { port } = new URL(proxy.endpoint)
    const open = yield* subject.prepare
    const direct = yield* open(subject.upstream)
    const ledger = makeLedger((bytes: Uint8Array) => bytes)
    const before = descriptors()
    const toldBefore = yield* told
    const repeatedBefore = yield* repeated
    const fibers = yield* watchFibers((watched) =>
      Effect.gen(function*() {
        const own = yield* Scope.make()
        const path = new URL(subject.upstream).pathname.replace(/\/$/, "")
        const store = yield* Scope.provide(open(`${proxy.endpoint}${path}`), own)
        yield* Effect.scoped(
          Effect.andThen(
            trouble(one, proxy),
            workload(store, ledger, {
              parts: subject.noParts === undefined,
              partSize: subject.partSize,
              pause: 150
            })
          )
        )
        yield* Scope.close(own, Exit.void)
        yield* back(() => watched.live, 0)
        return watched
      })
    )
    assert.strictEqual(yield* back(() => connections(port), 0), 0, "connections stay open")
    assert.isAtMost(yield* back(descriptors, before), before, "descriptors stay open")
    assert.isAbove(fibers.begun, 0)
    assert.strictEqual(fibers.live, 0, "fibers go on")
    yield* ledger.audit(direct)
    if (subject.noParts === undefined && direct.capabilities.multipart.listed) {
      const left = yield* Stream.runCollect(direct.listUploads())
      assert.isAtMost(
        left.length,
        (yield* told) - toldBefore,
        `uploads were left that nobody told of: ${left.map(({ uri }) => uri).join(", ")}`
      )
    }
    assert.deepStrictEqual(ledger.violations, [], seed)
    assert.isAbove(ledger.counts.done, 10)
    return { ...ledger.counts, repeated: (yield* repeated) - repeatedBefore }
  }).pipe(Effect.provideService(RetryPolicy, policy), Random.withSeed(seed))

onServer(toxiproxy, (proxies) => {
  const suite = (subject: Effect.Effect<Subject>): void => {
    for (const one of troubles) {
      it.live(one.name, () =>
        Effect.gen(function*() {
          let broken = 0
          // Which connections are spared is the proxy's own chance; a round without any harm shows nothing.
          for (let round = 0; round < rounds || (one.breaks && broken === 0 && round < 10); round++) {
            const { done, failed, repeated } = yield* run(yield* subject, yield* proxies, one, `${one.name} ${round}`)
            broken += repeated
            if (rounds > 1) {
              console.log(
                `${one.name}: ${done} succeeded, ${failed} failed and said so, ${repeated} requests were repeated`
              )
            }
          }
          if (one.breaks) assert.isAbove(broken, 0, "nothing was broken")
        }), rounds * 60_000)
    }
  }

  const s3 = (vendor: "minio" | "versitygw", subject: S3Address): Subject => ({
    upstream: subject.endpoint,
    partSize: 5 * MiB,
    prepare: Effect.gen(function*() {
      const bucket = uniqueBucket("toxic")
      const backend = yield* S3.makeBackend(optionsOf(subject))
      yield* backend.createContainer(bucket, {})
      return (endpoint) => S3.make({ ...optionsOf(subject), ...impatient, vendor, endpoint, base: `s3://${bucket}/` })
    })
  })

  describe("through toxiproxy", () => {
    onServer(minio, (server) => suite(Effect.map(server, (address) => s3("minio", address))))

    onServer(versitygw, (server) => suite(Effect.map(server, (address) => s3("versitygw", address))))

    onServer(azurite, (server) =>
      suite(Effect.map(server, ({ account, accountKey, endpoint: upstream }): Subject => ({
        upstream,
        partSize: MiB,
        prepare: Effect.gen(function*() {
          const container = uniqueBucket("toxic")
          const backend = yield* Azure.makeBackend({ endpoint: upstream, account, accountKey })
          yield* backend.createContainer(container, {})
          return (endpoint) =>
            Azure.make({ ...impatient, endpoint, account, accountKey, base: `az://${account}/${container}/` })
        })
      }))))

    onServer(fakeGcs, (server) =>
      suite(Effect.map(server, ({ endpoint: upstream, projectId }): Subject => ({
        upstream,
        partSize: MiB,
        noParts: "a question for the state of an upload ends it",
        prepare: Effect.gen(function*() {
          const bucket = uniqueBucket("toxic")
          yield* makeBucket(upstream, bucket)
          return (endpoint) => Gcs.make({ ...impatient, endpoint, projectId, base: `gs://${bucket}/` })
        })
      }))))
  })
})
