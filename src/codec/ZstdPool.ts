/**
 * The threads that compress and decompress. One pool serves the whole process unless a program provides its own: its threads
 * are started when there is work, never keep a process alive that has nothing else to do, and give large memory back as
 * soon as there is no work left.
 *
 * The threads are plain `node:worker_threads`, not an rpc of Effect: a message is a few fields and memory that moves, and a
 * thread loads no Effect (31 ms and 31 MB to start it).
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeOs from "node:os"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import { type OptionNames, wrongOptions } from "../optionNames.ts"
import { misconfigured, taskError } from "./zstdErrors.ts"
import type { Answers, Task, TaskFailure, ZstdLibraryName } from "./zstdProtocol.ts"
import { makeThread, type Thread } from "./zstdThread.ts"

/**
 * How a pool is set up.
 *
 * @category models
 * @since 0.1.0
 */
export interface ZstdPoolOptions {
  /** Threads at most, up to 1024; as many as the process can run at a time, and no more than 8, without it. */
  readonly threads?: number | undefined
  /**
   * Bytes that the frames in work may take together; 1 GiB without it. Frames that need more wait for each other; one that
   * needs more than all of it is compressed alone.
   */
  readonly memory?: number | undefined
  /** `"auto"`: the addon `zstd-napi` where it can be loaded, else what Node has of its own. `"auto"` without it. */
  readonly library?: "auto" | ZstdLibraryName | undefined
}

/**
 * Threads that do tasks.
 *
 * @category models
 * @since 0.1.0
 */
export interface ZstdPool {
  /** Threads at most. */
  readonly threads: number
  /** Bytes that the frames in work may take together. */
  readonly memory: number
  /** Threads that run now. */
  readonly running: () => number
  /** Tasks that a thread works on now. */
  readonly busy: () => number
  /** @internal */
  readonly run: <const T extends Task>(
    task: T,
    given: ReadonlyArray<ArrayBuffer>,
    memory: number
  ) => Effect.Effect<Answers[T["_tag"]], TaskFailure>
  /** A frame in pieces: all of them go to one thread. @internal */
  readonly openSession: () => number
  /** Gives up a frame; nothing happens if its last piece was answered. @internal */
  readonly closeSession: (session: number) => void
}

/** A task that waits or runs. */
interface Job {
  readonly id: number
  readonly task: Task
  readonly given: ReadonlyArray<ArrayBuffer>
  readonly memory: number
  readonly resume: (effect: Effect.Effect<never, TaskFailure> | Effect.Effect<Answers[Task["_tag"]]>) => void
}

/** A thread of the pool. `memory`: the most that it took; zstd keeps it for the next frame. */
interface Slot {
  readonly thread: Thread
  readonly sessions: Set<number>
  memory: number
  job: Job | undefined
}

const maxThreads = 1024

/** A thread without work is ended if it holds more than that. */
const keptMemory = 96 * 1024 * 1024

const lost = (message: string): TaskFailure => ({ kind: "lost", message })

