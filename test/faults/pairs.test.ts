/**
 * Two faults in one operation, over the wire: the operations of the fewest exchanges, every exchange with each of eight
 * faults that differ in what becomes of it, and then every exchange that comes after that with each of them again.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { env } from "node:process"
import { type Operation, operationsOf } from "./operations.ts"
import { type Cells, type Hit, hit, type Phase } from "./points.ts"
import { type ServiceName, sizes } from "./services.ts"

const isFull = env["MODE"] === "faults"
const stride = isFull ? 1 : 5

const phases = [
  "refused",
  "reset before it is applied",
  "reset after it is applied",
  "503",
  "an error in a success, applied",
  "cut answer",
  "stall after it is applied",
  "flipped bit of the answer"
] as const satisfies ReadonlyArray<Phase>

/** A run needs a repetition for each fault, and may ask the store for each. */
const mostMore = 10

const shortest = isFull ? 20 : 10

const cells: Cells = new Set()

interface Figures {
  pairs: number
  met: number
  healed: number
  most: number
}

const figures = new Map<ServiceName, Figures>()

afterAll(() => {
  for (const [name, { healed, met, most, pairs }] of figures) {
    console.log(
      `two faults on the wire of ${name}: ${pairs} pairs (${
        isFull ? "all" : `1 of ${stride ** 2}`
      }), ${met} met, ${healed} healed, at most ${most} exchanges more than in peace`
    )
  }
})

const share = <A>(all: ReadonlyArray<A>, offset: number): ReadonlyArray<A> =>
  all.filter((_, place) => (place + offset) % stride === 0)

const hitsFrom = (first: number, exchanges: number): ReadonlyArray<Hit> =>
  Array.from(
    { length: Math.max(0, exchanges - first) },
    (_, index) => phases.map((phase) => ({ exchange: first + index, phase }))
  ).flat()

const nameOf = (hits: ReadonlyArray<Hit>): string =>
  hits.map(({ exchange, phase }) => `${phase} at exchange ${exchange}`).join(", then ")

for (const name of Object.keys(sizes) as ReadonlyArray<ServiceName>) {
  describe(`two faults in one operation with ${name}`, () => {
    const figure: Figures = { pairs: 0, met: 0, healed: 0, most: 0 }
    figures.set(name, figure)

    const checkPair = Effect.fnUntraced(function*(
      operation: Operation,
      peace: number,
      hits: ReadonlyArray<Hit>,
      failures: Array<string>
    ) {
      const one = yield* hit(name, { operation, hits }, cells)
      const wrong = [...one.violations]
      const more = one.exchanges - peace
      if (more > mostMore) wrong.push(`${more} exchanges more than in peace`)
      figure.pairs++
      figure.met += one.met ? 1 : 0
      figure.healed += one.healed ? 1 : 0
      figure.most = Math.max(figure.most, more)
      if (wrong.length > 0) failures.push([`${nameOf(hits)}:`, ...wrong, ...one.trace].join("\n    "))
    })

    it.live("keeps every promise", () =>
      Effect.gen(function*() {
        const all = yield* Effect.forEach(operationsOf(sizes[name]), (operation) =>
          Effect.map(hit(name, { operation, hits: [] }, cells), ({ exchanges }) => ({ operation, exchanges })))
        const few = all.filter(({ exchanges }) =>
          exchanges > 0
        ).sort((a, b) => a.exchanges - b.exchanges).slice(0, shortest)
        const failures: Array<string> = []
        for (const [index, { exchanges, operation }] of few.entries()) {
          const own: Array<string> = []
          const pairs = yield* Effect.forEach(share(hitsFrom(0, exchanges), index), (first) =>
            // How far it comes decides what may come second.
            Effect.map(hit(name, { operation, hits: [first] }, cells), (one) =>
              share(hitsFrom(first.exchange + 1, one.exchanges), index).map((second) => [first, second])), {
            concurrency: 6
          })
          yield* Effect.forEach(pairs.flat(), (hits) =>
            checkPair(operation, exchanges, hits, own), {
            concurrency: 6,
            discard: true
          })
          failures.push(...own.map((one) =>
            `${operation.name}: ${one}`
          ))
        }
        assert.isAbove(figure.met, 0)
        assert.deepStrictEqual(failures, [], failures.join("\n"))
      }), { timeout: 1_800_000 })
  })
}
