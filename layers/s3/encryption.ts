/**
 * Encryption on the server: with the service's keys, with keys of KMS, or with a key that comes with each request.
 *
 * @since 0.1.0
 */
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { hash } from "node:crypto"
import { wrongOptions } from "../../src/optionNames.ts"

/**
 * How new objects are encrypted: by the service's own keys (`AES256`), by a key of KMS, or by a key of the customer's, which
 * every read needs too and which the service forgets (32 bytes, or their base64).
 *
 * @category models
 * @since 0.1.0
 */
export type S3Encryption =
  | { readonly type: "AES256" }
  | {
    readonly type: "aws:kms" | "aws:kms:dsse"
    /** The key's id or ARN; the account's own key for S3 without it. */
    readonly keyId?: string | undefined
    /** Sends fewer requests to KMS by a key of the bucket's. */
    readonly bucketKey?: boolean | undefined
    /** What is authenticated with the data key. */
    readonly context?: Readonly<Record<string, string>> | undefined
  }
  | { readonly type: "customer"; readonly key: Redacted.Redacted<string> | Redacted.Redacted<Uint8Array> }

/** Headers by the kind of request that carries them. Those of a customer's key are secrets. */
export interface Encryption {
  readonly type: S3Encryption["type"]
  /** On requests that begin an object: write, begin an upload, copy. */
  readonly create: Readonly<Record<string, string>>
  /** On requests that touch an object's bytes: read, head, upload a part. */
  readonly access: Readonly<Record<string, string>>
  /** On copies, for the source. */
  readonly source: Readonly<Record<string, string>>
}

const prefix = "x-amz-server-side-encryption"

const fields = { type: true, keyId: true, bucketKey: true, context: true, key: true }

/** Makes headers of the option. */
export const toEncryption = (option: S3Encryption): Result.Result<Encryption, string> => {
  const wrong = wrongOptions(fields, option, "encryption")
  if (wrong !== undefined) return Result.fail(wrong)
  switch (option.type) {
    case "AES256":
      return Result.succeed({ type: option.type, create: { [prefix]: "AES256" }, access: {}, source: {} })
    case "aws:kms":
    case "aws:kms:dsse": {
      const { bucketKey, context, keyId } = option
      if (keyId !== undefined && !/^[\u0021-\u007e]+$/.test(keyId)) {
        return Result.fail("encryption.keyId is no id of a key")
      }
      const create: Record<string, string> = { [prefix]: option.type }
      if (keyId !== undefined) create[`${prefix}-aws-kms-key-id`] = keyId
      if (bucketKey !== undefined) create[`${prefix}-bucket-key-enabled`] = String(bucketKey)
      if (context !== undefined) create[`${prefix}-context`] = Buffer.from(JSON.stringify(context)).toString("base64")
      return Result.succeed({ type: option.type, create, access: {}, source: {} })
    }
    case "customer": {
      const value = Redacted.value<string | Uint8Array>(option.key)
      const key = typeof value === "string" ? Buffer.from(value, "base64") : value
      if (key.length !== 32) return Result.fail("encryption.key has not 32 bytes")
      const headers = (name: string) => ({
        [`${name}-algorithm`]: "AES256",
        [`${name}-key`]: Buffer.from(key).toString("base64"),
        // The service wants this digest to know whether the key came whole; it protects nothing.
        [`${name}-key-md5`]: hash("md5", key, "base64")
      })
      const access = headers(`${prefix}-customer`)
      return Result.succeed({
        type: option.type,
        create: access,
        access,
        source: headers("x-amz-copy-source-server-side-encryption-customer")
      })
    }
    default:
      return Result.fail("encryption.type is not AES256, aws:kms, aws:kms:dsse or customer")
  }
}
