import type { TokenCredential } from "effect-objectstore/layers/Azure"

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url")

/** A token whose claims are those that Azurite looks for; it does not check the signature, which is a word. */
export const tokenOf = (expiresAt: number, signature = "canary"): string => {
  const seconds = Math.floor(Date.now() / 1000)
  const claims = {
    aud: "https://storage.azure.com",
    iss: "https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/",
    oid: "23657296-5cd5-45b0-a809-d972a7f4dfe1",
    tid: "dd0d0df1-06c3-436c-8034-4b9a153097ce",
    nbf: seconds - 600,
    iat: seconds - 600,
    exp: Math.floor(expiresAt / 1000)
  }
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.${Buffer.from(signature).toString("base64url")}`
}

/** A credential that hands out tokens for an hour, and counts them. */
export const makeCredential = (): TokenCredential & { readonly scopes: Array<string> } => {
  const scopes: Array<string> = []
  return {
    scopes,
    getToken: (scope) => {
      scopes.push(scope)
      const expiresOnTimestamp = Date.now() + 3_600_000
      return Promise.resolve({ token: tokenOf(expiresOnTimestamp), expiresOnTimestamp })
    }
  }
}
