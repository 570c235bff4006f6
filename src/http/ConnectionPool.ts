/**
 * The connections to one origin: as many as requests need at a time, up to a cap; a request beyond waits its turn.
 *
 * @internal
 */
import { Connection, type Origin } from "./Connection.ts"
import type { IdleConnections } from "./IdleConnections.ts"

/** Who waits for a connection. */
export interface Waiter {
  readonly begin: (connection: Connection) => void
  /** There will be none. */
  readonly abandon: () => void
}

export class ConnectionPool {
  readonly #origin: Origin
  readonly #most: number
  /** The one that was used last is taken first, so that the others may end their idle time. */
  readonly #free: Array<Connection> = []
  readonly #busy = new Set<Connection>()
  readonly #waiting = new Set<Waiter>()
  readonly #idle: IdleConnections
  /** Counts requests. */
  #turn = 0

  constructor(origin: Origin, most: number, idle: IdleConnections) {
    this.#origin = origin
    this.#most = most
    this.#idle = idle
  }

  /** Has `waiter` begin as soon as a connection is free: now, or in its turn. */
  acquire(waiter: Waiter): void {
    const connection = this.#free.pop() ??
      (this.#busy.size < this.#most ? new Connection(this.#origin) : undefined)
    if (connection === undefined) {
      this.#waiting.add(waiter)
      return
    }
    this.#idle.delete(connection)
    this.#busy.add(connection)
    connection.turn = ++this.#turn
    waiter.begin(connection)
  }

  /** Takes a waiter out of the line. */
  leave(waiter: Waiter): void {
    this.#waiting.delete(waiter)
  }

  /** Takes back a connection after a whole exchange. */
  release(connection: Connection): void {
    connection.rest()
    connection.turn = this.#turn
    this.#busy.delete(connection)
    this.#free.push(connection)
    this.#next()
    if (this.#free.at(-1) === connection) this.#idle.add(connection, this)
  }

  /** Closes an idle connection, since there are too many. */
  drop(connection: Connection): void {
    this.#free.splice(this.#free.indexOf(connection), 1)
    void connection.destroy()
  }

  /**
   * Resets a connection, and makes room for another one. Where it was found dead after it had been idle, so are probably those
   * that nobody has used since: the next request is to have a new one.
   */
  discard(connection: Connection, wasDead: boolean): void {
    connection.resetSocket()
    void connection.destroy()
    this.#busy.delete(connection)
    if (wasDead) {
      for (const other of this.#free.filter(({ turn }) => turn < connection.turn)) {
        this.#idle.delete(other)
        this.drop(other)
      }
    }
    this.#next()
  }

  #next(): void {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter)
      this.acquire(waiter)
      return
    }
  }

  /** Closes every connection. Requests that wait or run fail. */
  close(): Promise<unknown> {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const waiter of waiting) waiter.abandon()
    for (const connection of this.#busy) connection.resetSocket()
    return Promise.all([...this.#free, ...this.#busy].map((connection) => connection.destroy()))
  }
}
