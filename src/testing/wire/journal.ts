/**
 * What a fault server received, and what it did.
 *
 * @internal
 */
import type { ServerHead, ServerReply } from "../protocol/Server.ts"
import type { WireFault } from "../WireFault.ts"
import type { Described, Protocol, StoredObject, WireOperation } from "./Protocol.ts"

/** One exchange. */
export interface WireExchange {
  /** Counted from 0. */
  readonly number: number
  readonly operation: WireOperation
  readonly container: string
  /** `""` for what has none, and for a removal of many. */
  readonly key: string
  readonly method: string
  /** The path as it was sent, without its query, which may hold a signature. */
  readonly path: string
  /** Bytes of the request's body; `undefined` if it did not come whole. */
  readonly received: number | undefined
  /** What it met. */
  readonly fault: WireFault | undefined
  /** What the service answered; `undefined` if the request was not carried out. What was sent may be something else. */
  readonly status: number | undefined
  /** Whether it changed an object. */
  readonly changed: boolean
}

/** One change of an object: a new version, or none any more. */
export interface WireChange {
  /** The number of the exchange. */
  readonly exchange: number
  readonly container: string
  readonly key: string
  /** `undefined` for a removal. */
  readonly etag: string | undefined
  readonly body: Uint8Array | undefined
}

/** A journal that is being written. */
export interface Journal {
  /** A head has come; the number of its exchange. */
  readonly begin: (head: ServerHead) => number
  readonly receive: (number: number, described: Described, bytes: number) => void
  readonly meet: (number: number, fault: WireFault) => void
  /** Carries a request out, and notes what changed. */
  readonly apply: (number: number, described: Described, respond: () => ServerReply) => ServerReply
  readonly exchanges: () => ReadonlyArray<WireExchange>
  readonly changes: () => ReadonlyArray<WireChange>
}

type Place = readonly [container: string, key: string]

/** Begins a journal. */
export const makeJournal = (protocol: Protocol): Journal => {
  const exchanges: Array<WireExchange> = []
  const changes: Array<WireChange> = []
  const amend = (number: number, change: Partial<WireExchange>): void => {
    exchanges[number] = { ...exchanges[number]!, ...change }
  }
  const placesOf = ({ container, key, operation }: Described): ReadonlyArray<Place> =>
    operation === "deleteBatch" ? protocol.places() : key === "" ? [] : [[container, key]]
  return {
    begin: (head) => {
      const described = protocol.describe(head, undefined)
      exchanges.push({
        ...described,
        number: exchanges.length,
        method: head.method,
        path: head.rawPath,
        received: undefined,
        fault: undefined,
        status: undefined,
        changed: false
      })
      return exchanges.length - 1
    },
    receive: (number, described, received) => amend(number, { ...described, received }),
    meet: (number, fault) => amend(number, { fault }),
    apply: (number, described, respond) => {
      const before = placesOf(described).map((place): readonly [Place, StoredObject | undefined] => [
        place,
        protocol.find(...place)
      ])
      const reply = respond()
      let changed = false
      for (const [[container, key], was] of before) {
        const is = protocol.find(container, key)
        if (is === was) continue
        changed = true
        changes.push({ exchange: number, container, key, etag: is?.etag, body: is?.body })
      }
      amend(number, { status: reply.status, changed })
      return reply
    },
    exchanges: () => [...exchanges],
    changes: () => [...changes]
  }
}
