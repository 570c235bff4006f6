import { Effect, Stream } from "effect"
import * as Memory from "/work/main/layers/Memory.ts"
const p = Effect.gen(function*() {
  const b = yield* Memory.makeBackend()
  const n = 200000
  let t = performance.now()
  for (let i = 0; i < n; i++) yield* b.write({ container: "memory", key: `k/${(i * 7919) % n}/x` }, new Uint8Array(1), { mode: "overwrite", attributes: {}, metadata: {} })
  console.log("put us", (performance.now() - t) * 1000 / n)
  t = performance.now()
  let c: unknown, count = 0
  do { const page = yield* b.listPage({ container: "memory", prefix: "", limit: 1000, cursor: c }); count += page.objects.length; c = page.next } while (c !== undefined)
  console.log("list us/key", (performance.now() - t) * 1000 / n, count)
  t = performance.now(); c = undefined; count = 0
  do { const page = yield* b.listPage({ container: "memory", prefix: "k/", delimiter: "/", limit: 1000, cursor: c }); count += page.prefixes.length; c = page.next } while (c !== undefined)
  console.log("folded us/prefix", (performance.now() - t) * 1000 / n, count)
})
Effect.runPromise(p)
