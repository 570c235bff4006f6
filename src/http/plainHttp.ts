/**
 * Whether credentials may go over a wire that everybody on it can read.
 *
 * @internal
 */

/** Whether a host is this machine, so that what is sent to it leaves no wire. */
export const isLoopback = (hostname: string): boolean =>
  /^(?:localhost|[a-z0-9.-]+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i.test(hostname)

/**
 * What is wrong with sending credentials to an origin, in one line: it is plain http to another machine, and nobody said that
 * this is meant. Signatures are no secret by themselves, but everything that they are for is open then, and session tokens are.
 */
export const exposed = (origin: string, allowPlainHttp: boolean | undefined): string | undefined => {
  const { hostname, protocol } = new URL(origin)
  return protocol === "http:" && allowPlainHttp !== true && !isLoopback(hostname)
    ? "endpoint: credentials are not sent over plain http, but to this machine; where the network is trusted, allowPlainHttp " +
      "(OBJECTSTORE_ALLOW_HTTP=true, --allow-http) lets them"
    : undefined
}
