import {
  BlobSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
  type UserDelegationKey
} from "@azure/storage-blob"
import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result } from "effect"
import { resolveOptions } from "../../layers/azure/config.ts"
import { delegationSas, serviceSas } from "../../layers/azure/sas.ts"
import { makeSharedKey } from "../../src/http/SharedKey.ts"

const accountKey = Buffer.from("a key of the account").toString("base64")
const settings = Result.getOrThrow(resolveOptions({ account: "acct", accountKey }))
const sharedKey = makeSharedKey("acct", Redacted.make(accountKey))!
const expiresAt = Date.parse("2026-11-26T10:00:00Z")
const keys = ["a", "dir/with space", "100%/+/?&=#", "é\u{1f600}", "a//b/"]

const sorted = (query: string): ReadonlyArray<readonly [string, string]> =>
  [...new URLSearchParams(query)].sort(([a], [b]) => a < b ? -1 : 1)

describe("shared access signatures", () => {
  it.each(keys)("with the account's key, for %s, are those that the vendor's own client makes", (key) => {
    for (const permissions of ["r", "cw", "d"]) {
      const official = generateBlobSASQueryParameters({
        containerName: "c-1",
        blobName: key,
        permissions: BlobSASPermissions.parse(permissions),
        expiresOn: new Date(expiresAt),
        protocol: SASProtocol.Https,
        version: "2021-12-02"
      }, new StorageSharedKeyCredential("acct", accountKey))
      const ours = serviceSas(settings, sharedKey, { container: "c-1", key }, { permissions, expiresAt })
      assert.deepStrictEqual(sorted(ours), sorted(official.toString()))
    }
  })

  it.each(keys)("with a lent key, for %s, are those that the vendor's own client makes", (key) => {
    const lent = {
      objectId: "23657296-5cd5-45b0-a809-d972a7f4dfe1",
      tenantId: "dd0d0df1-06c3-436c-8034-4b9a153097ce",
      start: "2026-11-26T09:00:00Z",
      expiry: "2026-11-27T09:00:00Z",
      service: "b",
      version: "2021-12-02",
      key: sharedKey.key
    }
    const official: UserDelegationKey = {
      signedObjectId: lent.objectId,
      signedTenantId: lent.tenantId,
      signedStartsOn: new Date(lent.start),
      signedExpiresOn: new Date(lent.expiry),
      signedService: lent.service,
      signedVersion: lent.version,
      value: accountKey
    }
    const theirs = generateBlobSASQueryParameters(
      {
        containerName: "c-1",
        blobName: key,
        permissions: BlobSASPermissions.parse("r"),
        expiresOn: new Date(expiresAt),
        protocol: SASProtocol.Https,
        version: "2021-12-02"
      },
      official,
      "acct"
    )
    const ours = delegationSas(settings, lent, { container: "c-1", key }, { permissions: "r", expiresAt })
    assert.deepStrictEqual(sorted(ours), sorted(theirs.toString()))
  })
})
