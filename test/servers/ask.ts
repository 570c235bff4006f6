import { Effect } from "effect"
import * as NodeHttp from "node:http"
import * as NodeHttps from "node:https"
import { ServerError } from "./ServerError.ts"

/** Sends a request on a connection of its own, and answers the status. */
export const ask = (
  method: string,
  url: string,
  ca?: string | undefined,
  body?: string | undefined
): Effect.Effect<number, ServerError> =>
  Effect.callback((resume) => {
    const secure = url.startsWith("https:")
    const request = (secure ? NodeHttps : NodeHttp).request(url, { method, ca, agent: false, timeout: 10_000 })
    request.once("response", (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode ?? 0))
    })
    request.once("timeout", () => request.destroy(new Error("no answer")))
    request.once("error", (error) => resume(Effect.fail(new ServerError({ message: `${url}: ${error.message}` }))))
    request.end(body)
    return Effect.sync(() => request.destroy())
  })
