import { Effect, Logger, Tracer } from "effect"
import { inspect } from "node:util"

/** Runs an effect and keeps, as text, all that it logs and every span that ends, with its exit. */
export const listening = <A, E, R>(effect: Effect.Effect<A, E, R>, seen: Array<string>): Effect.Effect<A, E, R> => {
  const logger = Logger.make((entry) => void seen.push(inspect(entry, { depth: 6 })))
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const end = span.end.bind(span)
      span.end = (time, exit) => {
        seen.push(inspect([span.name, [...span.attributes], exit], { depth: 8 }))
        end(time, exit)
      }
      return span
    }
  })
  return effect.pipe(Effect.provide(Logger.layer([logger])), Effect.withTracer(tracer))
}