/** @internal */
export const makePoolUnsafe = (
  options: ZstdPoolOptions = {},
  start: typeof makeThread = makeThread
): ZstdPool & { readonly end: Effect.Effect<void> } => {
  const { library = "auto", memory: budget = 2 ** 30, threads = Math.min(NodeOs.availableParallelism(), 8) } = options
  const slots = new Set<Slot>()
  const owners = new Map<number, Slot>()
  const queue: Array<Job> = []
  let ids = 0
  let ended = false

  const retire = (slot: Slot): void => {
    slots.delete(slot)
    slot.thread.terminate()
  }

  /** A new thread, or why there cannot be one: Node's permission model may forbid threads. */
  const open = (): Slot | TaskFailure => {
    try {
      return openUnsafe()
    } catch (error) {
      return { kind: "library", message: `no thread can be started: ${error instanceof Error ? error.message : error}` }
    }
  }

  const openUnsafe = (): Slot => {
    const slot: Slot = {
      thread: start(library, {
        onReply: (reply) => {
          const { job } = slot
          if (job === undefined || job.id !== reply.id) return
          slot.job = undefined
          job.resume("answer" in reply ? Effect.succeed(reply.answer) : Effect.fail(reply.failure))
          forget(job, slot, "failure" in reply)
          dispatch()
        },
        onLost: (failure) => {
          slots.delete(slot)
          for (const session of slot.sessions) owners.delete(session)
          const { job } = slot
          slot.job = undefined
          job?.resume(Effect.fail(failure))
          dispatch()
        }
      }),
      sessions: new Set(),
      memory: 0,
      job: undefined
    }
    slots.add(slot)
    return slot
  }

  /** A frame in pieces ends with its last piece, or with the first that fails. */
  const forget = ({ task }: Job, slot: Slot, failed: boolean): void => {
    if (task._tag === "Close" || (task._tag === "Blocks" && (task.last || failed))) {
      slot.sessions.delete(task.session)
      owners.delete(task.session)
    }
  }

  /** The thread for a task; `undefined` if it has to wait, a failure if there is none for it any more. */
  const place = (job: Job): Slot | TaskFailure | undefined => {
    const { task } = job
    if (task._tag === "Blocks" || task._tag === "Close") {
      const owner = owners.get(task.session)
      if (owner !== undefined) return owner.job === undefined ? owner : undefined
      if (task._tag === "Close" || task.sequence > 0) return lost("the thread that decompressed the frame is gone")
    }
    const idle = [...slots].filter((slot) => slot.job === undefined)
    const quiet = idle.length === slots.size
    const used = (): number => [...slots].reduce((sum, slot) => sum + slot.memory, 0)
    // The largest first: what it holds already is not counted again.
    const best = idle.sort((a, b) => b.memory - a.memory)[0]
    const fits = (): boolean => used() + Math.max(0, job.memory - (best?.memory ?? 0)) <= budget
    for (const other of idle) {
      if (fits()) break
      if (other !== best && other.memory > 0 && other.sessions.size === 0) retire(other)
    }
    if (!fits() && !quiet) return undefined
    return best ?? (slots.size < threads ? open() : undefined)
  }

  const assign = (job: Job, slot: Slot): void => {
    const { task } = job
    slot.job = job
    slot.memory = Math.max(slot.memory, job.memory)
    if (task._tag === "Blocks") {
      slot.sessions.add(task.session)
      owners.set(task.session, slot)
    }
    slot.thread.send({ ...task, id: job.id }, job.given)
  }

  /** In order of arrival; only the pieces of a frame wait for their own thread, and let others pass. */
  const dispatch = (): void => {
    for (let index = 0; index < queue.length;) {
      const job = queue[index]!
      const slot = place(job)
      if (slot !== undefined) {
        queue.splice(index, 1)
        if ("kind" in slot) job.resume(Effect.fail(slot))
        else assign(job, slot)
      } else if ("session" in job.task && owners.get(job.task.session) !== undefined) index += 1
      else break
    }
    for (const slot of slots) {
      if (slot.job !== undefined) continue
      if (queue.length === 0 && slot.sessions.size === 0 && slot.memory > keptMemory) retire(slot)
      else slot.thread.rest()
    }
  }

  const submit = (job: Job): void => {
    queue.push(job)
    dispatch()
  }

  return {
    threads,
    memory: budget,
    running: () => slots.size,
    busy: () => [...slots].filter(({ job }) => job !== undefined).length,
    run: <const T extends Task>(task: T, given: ReadonlyArray<ArrayBuffer>, memory: number) =>
      Effect.callback<Answers[T["_tag"]], TaskFailure>((resume) => {
        if (ended) return resume(Effect.fail(lost("the pool has ended")))
        const job: Job = { id: ++ids, task, given, memory, resume: resume as Job["resume"] }
        submit(job)
        return Effect.sync(() => {
          const at = queue.indexOf(job)
          if (at >= 0) queue.splice(at, 1)
          for (const slot of slots) {
            if (slot.job === job) slot.thread.abandon(job.id)
          }
        })
      }),
    openSession: () => ++ids,
    closeSession: (session) => {
      if (ended || owners.get(session) === undefined) return
      submit({ id: ++ids, task: { _tag: "Close", session }, given: [], memory: 0, resume: () => undefined })
    },
    end: Effect.suspend(() => {
      ended = true
      for (const job of queue.splice(0)) job.resume(Effect.fail(lost("the pool has ended")))
      const all = [...slots]
      slots.clear()
      for (const { job } of all) job?.resume(Effect.fail(lost("the pool has ended")))
      for (const { thread } of all) thread.terminate()
      return Effect.forEach(all, ({ thread }) => thread.ended, { discard: true })
    })
  }
}

/**
 * The pool that is used: of the whole process, unless another is provided.
 *
 * @category services
 * @since 0.1.0
 */
export const ZstdPool = Context.Reference<ZstdPool>("effect-objectstore/ZstdPool", {
  defaultValue: () => makePoolUnsafe()
})

/**
 * Layer of a pool of one's own, whose threads end with the layer. Fails with `Configuration` where an option is wrong.
 *
 * **Example** (Two threads, and only what Node has of its own)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Zstd } from "effect-objectstore"
 *
 * const program = Effect.gen(function*() {
 *   const { library, threads } = yield* Zstd.implementation
 *   return `${library} on ${threads} threads`
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(Zstd.layer({ threads: 2, library: "node:zlib" }))))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: ZstdPoolOptions = {}): Layer.Layer<never, ObjectStoreError> =>
  Layer.effect(
    ZstdPool,
    Effect.suspend(() => {
      const wrong = wrongPool(options)
      return wrong === undefined
        ? Effect.acquireRelease(Effect.sync(() => makePoolUnsafe(options)), ({ end }) => end)
        : Effect.fail(misconfigured("layer", wrong))
    })
  )

const optionNames: OptionNames<ZstdPoolOptions> = { threads: true, memory: true, library: true }
const libraries = ["auto", "zstd-napi", "node:zlib"]

/** What is wrong with a pool's options, in one line. */
const wrongPool = (options: ZstdPoolOptions): string | undefined => {
  const unknown = wrongOptions(optionNames, options)
  if (unknown !== undefined) return unknown
  const { library = "auto", memory = 1, threads = 1 } = options
  if (!Number.isSafeInteger(threads) || threads < 1 || threads > maxThreads) {
    return `threads is ${String(threads)}; it has to be a whole number from 1 to ${maxThreads}`
  }
  if (!Number.isSafeInteger(memory) || memory < 1) {
    return `memory is ${String(memory)}; it has to be a positive whole number of bytes`
  }
  return libraries.includes(library) ? undefined : `library is none of ${libraries.join(", ")}`
}

/**
 * What compresses here: the library, its version, and how many threads it may use. Fails with `Configuration` where there is
 * none, as on a Node without zstd of its own, or whose permission model forbids threads.
 *
 * @category constructors
 * @since 0.1.0
 */
export const implementation: Effect.Effect<
  { readonly library: ZstdLibraryName; readonly version: string; readonly threads: number },
  ObjectStoreError
> = Effect.flatMap(Effect.service(ZstdPool), (pool) =>
  pool.run({ _tag: "Hello" }, [], 0).pipe(
    Effect.map((hello) => ({ ...hello, threads: pool.threads })),
    Effect.mapError((failure) => taskError("implementation", failure))
  ))
