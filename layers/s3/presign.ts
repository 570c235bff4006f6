/**
 * URLs that work for others.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { Backend, Location } from "../../src/Backend.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { address, type S3Client, type S3Request, sendOnly, wrongContainer } from "./client.ts"
import { refuse, unauthenticated, unsupported } from "./errors.ts"
import { checkPlace } from "./headers.ts"

/** docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html */
const maxSeconds = 7 * 24 * 60 * 60

/** `Backend.presign`. */
export const presign = Effect.fnUntraced(function*(
  client: S3Client,
  at: Location,
  { expiresIn, method }: Parameters<Backend["presign"]>[1]
): Effect.fn.Return<Redacted.Redacted<string>, ObjectStoreError> {
  yield* checkPlace(client, "presign", at, method === "PUT" ? "target" : "read")
  const wrong = wrongContainer(at.container)
  if (wrong !== undefined) return yield* refuse("InvalidRequest", "presign", wrong, false)
  const expires = Math.floor(Duration.toSeconds(expiresIn))
  if (expires > maxSeconds) {
    return yield* refuse("InvalidRequest", "presign", `expiresIn is more than 7 days, ${maxSeconds} seconds`, false)
  }
  // What a writer of the URL would have to send cannot be in it, and without it the object would not be encrypted.
  if (client.encryption !== undefined && (method === "PUT" || client.encryption.type === "customer")) {
    return yield* unsupported("presign", "a URL cannot carry the headers of encryption")
  }
  const pair = yield* client.credentials.get
  if (pair === undefined) return yield* unauthenticated(new Error("an anonymous store cannot sign"))
  yield* findRegion(client, at.container)
  const region = client.regions.of(at.container)
  const request: S3Request = {
    intent: { operation: "presign", mutation: false, about: "object" },
    method,
    ...at,
    query: client.requestPayer ? { "x-amz-request-payer": "requester" } : undefined
  }
  const { host, origin, path } = address(client, request, region)
  const signed = client.signer.presign(
    { method, path, headers: { host } },
    pair,
    region,
    yield* client.clock.now,
    expires
  )
  return Redacted.make(`${origin}${Redacted.value(signed)}`, { label: "signed URL" })
})

/**
 * Nobody corrects the region of a URL that was given away, so AWS is asked first, once a bucket. If it does not say, a URL for
 * the wrong region would be given away.
 */
const findRegion = (client: S3Client, container: string): Effect.Effect<void, ObjectStoreError> =>
  client.profile.name !== "aws" || client.regions.knows(container)
    ? Effect.void
    : sendOnly(client, {
      intent: { operation: "presign", mutation: false, about: "container" },
      method: "HEAD",
      container
    }).pipe(
      Effect.asVoid,
      // Who may read an object need not be allowed to see its bucket; a redirect is followed before it is refused.
      Effect.catchReason("ObjectStoreError", "PermissionDenied", () => Effect.void),
      Effect.andThen(Effect.sync(() => client.regions.learn(container, client.regions.of(container))))
    )
