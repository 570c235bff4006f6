import { afterAll, assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, type Scope } from "effect"
import { defaultRetryPolicy, type ObjectStore, type ObjectStoreError, RetryPolicy } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Gcs from "effect-objectstore/layers/Gcs"
import * as S3 from "effect-objectstore/layers/S3"
import { azureModel, gcsModel, s3Model } from "effect-objectstore/testing"
import { generateKeyPairSync } from "node:crypto"
import { inspect } from "node:util"
import { ending } from "../../src/cli/exit.ts"
import { certificate } from "../http/certificate.ts"
import { listening } from "../support/listening.ts"
import { withClockAhead } from "../support/skewedClock.ts"

// What goes wrong between a program and a cloud, and what it is told: on the models, for all three alike. The same on real
// servers is in test/{s3,azure}/failures.test.ts and test/gcs/credentials.test.ts.

const canary = "canarySecretNobodyMayPrint0123456789"
const account = "devstoreaccount1"
const hour = 3_600_000
const nowhere = "http://127.0.0.1:1"

type Store = Effect.Effect<ObjectStore["Service"], ObjectStoreError, Scope.Scope>

/** One cell: a store in that situation, and what it says. */
interface Cell {
  readonly store: Store
  readonly reason: string
  readonly says: RegExp
  /** The key that is read; `a` is there. */
  readonly key?: string
  readonly ahead?: number
}

const s3 = (options: S3.S3Options, bucket = "bucket"): Store =>
  S3.make({ vendor: "aws", addressing: "path", region: "us-east-1", base: `s3://${bucket}/`, ...options })
const azure = (options: Azure.AzureOptions, container = "data"): Store =>
  Azure.make({ base: `az://${account}/${container}/`, ...options })
const gcs = (options: Gcs.GcsOptions, bucket = "bucket"): Store => Gcs.make({ base: `gs://${bucket}/`, ...options })

const pair = { accessKeyId: "AKIDMODEL", secretAccessKey: canary }
const s3On = (options: Parameters<typeof s3Model>[0] = {}) =>
  s3Model({ buckets: ["bucket"], credentials: pair, ...options })

const accountKey = Buffer.from(canary).toString("base64")
const azureOn = (options: Parameters<typeof azureModel>[0] = {}) =>
  Effect.tap(
    azureModel({ accountKey, ...options }),
    ({ endpoint }) =>
      options?.tls === undefined && options?.intercept === undefined
        ? Effect.orDie(Effect.scoped(Effect.flatMap(
          azure({ endpoint, accountKey }),
          (store) => Effect.andThen(store.createContainer("data"), store.put("a", "x"))
        )))
        : Effect.void
  )

const gcsOn = (options: Parameters<typeof gcsModel>[0] = {}) =>
  gcsModel({ buckets: ["bucket"], anonymous: false, tokens: [canary], ...options })
const token = (value: string, expiresAt?: number): Gcs.GcsCredentials => ({
  token: Effect.succeed({ value, expiresAt })
})

const keys = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" }
})
const email = "somebody@test.iam.gserviceaccount.com"

const xml = (status: number, code: string, message: string) => ({
  status,
  headers: { "content-type": "application/xml", "x-ms-error-code": code },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
})

const { cert, key } = certificate
const tls = { cert, key }

