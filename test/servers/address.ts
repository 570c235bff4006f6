/** What a client of S3 must know. */
export interface S3Address {
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** PEM of the authority, where the endpoint is https. */
  readonly ca: string | undefined
  /** The file that holds it. */
  readonly caFile: string | undefined
  /** The endpoint for virtual hosts; names below it need a resolver that answers 127.0.0.1. */
  readonly virtualEndpoint: string | undefined
}

/** What a client of Azure must know. */
export interface AzureAddress {
  /** With the account as the first part of the path. */
  readonly endpoint: string
  readonly account: string
  readonly accountKey: string
  readonly connectionString: string
  readonly ca: string | undefined
  readonly caFile: string | undefined
}

/** What a client of GCS must know: it needs no credentials. */
export interface GcsAddress {
  readonly endpoint: string
  readonly projectId: string
}

/** Variables of AWS that lead to a server. */
export const awsVariables = (address: S3Address): Record<string, string> => ({
  AWS_ENDPOINT_URL_S3: address.endpoint,
  AWS_REGION: address.region,
  AWS_ACCESS_KEY_ID: address.accessKeyId,
  AWS_SECRET_ACCESS_KEY: address.secretAccessKey,
  ...(address.caFile === undefined ? {} : { AWS_CA_BUNDLE: address.caFile, NODE_EXTRA_CA_CERTS: address.caFile })
})

/** Variables of Google's clients that lead to a server; buckets are made and listed in a project. */
export const gcsVariables = ({ endpoint, projectId }: GcsAddress): Record<string, string> => ({
  STORAGE_EMULATOR_HOST: endpoint,
  GOOGLE_CLOUD_PROJECT: projectId
})
