/**
 * Where an account is: endpoints and connection strings, read strictly.
 *
 * @internal
 */
import * as Result from "effect/Result"

/** An account's blob endpoint. */
export interface Endpoint {
  /** Scheme, host and port. */
  readonly origin: string
  /** What stands before the container in every path: `""`, or `/ACCOUNT` where one host serves several accounts (Azurite). */
  readonly basePath: string
}

/** The account that Azurite serves, with the key that its documentation publishes. */
export const emulatorAccount = "devstoreaccount1"
/** No secret: every Azurite has it. */
export const emulatorKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
/** Where Azurite listens unless it is told otherwise. */
export const emulatorEndpoint = `http://127.0.0.1:10000/${emulatorAccount}`

const addressPattern = /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/i

/**
 * Reads an endpoint. On a host that is an address (or `localhost`) the account stands in the path, and is put there if it does
 * not; on any other one the account is the host's.
 */
export const parseEndpoint = (
  text: string,
  given: string | undefined
): Result.Result<{ readonly endpoint: Endpoint; readonly account: string | undefined }, string> => {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return Result.fail("the endpoint is no URL")
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return Result.fail("the endpoint is neither https nor http")
  }
  if (url.username !== "" || url.password !== "") return Result.fail("the endpoint holds a user name or password")
  if (url.search !== "" || url.hash !== "") {
    return Result.fail("the endpoint holds a query or fragment; a SAS token is given as sasToken")
  }
  const path = url.pathname.replace(/\/+$/, "")
  if (!/^(?:\/[A-Za-z0-9._~-]+)*$/.test(path)) return Result.fail("the endpoint's path is not made of plain names")
  const origin = url.origin
  if (!addressPattern.test(url.hostname)) {
    const [label = "", ...rest] = url.hostname.split(".")
    const told = rest[0] === "blob" ? label : undefined
    // Another account's host would answer with another account's data.
    if (told !== undefined && given !== undefined && told !== given && told !== `${given}-secondary`) {
      return Result.fail(`the endpoint is of account ${told}, not of ${given}`)
    }
    return Result.succeed({ endpoint: { origin, basePath: path }, account: given ?? told })
  }
  const last = path === "" ? undefined : path.slice(path.lastIndexOf("/") + 1)
  const account = given ?? last
  const basePath = last === account || account === undefined ? path : `${path}/${account}`
  return Result.succeed({ endpoint: { origin, basePath }, account })
}

/** What a connection string says. */
export interface ConnectionString {
  readonly account: string | undefined
  readonly endpoint: string | undefined
  readonly accountKey: string | undefined
  readonly sasToken: string | undefined
}

const settings = new Set([
  "DefaultEndpointsProtocol",
  "AccountName",
  "AccountKey",
  "EndpointSuffix",
  "BlobEndpoint",
  "SharedAccessSignature",
  "UseDevelopmentStorage",
  "DevelopmentStorageProxyUri"
])

/** The other services of an account, which every connection string may name. */
const otherService = /^(?:Queue|Table|File|Dfs|Web)(?:Secondary)?Endpoint$|^BlobSecondaryEndpoint$/i

const names = new Map([...settings].map((name) => [name.toLowerCase(), name]))

/**
 * Reads a connection string (learn.microsoft.com/azure/storage/common/storage-configure-connection-string). What is wrong is told
 * without any of its values, for one of them is a secret.
 */
export const parseConnectionString = (text: string): Result.Result<ConnectionString, string> => {
  const values = new Map<string, string>()
  for (const part of text.split(";")) {
    if (part.trim() === "") continue
    const sign = part.indexOf("=")
    const given = part.slice(0, Math.max(0, sign)).trim()
    const name = names.get(given.toLowerCase())
    if (name === undefined) {
      if (otherService.test(given)) continue
      return Result.fail("the connection string has a part that is no setting of an account")
    }
    if (values.has(name)) return Result.fail(`the connection string has ${name} twice`)
    values.set(name, part.slice(sign + 1).trim())
  }
  if (values.get("UseDevelopmentStorage") === "true") {
    const proxy = values.get("DevelopmentStorageProxyUri")
    return Result.succeed({
      account: emulatorAccount,
      endpoint: proxy === undefined ? emulatorEndpoint : `${proxy.replace(/\/+$/, "")}:10000/${emulatorAccount}`,
      accountKey: emulatorKey,
      sasToken: undefined
    })
  }
  const account = values.get("AccountName")
  const endpoint = values.get("BlobEndpoint") ?? (account === undefined
    ? undefined
    : `${values.get("DefaultEndpointsProtocol") ?? "https"}://${account}.blob.${
      values.get("EndpointSuffix") ?? "core.windows.net"
    }`)
  if (endpoint === undefined) return Result.fail("the connection string has neither AccountName nor BlobEndpoint")
  return Result.succeed({
    account,
    endpoint,
    accountKey: values.get("AccountKey"),
    sasToken: values.get("SharedAccessSignature")
  })
}
