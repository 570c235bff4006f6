import { assert, describe, it } from "@effect/vitest"
import { azureOptions, gcsOptions, s3Options } from "../../layers/universal/merge.ts"

const url = "http://127.0.0.1:1"
const keys = { accessKeyId: "A", secretAccessKey: "B" }

describe("options over the environment", () => {
  it("replace what they say, and leave the rest", () => {
    assert.deepStrictEqual(s3Options({ region: "a", endpoint: url, credentials: keys }, { region: "b" }), {
      region: "b",
      endpoint: url,
      credentials: keys
    })
    assert.deepStrictEqual(
      gcsOptions({ projectId: "a", credentials: "default" }, { projectId: "b", endpoint: undefined }),
      {
        projectId: "b",
        credentials: "default"
      }
    )
    assert.deepStrictEqual(azureOptions("one", { accountKey: "k" }, { blockSize: 1 }), {
      account: "one",
      accountKey: "k",
      blockSize: 1
    })
  })

  it("that say who asks are all there is to say of it", () => {
    assert.deepStrictEqual(s3Options({ profile: "p", credentials: keys }, { credentials: "anonymous" }), {
      credentials: "anonymous"
    })
    assert.deepStrictEqual(s3Options({ region: "r", credentials: keys }, { profile: "q" }), {
      region: "r",
      profile: "q"
    })
    for (const secret of [{ accountKey: "k" }, { sasToken: "s" }, { connectionString: "c" }]) {
      assert.deepStrictEqual(azureOptions("one", secret, { credential: "anonymous" }), {
        account: "one",
        credential: "anonymous"
      })
    }
  })

  it("do not send credentials of one place to another", () => {
    const other = { account: "two", accountKey: "k", endpoint: url }
    assert.deepStrictEqual(azureOptions("one", other, {}), { account: "one" })
    assert.deepStrictEqual(azureOptions("two", other, {}), other)
    for (const credentials of ["default", "anonymous"] as const) {
      assert.deepStrictEqual(gcsOptions({ credentials }, { endpoint: url }), { endpoint: url })
    }
    assert.deepStrictEqual(gcsOptions({ credentials: { keyFile: "f" } }, { endpoint: url }), {
      credentials: { keyFile: "f" },
      endpoint: url
    })
  })
})
