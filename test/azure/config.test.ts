import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted, Result } from "effect"
import { ObjectStore } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import { resolveOptions } from "../../layers/azure/config.ts"
import { parseConnectionString, parseEndpoint } from "../../layers/azure/endpoint.ts"

const key = Buffer.from("canary-of-the-account-key").toString("base64")
const sas = "sv=2021-12-02&se=2030-01-01T00%3A00%3A00Z&sr=c&sp=rl&sig=canary%3D"

const settingsOf = (options: Azure.AzureOptions) => Result.getOrThrow(resolveOptions(options))

/** What is wrong with options; it holds no secret. */
const wrong = (options: Azure.AzureOptions): string => {
  const resolved = resolveOptions(options)
  if (Result.isSuccess(resolved)) return assert.fail("the options were taken")
  assert.notInclude(resolved.failure, "canary")
  assert.notInclude(resolved.failure, key)
  return resolved.failure
}

describe("options of an Azure store", () => {
  it.each(
    [
      ["https://acct.blob.core.windows.net", undefined, "https://acct.blob.core.windows.net", "", "acct"],
      ["https://acct.blob.core.windows.net/", undefined, "https://acct.blob.core.windows.net", "", "acct"],
      ["https://acct.blob.core.usgovcloudapi.net", undefined, "https://acct.blob.core.usgovcloudapi.net", "", "acct"],
      ["https://files.example.org", "acct", "https://files.example.org", "", "acct"],
      ["http://127.0.0.1:10000/acct", undefined, "http://127.0.0.1:10000", "/acct", "acct"],
      ["http://127.0.0.1:10000", "acct", "http://127.0.0.1:10000", "/acct", "acct"],
      ["http://localhost:10000/proxy", "acct", "http://localhost:10000", "/proxy/acct", "acct"],
      ["http://[::1]:10000/acct", undefined, "http://[::1]:10000", "/acct", "acct"]
    ] as const
  )("the endpoint %s with account %s", (text, given, origin, basePath, account) => {
    assert.deepStrictEqual(Result.getOrThrow(parseEndpoint(text, given)), { endpoint: { origin, basePath }, account })
  })

  it("an endpoint that is none is refused", () => {
    for (
      const text of [
        "acct",
        "ftp://acct",
        "https://user:pw@acct.blob.core.windows.net",
        `https://acct.blob.core.windows.net?${sas}`,
        "https://h/a%20b",
        "https://h/a b"
      ]
    ) assert.isTrue(Result.isFailure(parseEndpoint(text, undefined)), text)
  })

  it("connection strings say account, endpoint and credential", () => {
    const read = (text: string) => Result.getOrThrow(parseConnectionString(text))
    assert.deepStrictEqual(
      read(`DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=${key};EndpointSuffix=core.windows.net`),
      { account: "acct", endpoint: "https://acct.blob.core.windows.net", accountKey: key, sasToken: undefined }
    )
    assert.deepStrictEqual(
      read(`BlobEndpoint=https://acct.blob.core.windows.net/;QueueEndpoint=https://q;SharedAccessSignature=${sas}`),
      { account: undefined, endpoint: "https://acct.blob.core.windows.net/", accountKey: undefined, sasToken: sas }
    )
    assert.strictEqual(read("UseDevelopmentStorage=true").endpoint, "http://127.0.0.1:10000/devstoreaccount1")
    for (const text of ["", "AccountKey=canary", "what=canary", "AccountName=a;AccountName=canary", "canary"]) {
      const failed = parseConnectionString(text)
      assert.isTrue(Result.isFailure(failed) && !failed.failure.includes("canary"), text)
    }
  })

  it("the account is told by the account, the endpoint, the connection string or the base", () => {
    const account = (options: Azure.AzureOptions) => settingsOf({ accountKey: key, ...options }).account
    assert.strictEqual(account({ account: "one" }), "one")
    assert.strictEqual(account({ endpoint: "https://two.blob.core.windows.net" }), "two")
    assert.strictEqual(account({ base: "az://three/container/" }), "three")
    assert.strictEqual(account({ base: "https://four.blob.core.windows.net/container/" }), "four")
    assert.strictEqual(
      settingsOf({ account: "one", accountKey: key }).endpoint.origin,
      "https://one.blob.core.windows.net"
    )
    assert.match(wrong({ accountKey: key }), /^account: /)
    assert.match(wrong({ account: "No Account", accountKey: key }), /account/)
  })

  it("what is of one account is not used for another", () => {
    const connectionString =
      `DefaultEndpointsProtocol=https;AccountName=two;AccountKey=${key};EndpointSuffix=core.windows.net`
    assert.strictEqual(
      wrong({ account: "one", connectionString }),
      "the connection string is of account two, not of one"
    )
    assert.strictEqual(settingsOf({ account: "two", connectionString }).account, "two")
    const endpoint = "https://two.blob.core.windows.net"
    assert.strictEqual(
      wrong({ account: "one", endpoint, accountKey: key }),
      "the endpoint is of account two, not of one"
    )
    assert.strictEqual(settingsOf({ account: "two", endpoint, accountKey: key }).account, "two")
    const secondary = settingsOf({
      account: "two",
      endpoint: "https://two-secondary.blob.core.windows.net",
      accountKey: key
    })
    assert.strictEqual(secondary.account, "two")
  })

  it("the credential is the one that is given", () => {
    const tag = (options: Azure.AzureOptions) => settingsOf({ account: "acct", ...options }).authorization._tag
    assert.strictEqual(tag({ accountKey: Redacted.make(key) }), "SharedKey")
    assert.strictEqual(tag({ sasToken: `?${sas}` }), "Sas")
    assert.strictEqual(tag({ credential: "anonymous" }), "Anonymous")
    assert.strictEqual(tag({ credential: { getToken: () => Promise.resolve(null) } }), "Token")
    assert.strictEqual(tag({}), "Token")
    assert.strictEqual(tag({ account: "devstoreaccount1" }), "SharedKey")
    assert.match(wrong({ account: "acct", accountKey: key, sasToken: sas }), /more than one/)
    assert.match(wrong({ account: "acct", accountKey: "no canary base64" }), /^accountKey: /)
    assert.match(wrong({ account: "acct", sasToken: "canary" }), /^sasToken: /)
    assert.match(wrong({ account: "acct", sasToken: `${sas}\r\nx: canary` }), /^sasToken: /)
    assert.match(
      wrong({ account: "acct", endpoint: "http://blobs.example.org", credential: "default" }),
      /plain http/
    )
  })

  it("sizes and numbers have limits", () => {
    const given = { account: "acct", accountKey: key }
    assert.match(wrong({ ...given, blockSize: 0 }), /^blockSize: /)
    assert.match(wrong({ ...given, blockSize: 4000 * 2 ** 20 + 1 }), /^blockSize: /)
    assert.match(wrong({ ...given, blockConcurrency: 1.5 }), /^blockConcurrency: /)
    assert.match(wrong({ ...given, checksum: "sha1" as "md5" }), /^checksum: /)
    const { tuning } = settingsOf({ ...given, blockSize: 100, blockConcurrency: 2 }).capabilities
    assert.deepStrictEqual([tuning.writePartSize, tuning.writeConcurrency], [100, 2])
  })

  it.live.each(
    [
      [{ AZURE_STORAGE_CONNECTION_STRING: `AccountName=acct;AccountKey=${key}`, AZURE_STORAGE_KEY: "other" }],
      [{ AZURE_STORAGE_ACCOUNT: "acct", AZURE_STORAGE_KEY: key, AZURE_STORAGE_SAS_TOKEN: sas }],
      [{ AZURE_STORAGE_ACCOUNT_NAME: "acct", AZURE_STORAGE_ACCOUNT_KEY: key }],
      [{
        AZURE_STORAGE_ACCOUNT: "acct",
        AZURE_STORAGE_SAS_TOKEN: sas,
        AZURE_STORAGE_BLOB_ENDPOINT: "https://b.example.org"
      }],
      [{ AZURE_STORAGE_ENDPOINT: "https://acct.blob.core.windows.net", AZURE_STORAGE_KEY: key }]
    ] as const
  )("AzureLive reads %o", ([env]) =>
    Effect.gen(function*() {
      const { capabilities } = yield* ObjectStore
      assert.strictEqual(capabilities.presign, !("AZURE_STORAGE_BLOB_ENDPOINT" in env))
    }).pipe(
      Effect.provide(Azure.AzureLive),
      Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env }))
    ))
})