/** Every situation of every cloud; `undefined` where a cloud does not know it. */
const table: Readonly<Record<string, { readonly S3: Cell; readonly Azure?: Cell; readonly Gcs?: Cell }>> = {
  "wrong secret": {
    S3: {
      store: Effect.flatMap(
        s3On(),
        ({ endpoint }) => s3({ endpoint, credentials: { ...pair, secretAccessKey: `${canary}X` } })
      ),
      reason: "Unauthenticated",
      says: /the secret access key is not the one of this access key id/
    },
    Azure: {
      store: Effect.flatMap(
        azureOn(),
        ({ endpoint }) => azure({ endpoint, accountKey: Buffer.from(`${canary}X`).toString("base64") })
      ),
      reason: "Unauthenticated",
      says: /failed to authenticate/
    },
    Gcs: {
      store: Effect.flatMap(gcsOn(), ({ origin }) => gcs({ endpoint: origin, credentials: token(`${canary}X`) })),
      reason: "Unauthenticated",
      says: /credentials/i
    }
  },
  "expired token": {
    S3: {
      store: Effect.flatMap(
        s3On({ intercept: () => Effect.succeed(xml(400, "ExpiredToken", "The provided token has expired.")) }),
        ({ endpoint }) => s3({ endpoint, credentials: { ...pair, sessionToken: `${canary}T` } })
      ),
      reason: "Unauthenticated",
      says: /the session token has expired/
    },
    Azure: {
      store: Effect.flatMap(
        azureOn(),
        ({ endpoint }) =>
          azure({ endpoint, sasToken: `sv=2023-11-03&sr=c&sp=rl&se=2020-01-01T00%3A00%3A00Z&sig=${canary}` })
      ),
      reason: "Unauthenticated",
      says: /the SAS token has expired/
    },
    Gcs: {
      store: Effect.flatMap(
        gcsOn(),
        ({ origin }) => gcs({ endpoint: origin, credentials: token(`${canary}X`, 1_000_000_000_000) })
      ),
      reason: "Unauthenticated",
      says: /credentials/i
    }
  },
  "missing bucket": {
    S3: {
      store: Effect.flatMap(s3On(), ({ endpoint }) => s3({ endpoint, credentials: pair }, "no-bucket")),
      reason: "ContainerNotFound",
      says: /bucket/i
    },
    Azure: {
      store: Effect.flatMap(azureOn(), ({ endpoint }) => azure({ endpoint, accountKey }, "no-container")),
      reason: "ContainerNotFound",
      says: /The specified container does not exist\.$/
    },
    Gcs: {
      store: Effect.flatMap(
        gcsOn(),
        ({ origin }) => gcs({ endpoint: origin, credentials: token(canary) }, "no-bucket")
      ),
      reason: "ContainerNotFound",
      says: /bucket/i
    }
  },
  "missing object": {
    S3: {
      store: Effect.flatMap(s3On(), ({ endpoint }) => s3({ endpoint, credentials: pair })),
      key: "missing",
      reason: "NotFound",
      says: /key/i
    },
    Azure: {
      store: Effect.flatMap(azureOn(), ({ endpoint }) => azure({ endpoint, accountKey })),
      key: "missing",
      reason: "NotFound",
      says: /The specified blob does not exist\.$/
    },
    Gcs: {
      store: Effect.flatMap(gcsOn(), ({ origin }) => gcs({ endpoint: origin, credentials: token(canary) })),
      key: "missing",
      reason: "NotFound",
      says: /missing/i
    }
  },
  "no permission": {
    S3: {
      store: Effect.flatMap(
        s3On({ intercept: () => Effect.succeed(xml(403, "AccessDenied", "Access Denied")) }),
        ({ endpoint }) => s3({ endpoint, credentials: pair })
      ),
      reason: "PermissionDenied",
      says: /Access Denied/
    },
    Azure: {
      store: Effect.flatMap(
        azureOn({
          intercept: () =>
            Effect.succeed(xml(403, "AuthorizationPermissionMismatch", "This request is not authorized."))
        }),
        ({ endpoint }) => azure({ endpoint, accountKey })
      ),
      reason: "PermissionDenied",
      says: /not authorized|permission/i
    },
    Gcs: {
      store: Effect.flatMap(
        gcsOn({ forbidden: ["bucket"] }),
        ({ origin }) => gcs({ endpoint: origin, credentials: token(canary) })
      ),
      reason: "PermissionDenied",
      says: /permission|storage\.objects/i
    }
  },
  // The address of an account or a bucket says nothing of a region on Azure and GCS.
  "wrong region": {
    S3: {
      store: Effect.flatMap(
        s3On({
          region: "eu-west-1",
          intercept: ({ headers }) =>
            Effect.succeed({
              ...xml(301, "PermanentRedirect", "The bucket you are attempting to access must be addressed otherwise."),
              headers: {
                "x-amz-bucket-region": headers["authorization"]?.includes("/eu-west-1/") ? "eu-west-2" : "eu-west-1"
              }
            })
        }),
        ({ endpoint }) => s3({ endpoint, credentials: pair })
      ),
      reason: "Configuration",
      says: /the bucket is in another region/
    }
  },
  "unreachable host": {
    S3: { store: s3({ endpoint: nowhere, credentials: pair }), reason: "ConnectionFailed", says: /ECONNREFUSED/ },
    Azure: {
      store: azure({ endpoint: `${nowhere}/${account}`, accountKey }),
      reason: "ConnectionFailed",
      says: /ECONNREFUSED/
    },
    Gcs: {
      store: gcs({ endpoint: nowhere, credentials: token(canary) }),
      reason: "ConnectionFailed",
      says: /ECONNREFUSED/
    }
  },
  "TLS failure": {
    S3: {
      store: Effect.flatMap(s3On({ tls }), ({ endpoint }) => s3({ endpoint, credentials: pair })),
      reason: "ConnectionFailed",
      says: /self-signed certificate/
    },
    Azure: {
      store: Effect.flatMap(azureOn({ tls }), ({ endpoint }) => azure({ endpoint, accountKey })),
      reason: "ConnectionFailed",
      says: /self-signed certificate/
    },
    Gcs: {
      store: Effect.flatMap(gcsOn({ tls }), ({ origin }) => gcs({ endpoint: origin, credentials: token(canary) })),
      reason: "ConnectionFailed",
      says: /self-signed certificate/
    }
  },
  // By an hour or two, clocks are set right and nobody notices.
  "clock skew": {
    S3: {
      store: Effect.flatMap(s3On(), ({ endpoint }) => s3({ endpoint, credentials: pair })),
      ahead: 48 * hour,
      reason: "Unauthenticated",
      says: /the clock of this machine is wrong: the service says that it is \w{3}, \d\d/
    },
    Azure: {
      store: Effect.flatMap(azureOn(), ({ endpoint }) => azure({ endpoint, accountKey })),
      ahead: 48 * hour,
      reason: "Unauthenticated",
      says: /this machine's clock and the service's differ/
    },
    Gcs: {
      store: Effect.flatMap(
        gcsOn({ tokens: [], account: { email, publicKey: keys.publicKey } }),
        ({ origin }) =>
          gcs({ endpoint: origin, credentials: { key: { client_email: email, private_key: keys.privateKey } } })
      ),
      ahead: 48 * hour,
      reason: "Unauthenticated",
      says: /Invalid Credentials; the clock of this machine is wrong: the service says that it is \w{3}, \d\d/
    }
  }
}

