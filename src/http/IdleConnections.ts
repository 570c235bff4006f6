/**
 * The idle connections to all origins: a bucket that stands before the host is an origin of its own, and a program that walks
 * over thousands of buckets would keep as many sockets.
 *
 * @internal
 */
import type { Connection } from "./Connection.ts"
import type { ConnectionPool } from "./ConnectionPool.ts"

export class IdleConnections {
  readonly #most: number
  /** The one that has been idle longest comes first. */
  readonly #kept = new Map<Connection, ConnectionPool>()

  constructor(most: number) {
    this.#most = most
  }

  /** Keeps a connection that nobody uses, and drops the one that has been idle longest if there are too many. */
  add(connection: Connection, pool: ConnectionPool): void {
    this.#kept.set(connection, pool)
    if (this.#kept.size <= this.#most) return
    for (const [oldest, owner] of this.#kept) {
      this.#kept.delete(oldest)
      owner.drop(oldest)
      return
    }
  }

  /** Forgets a connection that is used again. */
  delete(connection: Connection): void {
    this.#kept.delete(connection)
  }
}
