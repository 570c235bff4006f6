/**
 * How the services of a command are reached: the options that say so, held against the places that the command names.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { UniversalOptions } from "../../layers/Universal.ts"
import type { Scheme } from "../ObjectUri.ts"
import { UsageError } from "./exit.ts"

/** The services that are somewhere. */
export type Cloud = "az" | "gs" | "s3"

/** An endpoint, of the one service that the command names or of the one that was said. */
export interface EndpointOption {
  readonly cloud?: Cloud | undefined
  readonly url: string
}

/** The options of every command. */
export interface Connection {
  readonly "allow-http": boolean
  readonly anonymous: boolean
  readonly endpoint: ReadonlyArray<EndpointOption>
  readonly profile?: string | undefined
  readonly region?: string | undefined
}

const clouds: Readonly<Record<string, Cloud>> = { az: "az", gcs: "gs", gs: "gs", https: "az", s3: "s3" }

/** The service of a scheme, if it is somewhere else than here. */
export const cloudOf = (scheme: Scheme): Cloud | undefined => clouds[scheme]

const isUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { hash, password, protocol, search, username } = new URL(text)
  return (protocol === "http:" || protocol === "https:") && `${username}${password}${search}${hash}` === ""
}

/** An endpoint such as `http://127.0.0.1:9000` or `s3=http://127.0.0.1:9000`; `undefined` if it is none. */
export const parseEndpoint = (text: string): EndpointOption | undefined => {
  if (isUrl(text)) return { url: text }
  const [, name = "", url = ""] = /^([a-z0-9]+)=(.*)$/s.exec(text) ?? []
  const cloud = Object.hasOwn(clouds, name) && name !== "https" ? clouds[name] : undefined
  return cloud !== undefined && isUrl(url) ? { cloud, url } : undefined
}

const endpointsOf = Effect.fnUntraced(function*(options: ReadonlyArray<EndpointOption>, named: ReadonlyArray<Cloud>) {
  const found = new Map<Cloud, string>()
  for (const { cloud, url } of options) {
    if (cloud === undefined && named.length !== 1) {
      return yield* new UsageError({
        message: named.length === 0
          ? "--endpoint is for s3, gs and az locations, and none is named"
          : `--endpoint ${url} is for one service of ${named.join(", ")}; say which, as in ${named[0]}=${url}`
      })
    }
    const own = cloud ?? named[0]!
    if (!named.includes(own)) {
      return yield* new UsageError({ message: `--endpoint is for ${own} locations, and none is named` })
    }
    if (found.has(own)) return yield* new UsageError({ message: `--endpoint is given twice for ${own}` })
    found.set(own, url)
  }
  return found
})

/** The options of the stores of a command that names places of these services. */
export const universalOptions = Effect.fnUntraced(function*(
  { "allow-http": allowHttp, anonymous, endpoint, profile, region }: Connection,
  named: ReadonlyArray<Cloud>
): Effect.fn.Return<UniversalOptions, UsageError> {
  const endpoints = yield* endpointsOf(endpoint, named)
  for (const [name, value] of [["profile", profile], ["region", region]] as const) {
    if (value !== undefined && !named.includes("s3")) {
      return yield* new UsageError({ message: `--${name} is for s3 locations, and none is named` })
    }
  }
  if (allowHttp && named.length === 0) {
    return yield* new UsageError({ message: "--allow-http is for s3, gs and az locations, and none is named" })
  }
  if (anonymous && named.length === 0) {
    return yield* new UsageError({ message: "--anonymous is for s3, gs and az locations, and none is named" })
  }
  if (anonymous && profile !== undefined) {
    return yield* new UsageError({ message: "--anonymous and --profile exclude each other" })
  }
  const allowPlainHttp = allowHttp ? true : undefined
  const nobody = anonymous ? "anonymous" as const : undefined
  return {
    environment: true,
    azure: { allowPlainHttp, endpoint: endpoints.get("az"), credential: nobody },
    gcs: { allowPlainHttp, endpoint: endpoints.get("gs"), credentials: nobody },
    // What is in memory begins empty, so its containers appear with what is put into them.
    memory: { capabilities: { containers: "implicit" } },
    s3: { allowPlainHttp, endpoint: endpoints.get("s3"), credentials: nobody, profile, region }
  }
})
