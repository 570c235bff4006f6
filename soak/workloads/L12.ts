/**
 * A server that allows 200 requests a second, and 500 fibers that want more: with and without the adaptive rate.
 */
import { Effect, Fiber } from "effect"
import { startServer } from "../server/start.ts"
import { openS3 } from "../stores.ts"
import type { Finding, Workload } from "../Workload.ts"

const fibers = 500
const warmUp = 10_000
const measured = 30_000

const duel = async (adaptiveRate: boolean) => {
  const server = await startServer({ rate: 200, burst: 20 })
  const { close, store } = await openS3(server.origin, { adaptiveRate })
  const done = Array.from({ length: fibers }, () => 0)
  let failed = 0
  const begin = performance.now() + warmUp
  const running = Effect.runFork(Effect.forEach(done, (_, index) =>
    Effect.forever(Effect.match(store.get("1024.bin"), {
      onFailure: () => {
        if (performance.now() >= begin) failed++
      },
      onSuccess: () => {
        if (performance.now() >= begin) done[index]!++
      }
    })), { concurrency: fibers }))
  await Effect.runPromise(Effect.sleep(warmUp))
  const before = await server.counted()
  await Effect.runPromise(Effect.sleep(measured))
  const after = await server.counted()
  await Effect.runPromise(Fiber.interrupt(running))
  await close()
  await server.stop()
  const accepted = after.accepted - before.accepted
  const refused = after.refused - before.refused
  return {
    useful: done.reduce((sum, count) => sum + count, 0) / (measured / 1000),
    refused: 100 * refused / (accepted + refused),
    unfair: Math.max(...done) / Math.max(0.001, Math.min(...done)),
    failed: failed / (measured / 1000)
  }
}

export const workload: Workload = {
  title: "500 fibers on a server that allows 200 requests a second",
  run: async () => {
    const off = await duel(false)
    const on = await duel(true)
    const without = (name: keyof typeof off): string => `${off[name].toFixed(1)} without the adaptive rate`
    return [
      { name: "useful", value: on.useful, unit: "requests/s", atLeast: 170, baseline: without("useful") },
      { name: "refused, after 10 s", value: on.refused, unit: "%", atMost: 20, baseline: without("refused") },
      { name: "most and least that a fiber got", value: on.unfair, unit: "x", atMost: 3, baseline: without("unfair") },
      { name: "failed", value: on.failed, unit: "operations/s", atMost: 0, baseline: without("failed") }
    ] satisfies ReadonlyArray<Finding>
  }
}
