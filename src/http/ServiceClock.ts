/**
 * The time by a service's clock, for what is signed with a date: this machine's time, until a refusal shows that the two
 * differ. All requests of a store share one, so that only the first of them pays.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { timeOf } from "./replyStat.ts"
import type { TransportReply } from "./Transport.ts"

/** Times in milliseconds since 1970. */
export interface ServiceClock {
  /** The time there, as far as it is known. */
  readonly now: Effect.Effect<number>
  /** How far the service is ahead of this machine. */
  readonly ahead: Effect.Effect<number>
  /** Learns the time from the `date` of a refusal. */
  readonly learn: (reply: Pick<TransportReply, "headers">) => Effect.Effect<void>
  /**
   * Learns from a refusal of what was dated `signedAt`, and says whether another signature would have another date: because
   * the clocks differ, as this request or another one has found out, or because the request was late.
   */
  readonly refused: (signedAt: number, reply: Pick<TransportReply, "headers">) => Effect.Effect<boolean>
}

/** Clocks that differ by more are taken for wrong; services allow for 15 minutes. */
const tolerance = 5 * 60_000

/**
 * No more is corrected: time zones and daylight saving explain a day, and a service that wants signatures of another year
 * wants to keep them.
 */
const most = 26 * 3_600_000

/** Makes a clock that goes with this machine's. */
export const makeServiceClock = (): ServiceClock => {
  let ahead = 0
  const learn = ({ headers }: Pick<TransportReply, "headers">, now: number): void => {
    const there = timeOf(headers["date"])?.epochMilliseconds
    if (there === undefined || !(Math.abs(there - now) <= most)) return
    if (Math.abs(there - now - ahead) > tolerance) ahead = there - now
  }
  return {
    now: Effect.map(Clock.currentTimeMillis, (now) => now + ahead),
    ahead: Effect.sync(() => ahead),
    learn: (reply) => Effect.map(Clock.currentTimeMillis, (now) => learn(reply, now)),
    refused: (signedAt, reply) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        learn(reply, now)
        return Math.abs(now + ahead - signedAt) > tolerance
      })
  }
}