/** Everything that a failure tells, in every form. */
const formsOf = (error: ObjectStoreError): ReadonlyArray<string> => [
  error.message,
  String(error),
  JSON.stringify([error, { ...error.reason }]),
  inspect(error, { depth: 9 }),
  Cause.pretty(Cause.fail(error)),
  ending(Exit.fail(error)).line ?? ""
]

const secrets = [canary, accountKey, keys.privateKey.split("\n")[1]!]

/** Reads an object in a situation; answers the failure, after a look at all that was told of it. */
const failureOf = Effect.fnUntraced(function*({ ahead = 0, key = "a", store }: Cell) {
  const seen: Array<string> = []
  // The model is started on the right clock; the store has the wrong one.
  const error = yield* listening(
    Effect.flip(Effect.scoped(Effect.flatMap(store, (one) => withClockAhead(() => ahead)(one.get(key))))),
    seen
  ).pipe(
    Effect.provideService(RetryPolicy, { ...defaultRetryPolicy, maxAttempts: 2, baseDelay: 1 })
  )
  assert.isAbove(seen.length, 0)
  for (const text of [...formsOf(error), ...seen]) for (const secret of secrets) assert.notInclude(text, secret)
  return error
})

const told: Array<string> = []
afterAll(() => console.log(told.join("\n")))

describe("what a program is told", () => {
  for (const [situation, cells] of Object.entries(table)) {
    for (const [cloud, cell] of Object.entries(cells) as ReadonlyArray<readonly [string, Cell]>) {
      it.live(`${situation}: ${cloud}`, () =>
        Effect.gen(function*() {
          const error = yield* failureOf(cell)
          const { code, line } = ending(Exit.fail(error))
          assert.strictEqual(error.reason._tag, cell.reason, error.message)
          assert.match(error.message, cell.says)
          // The command says the same, in one line.
          assert.deepStrictEqual([code, line], [1, error.message])
          assert.notMatch(error.message, /[\r\n]/)
          told.push(`${situation} (${cloud}): ${line}`)
        }))
    }
  }
})
