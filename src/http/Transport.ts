/**
 * How a backend of a cloud talks HTTP: one request with its bytes out, one reply with its bytes in.
 *
 * A transport sends the path as it is given (`..`, `//` and `%2F` survive), follows no redirect, decompresses nothing,
 * retries nothing, and knows no service. Its implementations live beside this file, and nothing outside this folder
 * knows which one is at work.
 *
 * @internal
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import type { OptionNames } from "../optionNames.ts"

/**
 * Sends requests.
 *
 * Failures are `ObjectStoreError`s that tell cases apart (`mutation` requests carry the `outcome`):
 *
 * - nothing was sent: `ConnectionFailed` (`dns`, `connect`, `tls`; `request` where a kept connection was found closed before
 *   a byte of the request was written), `Timeout` (`request`); outcome `"not-applied"`;
 * - sent, no answer: `ConnectionFailed` (`request` while the body was written, `headers` after it), `Timeout` (`request`, `headers`);
 *   outcome `"unknown"`;
 * - either of these over a connection that was kept, before a byte of the answer came: the same, `reused`; the next request goes
 *   over none that has been idle for as long;
 * - answer broken off: `BodyInterrupted`, `Timeout` (`stall`), both with the bytes `received`; outcome `"unknown"`.
 *
 * An answer that is no HTTP, or whose body does not fit its own length, is `ProtocolViolation`.
 */
export interface Transport {
  /**
   * Sends one request and answers with the head of the reply. A reply that comes before the request's body has been sent
   * is the reply: it wins over a write that fails.
   *
   * The body of the reply lives until the scope closes. A scope that closes before the body has been read to its end, and
   * an interruption at any point, resets the connection at once (RST, not an orderly close: a server that sees an orderly end of
   * half an upload may store the half). A connection is given back for the next request only after a whole exchange.
   * After the effect has failed or was interrupted, the request's body is no longer touched.
   */
  readonly send: (request: TransportRequest) => Effect.Effect<TransportReply, ObjectStoreError, Scope.Scope>
}

/** One request. */
export interface TransportRequest {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE"
  /** Scheme, host and port: `"https://bucket.s3.amazonaws.com"`, `"http://127.0.0.1:9000"`. */
  readonly origin: string
  /** Path and query, percent-encoded where they have to be; sent byte for byte. */
  readonly path: string
  /** Names are lower case. `content-length` is the transport's own, and always sent with PUT and POST; so is `host` without one. */
  readonly headers: Readonly<Record<string, string>>
  /** The bytes of the body, in one piece or several that follow each other. Not changed by the caller until the effect ends. */
  readonly body?: Uint8Array | ReadonlyArray<Uint8Array> | undefined
  /** Whether the request changes the store, so that a lost answer leaves its outcome open. */
  readonly mutation: boolean
}

/** The head of a reply, and the way to its body. */
export interface TransportReply {
  readonly status: number
  /** Names are lower case; values of a name that comes more than once are joined by `", "`. Text is Latin-1, as sent. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Bytes in the body, where the reply says so (`content-length`); 0 for HEAD, 204 and 304. */
  readonly length: number | undefined
  /**
   * Fills `target` with the next bytes of the body and answers how many: the whole target unless the body ends first, 0
   * at its end. Bytes go from the connection's buffer to the target once. Not called side by side.
   *
   * A body that breaks off fails with `BodyInterrupted`, one that stands still with `Timeout`; `received` counts the bytes of
   * the body delivered into targets, this one included. After the effect has failed or was interrupted, `target` is no longer touched.
   */
  readonly into: (target: Uint8Array) => Effect.Effect<number, ObjectStoreError>
}

/** How a store of a cloud connects: what the options of each of them have. */
export interface ConnectionOptions {
  /**
   * Most connections an origin; a request waits for a free one. So many idle ones are kept over all origins (buckets that
   * stand before the host are one each). 64 without it.
   */
  readonly connections?: number | undefined
  /** Most milliseconds to make a connection, TLS included; 10 seconds without it. */
  readonly connectTimeout?: number | undefined
  /** Most milliseconds from a request's last byte to the head of its reply; 60 seconds without it. */
  readonly headersTimeout?: number | undefined
  /** Most milliseconds without a byte moving, while a body is sent or received, or a service copies; 30 seconds without it. */
  readonly stallTimeout?: number | undefined
  /** Certificates of authorities, PEM, that are trusted beside those that Node trusts. */
  readonly ca?: string | ReadonlyArray<string> | undefined
  /** Answers the address of a host instead of the system's resolver. */
  readonly lookup?: ((host: string) => string | undefined) | undefined
  /**
   * Whether credentials may be sent to another machine over plain http, where everybody on the way can read tokens and
   * objects, and change them. Without it, that is `Configuration`.
   */
  readonly allowPlainHttp?: boolean | undefined
}

/** The names of the options of connections. */
export const connectionOptionNames: OptionNames<ConnectionOptions> = {
  allowPlainHttp: "flag",
  ca: true,
  connections: true,
  connectTimeout: true,
  headersTimeout: true,
  lookup: true,
  stallTimeout: true
}

/** What any transport is made with. */
export interface TransportOptions extends ConnectionOptions {
  /** The backend's name, for errors. */
  readonly backend: string
}
