import { Effect } from "effect"
import { Worker } from "node:worker_threads"
import { certificate } from "./certificate.ts"

// It answers in a thread of its own, so that an answer can come before Node tells the sender that its request was written.
const program = `
const { parentPort, workerData } = require("node:worker_threads")
const server = require("node:tls").createServer({ ...workerData, noDelay: true }, (socket) => {
  let text = ""
  socket.on("error", () => undefined)
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1")
    for (;;) {
      const end = text.indexOf("\\r\\n\\r\\n") + 4
      const length = Number(/content-length: (\\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
      if (end < 4 || text.length < end + length) return
      text = text.slice(end + length)
      socket.write("HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok")
    }
  })
})
let connections = 0
server.on("connection", () => connections++)
server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port))
parentPort.on("message", () => parentPort.postMessage(connections))
`

/** A server over TLS that answers as soon as a request has come; it lives as long as the scope. */
export const quickServer = Effect.gen(function*() {
  const worker = yield* Effect.acquireRelease(
    Effect.sync(() => new Worker(program, { eval: true, workerData: certificate })),
    (worker) => Effect.promise(() => worker.terminate())
  )
  const told = Effect.callback<number>((resume) => {
    worker.once("message", (value: number) => resume(Effect.succeed(value)))
  })
  const port = yield* told
  return {
    origin: `https://127.0.0.1:${port}`,
    /** How many connections were made. */
    connections: Effect.andThen(Effect.sync(() => worker.postMessage("count", [])), told)
  }
})
