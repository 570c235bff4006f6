/**
 * How fast requests may be sent to an endpoint that refuses many of them for their number.
 *
 * Nothing is held back until that happens: until two of five are refused, in a window of a second. Fewer are left to the delays of those
 * who repeat them, because they may have another reason than the number (one prefix of many is too hot, or the service fails by
 * chance), and then to hold all requests back helps nobody. From then on a window in which more than a tenth was refused is an
 * overload, and the rate becomes what the endpoint accepted in it. Few refusals leave the rate as it is, none raises it, the
 * faster the longer it lasts. Sending stops altogether (a freeze) for the rest of a window of which a fifth
 * was refused, and for longer if nothing is accepted at all.
 *
 * All times are milliseconds of the clock that the caller reads.
 *
 * @internal
 */

/** Answers are judged when they are of this much time, and enough; or of the longest time. */
const windowTime = 1000
const longestTime = 5000
const enoughAnswers = 20

/** What holds requests back that were not held back before. */
const startPart = 0.4

/** An overload: so many refusals, and so large a part of all answers. */
const overloadRefusals = 5
const overloadPart = 0.1

/** What stops sending before the window is over. */
const freezeRefusals = 20
const freezePart = 0.2

/** Refusals up to this part are none. */
const calmPart = 0.02

/** The rate after an overload is a little less than what was accepted, so that what waits at the service drains. */
const easing = 0.95
const leastRate = 1
const firstGrowth = 0.05
const mostGrowth = 0.5

/** How sending begins again after nothing was accepted, until something is refused. */
const restartRate = 10
const restartGrowth = 1

/** A window uses the rate if it sends this part of it; one that does not tells nothing of a higher rate. */
const usedPart = 0.7

/** Without a refusal for this long, nothing is held back any more. */
const forgetTime = 30_000

/** The longest time without sending, also where the service asks for more. */
const longestFreeze = 20_000

/** A request that is late does not make the next ones late, up to this. */
const catchUp = 100

export class Pace {
  /** Requests a second; `undefined` while nothing is held back. */
  rate: number | undefined
  /** How often sending stopped. */
  freezes = 0
  /** Whether `delay` has to be asked before a request is sent. */
  holds = false

  #start = 0
  #accepted = 0
  #refused = 0
  #sent = 0
  #retryAfter = 0
  #frozenAt: number | undefined
  #frozenUntil = 0
  /** Windows one after the other in which nothing was accepted. */
  #empty = 0
  #growth = firstGrowth
  #lastRefusal = 0
  #next = 0

  /** Counts a request that the endpoint did, or refused for another reason than their number. */
  accepted(now: number): void {
    this.#judge(now)
    this.#accepted++
  }

  /** Counts a request that was refused for their number; `retryAfter` is what the answer asks for, or 0. */
  refused(now: number, retryAfter: number): void {
    this.#judge(now)
    this.#refused++
    this.#lastRefusal = now
    this.#retryAfter = Math.max(this.#retryAfter, retryAfter)
    if (
      now >= this.#frozenUntil && this.#refused >= freezeRefusals &&
      this.#refused > (this.holds ? freezePart : startPart) * (this.#accepted + this.#refused)
    ) {
      this.#frozenAt = now
      this.#freeze(Math.max(now, this.#start + windowTime))
    }
  }

  /** Milliseconds until the next request may be sent; 0 is now. */
  delay(now: number): number {
    this.#judge(now)
    if (!this.holds) return 0
    // Clocks count whole milliseconds.
    return Math.max(0, Math.ceil(this.#frozenUntil - now), this.rate === undefined ? 0 : Math.ceil(this.#next - now))
  }

  /** Tells that a request is sent, which `delay` let go. */
  sent(now: number): void {
    this.#sent++
    if (this.rate !== undefined) this.#next = Math.max(this.#next, now - catchUp) + 1000 / this.rate
  }

  #begin(now: number): void {
    this.#start = now
    this.#accepted = 0
    this.#refused = 0
    this.#sent = 0
    this.#retryAfter = 0
    this.#frozenAt = undefined
  }

  #freeze(until: number): void {
    this.#frozenUntil = until
    this.freezes++
    this.holds = true
  }

  /** Draws the conclusion of a window that is over. */
  #judge(now: number): void {
    // The clock was set back: what lies in the future now would hold requests back until then.
    if (now < this.#start - longestFreeze) {
      this.#frozenUntil = now
      this.#next = now
      this.#lastRefusal = Math.min(this.#lastRefusal, now)
      this.#begin(now)
    }
    const elapsed = now - this.#start
    if (elapsed < windowTime || now < this.#frozenUntil) return
    const answers = this.#accepted + this.#refused
    if (this.#refused > 0 && answers < enoughAnswers && elapsed < longestTime) return
    const part = answers === 0 ? 0 : this.#refused / answers
    if (this.#refused >= overloadRefusals && part > (this.holds ? overloadPart : startPart)) this.#slowDown(now)
    else if (this.holds) this.#goOn(now, elapsed, part)
    this.#begin(Math.max(now, this.#frozenUntil))
  }

  #slowDown(now: number): void {
    this.holds = true
    this.#growth = firstGrowth
    if (this.#accepted === 0) {
      const wanted = Math.max(this.#retryAfter, windowTime * 2 ** this.#empty)
      this.#empty++
      this.rate = restartRate
      this.#growth = restartGrowth
      this.#freeze(now + Math.min(longestFreeze, wanted))
      return
    }
    this.#empty = 0
    const whole = this.#accepted / (now - this.#start)
    const sending = this.#accepted / Math.max(1, (this.#frozenAt ?? now) - this.#start)
    // Where nothing was held back, much of what was accepted had been saved up, or is all of a second: the truth lies between.
    this.rate = Math.max(leastRate, easing * 1000 * (this.rate === undefined ? Math.sqrt(whole * sending) : sending))
    this.#next = now
  }

  #goOn(now: number, elapsed: number, part: number): void {
    this.#empty = 0
    if (now - this.#lastRefusal >= forgetTime || this.rate === undefined) {
      this.rate = undefined
      this.holds = false
      this.#growth = firstGrowth
      return
    }
    if (part > calmPart) {
      this.#growth = firstGrowth
      return
    }
    if (this.#sent < usedPart * this.rate * elapsed / 1000) return
    this.rate *= 1 + this.#growth
    this.#growth = Math.max(this.#growth, Math.min(mostGrowth, 2 * this.#growth))
  }
}
