/**
 * Whose a request is, and whether it may do what it asks for.
 *
 * Shared Key and Bearer by the `authorization` header, service and user-delegation signatures by the query; the rules are those of "Authorize
 * with Shared Key", "Create a service SAS" and "Create a user delegation SAS" (version 2020-12-06 and later).
 *
 * @internal
 */
import * as NodeCrypto from "node:crypto"
import { signText, stringToSign } from "../../http/SharedKey.ts"
import type { ServerReply, ServerRequest } from "../protocol/Server.ts"
import { refuse } from "./replies.ts"
import type { State } from "./state.ts"

/** Who asks: with the account's key, with a token, or with what a signature allows. */
export type Identity = "owner" | "user" | ReadonlySet<string>

/** A place: a blob, or a container. */
interface Place {
  readonly container: string | undefined
  readonly key: string | undefined
}

/** Clocks may differ by so much. */
const maxSkew = 15 * 60_000

/** Tells who asks, or refuses. */
export const identify = (
  state: State,
  request: ServerRequest,
  place: Place,
  now: number
): Identity | ServerReply => {
  const { headers, query } = request
  const authorization = headers["authorization"]
  if (query.has("sig")) return identifySas(state, query, place, now)
  if (authorization === undefined) return challenge("NoAuthenticationInformation")
  if (authorization.startsWith("Bearer ")) {
    return isToken(state, authorization) ? "user" : challenge("InvalidAuthenticationInfo")
  }
  const date = Date.parse(headers["x-ms-date"] ?? headers["date"] ?? "")
  if (!(Math.abs(date - now) <= maxSkew)) {
    return refuse(403, "AuthenticationFailed", { detail: `Request date header too old: '${headers["x-ms-date"]}'` })
  }
  return authorization === `SharedKey ${state.account}:${signText(state.accountKey, signedText(state, request))}`
    ? "owner"
    : refuse(403, "AuthenticationFailed", { detail: "The MAC signature found in the HTTP request is not the same." })
}

const signedText = (state: State, { body, headers, method, rawPath, rawQuery }: ServerRequest): string => {
  const signed: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) signed[name] = value
  }
  const path = rawQuery === "" ? rawPath : `${rawPath}?${rawQuery}`
  return stringToSign(state.account, { method, path, headers: signed, length: body.length })
}

/** Whether an authorization is the token that is taken. */
export const isToken = (state: State, authorization: string | undefined): boolean =>
  state.token !== undefined && authorization === `Bearer ${state.token}`

const challenge = (code: string): ServerReply =>
  refuse(401, code, {
    headers: {
      "www-authenticate":
        "Bearer authorization_uri=https://login.microsoftonline.com/model/oauth2/authorize resource_id=https://storage.azure.com"
    }
  })

/** What a user is lent: a key that is made of its own description, so that it need not be kept. */
export const delegationKey = (state: State, fields: ReadonlyArray<string>): NodeCrypto.KeyObject =>
  NodeCrypto.createSecretKey(Buffer.from(signText(state.accountKey, fields.join("\n")), "base64"))

const lenderFields = ["skoid", "sktid", "skt", "ske", "sks", "skv"]

/** What the signature in a query allows at a place, or a refusal. */
export const identifySas = (
  state: State,
  query: ReadonlyMap<string, string>,
  { container, key }: Place,
  now: number
): ReadonlySet<string> | ServerReply => {
  const value = (name: string): string => query.get(name) ?? ""
  const isDelegated = query.has("skoid")
  const resource = value("sr") === "c"
    ? `/blob/${state.account}/${container ?? ""}`
    : `/blob/${state.account}/${container ?? ""}/${key ?? ""}`
  const lender = lenderFields.map(value)
  const signed = [value("sp"), value("st"), value("se"), resource]
  signed.push(...isDelegated ? [...lender, value("saoid"), value("suoid"), value("scid")] : [value("si")])
  const rest = ["sip", "spr", "sv", "sr", "snapshot", "ses", "rscc", "rscd", "rsce", "rscl", "rsct"]
  const text = signed.concat(rest.map(value)).join("\n")
  const signer = isDelegated ? delegationKey(state, lender) : state.accountKey
  if (signText(signer, text) !== value("sig")) {
    return refuse(403, "AuthenticationFailed", { detail: "Signature did not match." })
  }
  const [start, expiry] = [Date.parse(value("st")), Date.parse(value("se"))]
  if (!(now < expiry) || now < start) {
    return refuse(403, "AuthenticationFailed", {
      detail: `Signature not valid in the specified time frame: Start [${value("st")}] - Expiry [${value("se")}]`
    })
  }
  return new Set(value("sp"))
}

/** Whether one of these permissions is given. */
export const mayDo = (identity: Identity, permissions: string): boolean =>
  typeof identity === "string" || [...permissions].some((one) => identity.has(one))
