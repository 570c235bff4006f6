// Run as a process of its own: `node child.ts ROOT TASK …`.
import { Console, Effect } from "effect"
import { makeBackend } from "../../layers/File.ts"

const [root = "", task, ...args] = process.argv.slice(2)
const at = (key: string) => ({ container: "", key })
const plain = { attributes: { contentType: "text/plain" }, metadata: {} }

const tasks: Record<
  string,
  (backend: Effect.Success<ReturnType<typeof makeBackend>>) => Effect.Effect<unknown, unknown>
> = {
  /** Overwrites `big` again and again with bytes that are all the same, until it is killed. */
  overwrite: (backend) =>
    Effect.gen(function*() {
      const body = new Uint8Array(Number(args[0]))
      for (let i = 0;; i = (i + 1) % 256) {
        body.fill(i)
        yield* backend.write(at("dir/big"), body, { ...plain, mode: "overwrite" })
        if (i === 0) yield* Console.log("ready")
      }
    }),
  /** As `overwrite`, in parts. */
  upload: (backend) =>
    Effect.gen(function*() {
      const size = Number(args[0])
      const body = new Uint8Array(size / 4)
      for (let i = 0;; i = (i + 1) % 256) {
        body.fill(i)
        const upload = yield* backend.openUpload(at("dir/big"), { ...plain, mode: "overwrite" })
        const parts = yield* Effect.forEach([0, 1, 2, 3], (n) =>
          backend.uploadPart(upload, { number: n + 1, offset: n * body.length, body, last: n === 3 }))
        yield* backend.completeUpload(upload, { parts, size })
        if (i === 0) {
          yield* Console.log("ready")
        }
      }
    }),
  /** Adds to a counter by compare-and-swap. */
  count: (backend) => {
    const add: Effect.Effect<unknown, unknown> = Effect.scoped(Effect.gen(function*() {
      const reply = yield* backend.read(at("dir/counter"), { conditions: {} })
      const target = new Uint8Array(reply.length)
      yield* reply.into(target)
      const next = String(Number(Buffer.from(target).toString()) + 1)
      yield* backend.write(at("dir/counter"), Buffer.from(next), { ...plain, mode: { update: reply.stat.etag! } })
    })).pipe(Effect.catchReason("ObjectStoreError", "PreconditionFailed", () => add))
    return Effect.forEach(
      Array.from({ length: 4 }),
      () => Effect.repeat(add, { times: Number(args[0]) / 4 - 1 }),
      { concurrency: 4 }
    )
  },
  /** Tries to be the creator of each of many keys; prints those it created. */
  create: (backend) =>
    Effect.forEach(
      Array.from({ length: Number(args[0]) }, (_, i) => `key-${i}`),
      (key) =>
        backend.write(at(key), Buffer.from(String(process.pid)), { ...plain, mode: "create" }).pipe(
          Effect.andThen(Console.log(key)),
          Effect.catchReason("ObjectStoreError", "AlreadyExists", () => Effect.void)
        )
    )
}

await Effect.runPromise(Effect.scoped(Effect.flatMap(makeBackend({ root, durability: "none" }), tasks[task ?? ""]!)))
