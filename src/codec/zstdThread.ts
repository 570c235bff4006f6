/**
 * One thread of the pool, from its start to its end.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import type { Reply, Request, TaskFailure, ThreadData } from "./zstdProtocol.ts"

export interface Thread {
  /** Sends a task; the memory that goes with it is the thread's from then on. The process waits for the answer. */
  readonly send: (request: Request, given: ReadonlyArray<ArrayBuffer>) => void
  /** Nobody waits for that task any more: a slow one ends soon. */
  readonly abandon: (id: number) => void
  /** The process need not wait for the thread. */
  readonly rest: () => void
  /** Ends the thread. */
  readonly terminate: () => void
  /** Waits until the thread that was told to end has ended. */
  readonly ended: Effect.Effect<void>
}

export interface ThreadEvents {
  readonly onReply: (reply: Reply) => void
  /** The thread ended by itself. */
  readonly onLost: (failure: TaskFailure) => void
}

/** Beside this file, as a source or as it was built. */
const file = new URL(import.meta.url.endsWith(".ts") ? "./zstdWorker.ts" : "./zstdWorker.js", import.meta.url)

const failureOf = (error: Error): TaskFailure => {
  const code = "code" in error ? String(error.code) : ""
  if (code === "ERR_WORKER_OUT_OF_MEMORY") return { kind: "memory", message: error.message }
  if (code === "ERR_MODULE_NOT_FOUND") {
    return { kind: "library", message: `${fileURLToPath(file)} cannot be started: ${error.message}` }
  }
  return { kind: "lost", message: `a thread failed: ${error.message}` }
}

/** @internal */
export const makeThread = (library: ThreadData["library"], events: ThreadEvents, entry: URL = file): Thread => {
  const abandoned = new SharedArrayBuffer(4)
  const word = new Int32Array(abandoned)
  const worker = new Worker(entry, {
    name: "effect-objectstore-zstd",
    // Flags of the process (a debugger's, a test runner's) are not for it.
    execArgv: [],
    workerData: { library, abandoned } satisfies ThreadData
  })
  let over = false
  const lose = (failure: TaskFailure): void => {
    if (over) return
    over = true
    events.onLost(failure)
  }
  worker.on("message", (reply: Reply) => events.onReply(reply))
  worker.on("messageerror", (error) => lose(failureOf(error)))
  worker.on("error", (error) => lose(failureOf(error as Error)))
  worker.on("exit", (code) => lose({ kind: "lost", message: `a thread ended with code ${code}` }))
  return {
    send: (request, given) => {
      worker.ref()
      worker.postMessage(request, given)
    },
    abandon: (id) => {
      Atomics.store(word, 0, id)
    },
    rest: () => worker.unref(),
    terminate: () => {
      over = true
      void worker.terminate()
    },
    ended: Effect.promise(() => worker.terminate())
  }
}
