/**
 * Clients of the three clouds for cases: our stores, and the vendors' own, all with the same credentials and without retries.
 */
import { S3Client } from "@aws-sdk/client-s3"
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob"
import { Storage } from "@google-cloud/storage"
import { Effect, Scope } from "effect"
import * as Azure from "../layers/Azure.ts"
import * as Gcs from "../layers/Gcs.ts"
import * as S3 from "../layers/S3.ts"

const account = "devstoreaccount1"
// Azurite's published key.
const accountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" }
const region = "us-east-1"

const open = <A, E>(make: Effect.Effect<A, E, Scope.Scope>): Promise<A> =>
  Effect.runPromise(Scope.provide(make, Scope.makeUnsafe()))

export const openS3 = (endpoint: string, options?: S3.S3Options) =>
  open(S3.make({ base: "s3://bucket/", endpoint, region, credentials, vendor: "aws", ...options }))

export const openAzure = (endpoint: string, options?: Azure.AzureOptions) =>
  open(Azure.make({
    base: `az://${account}/container/`,
    endpoint: `${endpoint}/${account}`,
    accountKey,
    ...options
  }))

export const openGcs = (endpoint: string, options?: Gcs.GcsOptions) =>
  open(Gcs.make({ base: "gs://gcs/", endpoint, credentials: "anonymous", ...options }))

export const awsClient = (endpoint: string, checksums: "WHEN_SUPPORTED" | "WHEN_REQUIRED" = "WHEN_SUPPORTED") =>
  new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums
  })

export const azureClient = (endpoint: string) =>
  new BlobServiceClient(`${endpoint}/${account}`, new StorageSharedKeyCredential(account, accountKey), {
    retryOptions: { maxTries: 1 }
  }).getContainerClient("container")

export const gcsClient = (endpoint: string) =>
  new Storage({ apiEndpoint: endpoint, projectId: "project", retryOptions: { autoRetry: false } }).bucket("gcs")
