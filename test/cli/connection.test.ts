import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { type Cloud, cloudOf, type Connection, parseEndpoint, universalOptions } from "../../src/cli/connection.ts"

const none: Connection = { "allow-http": false, anonymous: false, endpoint: [] }
const url = "http://127.0.0.1:9000"

const optionsOf = (connection: Partial<Connection>, named: ReadonlyArray<Cloud>) =>
  Effect.runSync(Effect.result(universalOptions({ ...none, ...connection }, named)))

const refused = (connection: Partial<Connection>, named: ReadonlyArray<Cloud>): string => {
  const result = optionsOf(connection, named)
  return Result.isFailure(result) ? result.failure.message : "it was taken"
}

describe("the options of services", () => {
  it("give an endpoint to the one service that is named, or to the one that is said", () => {
    for (const cloud of ["az", "gs"] as const) {
      for (const endpoint of [{ url }, { cloud, url }]) {
        const options = Result.getOrThrow(optionsOf({ endpoint: [endpoint] }, [cloud]))
        assert.strictEqual(
          options.azure !== undefined && "endpoint" in options.azure && options.azure.endpoint === url,
          cloud === "az"
        )
        assert.strictEqual(options.gcs?.endpoint === url, cloud === "gs")
      }
    }
    const both = optionsOf({ endpoint: [{ cloud: "gs", url }, { cloud: "az", url }] }, ["az", "gs"])
    assert.isTrue(Result.isSuccess(both))
  })

  it("are refused where they mean no service, or more than one", () => {
    assert.match(refused({ endpoint: [{ url }] }, []), /^--endpoint is for s3, gs and az locations/)
    assert.match(
      refused({ endpoint: [{ url }] }, ["gs", "az"]),
      /is for one service of gs, az; say which, as in gs=http/
    )
    assert.match(refused({ endpoint: [{ cloud: "s3", url }] }, ["gs"]), /^--endpoint is for s3 locations/)
    assert.match(refused({ endpoint: [{ url }, { cloud: "gs", url }] }, ["gs"]), /^--endpoint is given twice for gs/)
    assert.match(refused({ profile: "x" }, ["gs"]), /^--profile is for s3 locations/)
    assert.match(refused({ region: "x" }, []), /^--region is for s3 locations/)
    assert.match(refused({ "allow-http": true }, []), /^--allow-http is for s3, gs and az locations/)
    assert.match(refused({ anonymous: true }, []), /^--anonymous is for s3, gs and az locations/)
    assert.match(refused({ anonymous: true, profile: "x" }, ["s3"]), /^--anonymous and --profile/)
  })

  it("know the services by all their schemes", () => {
    const schemes = ["s3", "gs", "az", "https", "mem", "file", "direct"] as const
    assert.deepStrictEqual(schemes.map(cloudOf), ["s3", "gs", "az", "az", undefined, undefined, undefined])
  })

  it("take endpoints that are URLs without secrets, and nothing else", () => {
    assert.deepStrictEqual(parseEndpoint(url), { url })
    assert.deepStrictEqual(parseEndpoint(`s3=${url}`), { cloud: "s3", url })
    assert.deepStrictEqual(parseEndpoint(`gcs=${url}/path`), { cloud: "gs", url: `${url}/path` })
    const wrong = [
      "",
      "127.0.0.1:9000",
      "ftp://host",
      "http://user:secret@host",
      "http://host/?sig=secret",
      `file=${url}`,
      `constructor=${url}`,
      "s3=",
      "s3=host"
    ]
    for (const text of wrong) assert.isUndefined(parseEndpoint(text), text)
  })
})
