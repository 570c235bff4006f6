/**
 * The name that a service gives a request, for its operators.
 *
 * @internal
 */
import type { TransportReply } from "./Transport.ts"

/** Headers that hold it: S3 and those like it, Azure, GCS, and proxies. */
const names = ["x-amz-request-id", "x-ms-request-id", "x-guploader-uploadid", "x-request-id"]

/** The service's request id, cut to 256 characters. */
export const requestIdOf = (headers: TransportReply["headers"]): string | undefined => {
  for (const name of names) {
    const value = headers[name]
    if (value !== undefined && value !== "") return value.slice(0, 256)
  }
  return undefined
}
