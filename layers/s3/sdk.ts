/**
 * What only the AWS SDK knows: chains of credentials, shared files, and the endpoint that they name. The module is imported
 * when it is asked for the first time, and is the only thing of the SDK that a store uses.
 *
 * @since 0.1.0
 */
import type { ListBucketsCommand, S3Client } from "@aws-sdk/client-s3"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { SigningCredentials } from "../../src/http/SigV4.ts"
import type { Token } from "../../src/http/TokenCache.ts"
import { importVendorPackage } from "../../src/http/vendorPackage.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { backendName, misconfigured, unauthenticated } from "./errors.ts"
import { endpointOfProfile } from "./sharedConfig.ts"

/** What a provider of the SDK's kind answers. */
export interface SdkIdentity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  readonly expiration?: Date | undefined
}

/** What the SDK knows of this machine's settings. */
export interface SdkKnowledge {
  readonly identity: (anew: boolean) => Effect.Effect<Token<SigningCredentials>, ObjectStoreError>
  readonly region: string | undefined
  readonly endpoint: string | undefined
}

interface SentRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
  readonly path: string
}

interface Sdk {
  readonly ListBucketsCommand: typeof ListBucketsCommand
  readonly S3Client: typeof S3Client
}

const load = importVendorPackage({
  backend: backendName,
  name: "@aws-sdk/client-s3",
  need: "a store without credentials of its own",
  load: () => import("@aws-sdk/client-s3")
})

/** Asks the SDK; `profile` names a profile of the shared files. */
export const askSdk = Effect.fnUntraced(function*(options: {
  readonly profile: string | undefined
  readonly region: string | undefined
}): Effect.fn.Return<SdkKnowledge, ObjectStoreError> {
  const sdk = yield* load
  const { S3Client } = sdk
  const { profile } = options
  const settings = profile === undefined ? {} : { profile }
  // A profile that has no region is no failure: buckets tell theirs.
  const region = options.region ?? (yield* Effect.orElseSucceed(
    Effect.tryPromise(() => new S3Client(settings).config.region()),
    () => undefined
  ))
  const identity = yield* Effect.try({
    try: () => new S3Client({ ...settings, region: region ?? "us-east-1" }),
    catch: (cause) => misconfigured("the AWS SDK refuses its settings", cause)
  })
  const told = profile === undefined ? undefined : yield* endpointOfProfile(profile)
  return {
    region,
    endpoint: told?.endpoint ?? (yield* endpointOfSdk(sdk, {
      ...settings,
      region: region ?? "us-east-1",
      // It would be that of another profile.
      ignoreConfiguredEndpointUrls: told?.environment === false
    })),
    identity: fromProvider((options) => identity.config.credentials(options))
  }
})

/** Where the SDK would send a request; nothing is sent, and nobody's key is needed. */
const endpointOfSdk = Effect.fnUntraced(function*(
  { ListBucketsCommand, S3Client }: Sdk,
  settings: ConstructorParameters<Sdk["S3Client"]>[0]
): Effect.fn.Return<string | undefined, ObjectStoreError> {
  let endpoint: string | undefined
  const captured = new Error("the request was captured instead of sent")
  const probe = new S3Client({
    ...settings,
    maxAttempts: 1,
    credentials: { accessKeyId: "none", secretAccessKey: "none" },
    requestHandler: {
      handle: ({ hostname, path, port, protocol }: SentRequest) => {
        endpoint = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path.replace(/\/+$/, "")}`
        return Promise.reject(captured)
      }
    }
  })
  // Without it, requests would go to AWS, whatever the file says.
  yield* Effect.tryPromise({
    try: () => probe.send(new ListBucketsCommand({})),
    catch: (cause) => misconfigured("the AWS SDK does not tell where the service is", cause)
  }).pipe(Effect.catchIf(() => endpoint !== undefined, () => Effect.void))
  return endpoint
})

/** Key pairs of a provider of the SDK's kind. */
export const fromProvider = (
  provider: (options?: { readonly forceRefresh?: boolean }) => Promise<SdkIdentity>
) =>
(anew: boolean): Effect.Effect<Token<SigningCredentials>, ObjectStoreError> =>
  Effect.map(
    Effect.tryPromise({
      try: () => anew ? provider({ forceRefresh: true }) : provider(),
      catch: (cause) => unauthenticated(cause)
    }),
    ({ accessKeyId, expiration, secretAccessKey, sessionToken }) => ({
      value: {
        accessKeyId,
        secretAccessKey: Redacted.make(secretAccessKey, { label: "secret access key" }),
        sessionToken: sessionToken === undefined ? undefined : Redacted.make(sessionToken, { label: "session token" })
      },
      expiresAt: expiration?.getTime()
    })
  )
