import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { defaultMatrix, requestClasses } from "effect-objectstore"
import { env } from "node:process"
import { type Operation, operationsOf } from "./operations.ts"
import { allPhases, type Cells, hit, type Outcome, type Phase } from "./points.ts"
import { descriptors, disturbances, listen, stopListening, timers } from "./process.ts"
import { type ServiceName, sizes } from "./services.ts"

// `npm run test:faults` runs in the mode of that name: every point. Without it every fifth one is run, each phase of each operation's
// exchanges in its turn.
const isFull = env["MODE"] === "faults"
const stride = isFull ? 1 : 7

interface Point {
  readonly exchange: number
  readonly phase: Phase
}

/** The points of an operation whose peaceful run has so many exchanges. */
const pointsOf = (index: number, exchanges: number): ReadonlyArray<Point> =>
  Array.from({ length: exchanges }, (_, exchange) => allPhases.map((phase) => ({ exchange, phase })))
    .flat().filter((_, place) => (place + index) % stride === 0)

interface Figures {
  operations: number
  exchanges: number
  points: number
  met: number
  healed: number
  unnoticed: number
  most: number
}

const cells: Cells = new Set()
const figures = new Map<ServiceName, Figures>()

beforeAll(listen)

afterAll(() => {
  stopListening()
  for (const [name, { exchanges, healed, met, most, operations, points, unnoticed }] of figures) {
    console.log(
      `faults on the wire of ${name}: ${operations} operations, ${exchanges} exchanges, ${points} points (${
        isFull ? "all" : `1 of ${stride}`
      }), ${met} met, ${healed} healed, ${unnoticed} flipped bits without a checksum, at most ${most} exchanges more than in peace`
    )
  }
  const all = requestClasses.length * Object.keys(defaultMatrix).length
  console.log(
    `cells of the matrix asked by these faults: ${cells.size} of ${all}; test/faults/cells.test.ts meets the others`
  )
})

const checkPoint = (
  name: ServiceName,
  operation: Operation,
  figure: Figures,
  peace: Outcome,
  point: Point,
  failures: Array<string>
) =>
  Effect.map(hit(name, { operation, hits: [point] }, cells), (one) => {
    const wrong = [...one.violations]
    if (!one.met) wrong.push("the exchange did not come")
    const more = one.exchanges - peace.exchanges
    if (more > mostMore) wrong.push(`${more} exchanges more than in peace`)
    figure.points++
    figure.met += one.met ? 1 : 0
    figure.healed += one.healed ? 1 : 0
    figure.unnoticed += one.unnoticed ? 1 : 0
    figure.most = Math.max(figure.most, more)
    if (wrong.length === 0) return
    failures.push([`${point.phase} at exchange ${point.exchange}:`, ...wrong, ...one.trace].join("\n    "))
  })

/** A single fault costs a repetition, and at most one look at the store before and after. */
const mostMore = 6

for (const name of Object.keys(sizes) as ReadonlyArray<ServiceName>) {
  describe(`one fault at any exchange with ${name}`, () => {
    const figure: Figures = { operations: 0, exchanges: 0, points: 0, met: 0, healed: 0, unnoticed: 0, most: 0 }
    figures.set(name, figure)
    for (const [index, operation] of operationsOf(sizes[name]).entries()) {
      it.live(operation.name, () =>
        Effect.gen(function*() {
          const peace = yield* hit(name, { operation, hits: [] }, cells)
          assert.deepStrictEqual(peace.violations, [], peace.trace.join("\n"))
          figure.operations++
          figure.exchanges += peace.exchanges
          const failures: Array<string> = []
          yield* Effect.forEach(
            pointsOf(index, peace.exchanges),
            (point) => checkPoint(name, operation, figure, peace, point, failures),
            { concurrency: 6, discard: true }
          )
          assert.deepStrictEqual(failures, [], failures.join("\n"))
          // The same point has the same trace.
          const again = {
            operation,
            hits: [{ exchange: peace.exchanges - 1, phase: "reset after it is applied" }]
          } as const
          assert.deepStrictEqual(
            (yield* hit(name, again, cells)).trace,
            (yield* hit(name, again, cells)).trace
          )
        }), { timeout: 600_000 })
    }
    it.live("leaves no descriptor and no timer, and disturbs nobody", () =>
      Effect.gen(function*() {
        const operation = operationsOf(sizes[name])[0]!
        const one = (phase: Phase) => hit(name, { operation, hits: [{ exchange: 0, phase }] }, cells)
        yield* one("stall in the answer")
        const before = { descriptors: descriptors(), timers: timers() }
        yield* Effect.forEach(allPhases, one, { discard: true })
        yield* Effect.sleep("50 millis")
        assert.isAtMost(descriptors(), before.descriptors)
        assert.isAtMost(timers(), before.timers + 1)
        assert.deepStrictEqual(disturbances, [])
      }), { timeout: 60_000 })
  })
}
