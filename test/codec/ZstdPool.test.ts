import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Stream } from "effect"
import { Zstd } from "effect-objectstore"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import { compressMemory } from "../../src/codec/zstdMemory.ts"
import { compressPlan } from "../../src/codec/ZstdOptions.ts"
import { makePoolUnsafe } from "../../src/codec/ZstdPool.ts"
import type { Reply, Request, Task } from "../../src/codec/zstdProtocol.ts"
import { makeThread, type ThreadEvents } from "../../src/codec/zstdThread.ts"
import { command, content, libraries, noise, poolOf, same } from "./content.ts"

const MiB = 2 ** 20
const root = fileURLToPath(new URL("../..", import.meta.url))

/** A pool whose threads do nothing; the test answers for them. */
const idlePool = (options: Zstd.ZstdPoolOptions) => {
  const threads: Array<{ events: ThreadEvents; sent: Array<Request>; abandoned: Array<number>; over: boolean }> = []
  const pool = makePoolUnsafe(options, (_library, events) => {
    const thread = { events, sent: [] as Array<Request>, abandoned: [] as Array<number>, over: false }
    threads.push(thread)
    return {
      send: (request) => {
        thread.sent.push(request)
      },
      abandon: (id) => {
        thread.abandoned.push(id)
      },
      rest: () => undefined,
      terminate: () => {
        thread.over = true
      },
      ended: Effect.void
    }
  })
  /** Answers what thread `index` was asked last. */
  const answer = (index: number): void => {
    const { events, sent } = threads[index]!
    events.onReply({ id: sent.at(-1)!.id, answer: undefined })
  }
  const task = (level: number): Task => ({ _tag: "Compress", input: new Uint8Array(1), length: 1, level })
  const blocks = (session: number, sequence: number, last: boolean): Task => ({
    _tag: "Blocks",
    session,
    sequence,
    blocks: new Uint8Array(1),
    most: 1,
    windowLog: 10,
    last,
    hash: false
  })
  const start = (job: Task, memory: number) => Effect.forkChild(pool.run(job, [], memory), { startImmediately: true })
  return { pool, threads, answer, task, blocks, start }
}

/** What all threads were asked, as levels. */
const levels = (threads: ReadonlyArray<{ readonly sent: ReadonlyArray<Request> }>) =>
  threads.map(({ sent }) => sent.map((request) => request._tag === "Compress" ? request.level : request._tag))

describe("memory", () => {
  it("of a frame grows with its level and its size, to hundreds of MiB", () => {
    const inMiB = (level: number, size: number): number => Math.round(compressMemory(level, size * MiB) / MiB)
    assert.isAtMost(inMiB(3, 4), 32)
    assert.isAtMost(inMiB(22, 4), 96)
    assert.isAtLeast(inMiB(22, 64), 800)
    for (let level = 2; level <= 22; level++) assert.isAtLeast(compressMemory(level, 4 * MiB), 16 * MiB)
  })

  it.effect("of frames in work is kept by taking fewer at a time", () =>
    Effect.gen(function*() {
      const plan = (options: Zstd.CompressOptions) =>
        Effect.map(compressPlan(options, { threads: 8, memory: 2 ** 30 }), ({ concurrency }) => concurrency)
      assert.strictEqual(yield* plan({}), 8)
      assert.strictEqual(yield* plan({ level: 22 }), 8)
      assert.strictEqual(yield* plan({ level: 22, frameSize: 16 * MiB }), 3)
      assert.strictEqual(yield* plan({ level: 22, frameSize: 64 * MiB }), 1)
      assert.strictEqual(yield* plan({ level: 22, frameSize: 256 * MiB }), 1)
      assert.strictEqual(yield* plan({ level: 22, frameSize: 64 * MiB, concurrency: 2 }), 2)
    }))
})

describe("the pool of threads", () => {
  it.effect("starts threads when there is work, and no more than it may", () =>
    Effect.gen(function*() {
      const { answer, pool, start, task, threads } = idlePool({ threads: 2 })
      assert.strictEqual(pool.running(), 0)
      for (const level of [1, 2, 3]) yield* start(task(level), 1)
      assert.deepStrictEqual(levels(threads), [[1], [2]])
      assert.strictEqual(pool.busy(), 2)
      answer(1)
      assert.deepStrictEqual(levels(threads), [[1], [2, 3]])
    }))

  it.effect("lets frames in work have so much memory together, in order of arrival", () =>
    Effect.gen(function*() {
      const { answer, start, task, threads } = idlePool({ threads: 3, memory: 100 })
      for (const [level, memory] of [[1, 60], [2, 60], [3, 10]] as const) yield* start(task(level), memory)
      // The small one does not pass the large one by.
      assert.deepStrictEqual(levels(threads), [[1]])
      answer(0)
      assert.deepStrictEqual(levels(threads), [[1, 2], [3]])
    }))

  it.effect("does what needs more than all of it alone", () =>
    Effect.gen(function*() {
      const { answer, start, task, threads } = idlePool({ threads: 3, memory: 100 })
      for (const [level, memory] of [[1, 10], [2, 500], [3, 10]] as const) yield* start(task(level), memory)
      assert.deepStrictEqual(levels(threads), [[1]])
      answer(0)
      assert.deepStrictEqual(levels(threads), [[1, 2]])
      answer(0)
      // What it holds is given back before others have their turn.
      assert.deepStrictEqual(levels(threads).flat(), [1, 2, 3])
    }))

  it.effect("ends threads that hold much when there is no more work", () =>
    Effect.gen(function*() {
      const { answer, pool, start, task, threads } = idlePool({ threads: 2 })
      yield* start(task(1), 200 * MiB)
      yield* start(task(2), 1 * MiB)
      answer(0)
      answer(1)
      assert.deepStrictEqual(threads.map(({ over }) => over), [true, false])
      assert.strictEqual(pool.running(), 1)
    }))

  it.effect("does the pieces of a frame on one thread, and closes a frame that is given up", () =>
    Effect.gen(function*() {
      const { answer, blocks, pool, start, task, threads } = idlePool({ threads: 2 })
      const session = pool.openSession()
      yield* start(blocks(session, 0, false), 1)
      answer(0)
      yield* start(task(1), 1)
      yield* start(blocks(session, 1, false), 1)
      yield* start(task(2), 1)
      assert.deepStrictEqual(levels(threads), [["Blocks", 1], [2]])
      answer(0)
      assert.deepStrictEqual(levels(threads), [["Blocks", 1, "Blocks"], [2]])
      pool.closeSession(session)
      answer(0)
      assert.deepStrictEqual(levels(threads), [["Blocks", 1, "Blocks", "Close"], [2]])
      answer(0)
      const exit = yield* Effect.exit(pool.run(blocks(session, 2, true), [], 1))
      assert.isTrue(Exit.isFailure(exit))
    }))

  it.effect("drops what nobody waits for, and tells a thread that works on it", () =>
    Effect.gen(function*() {
      const { answer, pool, start, task, threads } = idlePool({ threads: 1 })
      const fibers = [yield* start(task(1), 1), yield* start(task(2), 1), yield* start(task(3), 1)]
      yield* Fiber.interrupt(fibers[1]!)
      yield* Fiber.interrupt(fibers[0]!)
      assert.deepStrictEqual(threads[0]!.abandoned, [threads[0]!.sent[0]!.id])
      assert.strictEqual(pool.busy(), 1)
      answer(0)
      assert.deepStrictEqual(levels(threads), [[1, 3]])
    }))

  it.effect("fails the task of a thread that is lost, and goes on with another", () =>
    Effect.gen(function*() {
      const dying = makePoolUnsafe(
        { threads: 1 },
        (library, events) => makeThread(library, events, new URL("data:text/javascript,process.exit(3)"))
      )
      const failure = yield* Effect.flip(dying.run({ _tag: "Hello" }, [], 0))
      assert.deepStrictEqual(failure, { kind: "lost", message: "a thread ended with code 3" })
      assert.strictEqual(dying.running(), 0)
      let started = 0
      const second = makePoolUnsafe({ threads: 1 }, (library, events) => {
        started += 1
        return started === 1
          ? makeThread(library, events, new URL("data:text/javascript,throw new Error('no')"))
          : makeThread(library, events)
      })
      assert.strictEqual((yield* Effect.flip(second.run({ _tag: "Hello" }, [], 0))).message, "a thread failed: no")
      assert.match((yield* second.run({ _tag: "Hello" }, [], 0)).version, /^1\./)
      yield* second.end
      assert.strictEqual((yield* Effect.flip(second.run({ _tag: "Hello" }, [], 0))).message, "the pool has ended")
    }))
})

describe("a pool that cannot be", () => {
  it.effect.each<object>([
    { threads: 0 },
    { threads: 1.5 },
    { threads: Number.NaN },
    { memory: 0 },
    { memory: "1 GiB" },
    { library: "zlib" },
    { thread: 2 }
  ])("is refused with Configuration: %j", (options) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.provide(Zstd.implementation, Zstd.layer(options)))
      assert.strictEqual(error.reason._tag, "Configuration")
    }))

  it.effect("tells every task why, and keeps none waiting, where no thread may be started", () =>
    Effect.gen(function*() {
      const pool = makePoolUnsafe({ threads: 1 }, () => {
        throw new Error("restricted")
      })
      for (let turn = 0; turn < 2; turn++) {
        const failure = yield* Effect.flip(pool.run({ _tag: "Hello" }, [], 0))
        assert.deepStrictEqual(failure, { kind: "library", message: "no thread can be started: restricted" })
      }
      assert.strictEqual(pool.running(), 0)
    }))

  it("is told as Configuration under Node's permission model without threads", () => {
    const output = NodeChildProcess.execFileSync(process.execPath, [
      "--permission",
      "--allow-fs-read=*",
      "--input-type=module",
      "-e",
      `const Effect = await import("effect/Effect")
      const Zstd = await import(${JSON.stringify(NodePath.join(root, "src/codec/Zstd.ts"))})
      console.log(await Effect.runPromise(Effect.flip(Zstd.compress(new Uint8Array(9)))).then(({ reason }) => reason._tag))`
    ], { cwd: root, encoding: "utf8", timeout: 30_000 })
    assert.strictEqual(output.trim(), "Configuration")
  })
})

for (const library of libraries) {
  layer(poolOf(library), { excludeTestServices: true })(`threads with ${library}`, (it) => {
    const quiet = Effect.gen(function*() {
      const pool = yield* Zstd.ZstdPool
      while (pool.busy() > 0) yield* Effect.sleep("5 millis")
    }).pipe(Effect.timeout("20 seconds"))

    it.effect("leave the memory of the caller alone", () =>
      Effect.gen(function*() {
        const original = content(200_000)
        const chunks = [original.subarray(0, 1000), original.subarray(1000)]
        const stored = yield* Stream.fromIterable(chunks).pipe(Zstd.compressStream(), Stream.mkUint8Array)
        const back = yield* Zstd.decompress(stored)
        assert.strictEqual(original.buffer.byteLength, 200_000)
        assert.isTrue(same(original, content(200_000)))
        assert.isAbove(stored.length, 0)
        assert.isTrue(same(back, original))
      }))

    it.effect("take bytes before the next ones are asked for, so that their memory may be used again", () =>
      Effect.gen(function*() {
        const memory = new Uint8Array(10_000)
        const stored = yield* Stream.range(1, 30).pipe(
          Stream.rechunk(1),
          Stream.map((value) => memory.fill(value)),
          Zstd.compressStream({ frameSize: 25_000 }),
          Stream.mkUint8Array
        )
        const back = yield* Zstd.decompress(stored)
        assert.isTrue(back.every((byte, index) => byte === 1 + Math.floor(index / 10_000)))
      }))

    it.effect("are free again soon after a stream was interrupted or left", () =>
      Effect.gen(function*() {
        yield* Zstd.compress(content(100_000), { frameSize: 10_000 })
        const slow = Stream.forever(Stream.succeed(noise(MiB))).pipe(Zstd.compressStream({ level: 22 }))
        yield* Effect.timeoutOption(Stream.runDrain(slow), "300 millis")
        yield* quiet
        yield* Stream.runDrain(Stream.take(slow, 1))
        yield* quiet
        // A frame that is decoded in pieces, and left in its middle.
        const large = command("zstd", ["-1", "--no-content-size"], noise(8 * MiB))
        yield* Stream.succeed(large).pipe(Zstd.decompressStream(), Stream.take(2), Stream.runDrain)
        yield* quiet
        // One with a window of 128 MiB: the thread that holds it ends.
        const wide = command("zstd", ["-1", "--no-content-size", "--long=27"], noise(8 * MiB))
        yield* Stream.succeed(wide).pipe(Zstd.decompressStream(), Stream.take(2), Stream.runDrain)
        const pool = yield* Zstd.ZstdPool
        while (pool.running() > 1) yield* Effect.sleep("5 millis")
        assert.isTrue(same(yield* Zstd.decompress(yield* Zstd.compress(content(1000))), content(1000)))
      }))

    it.effect("let the failure of a source through, and nothing after it", () =>
      Effect.gen(function*() {
        const failing = Stream.concat(Stream.succeed(content(100_000)), Stream.fail("broken" as const))
        let summary = false
        const exit = yield* failing.pipe(
          Zstd.compressStream({
            frameSize: 10_000,
            onSummary: () =>
              Effect.sync(() => {
                summary = true
              })
          }),
          Stream.runDrain,
          Effect.flip
        )
        assert.strictEqual(exit, "broken")
        assert.isFalse(summary)
        yield* quiet
      }))

    it.effect("work for many streams at a time, one through the other", () =>
      Effect.gen(function*() {
        yield* Effect.forEach(Array.from({ length: 12 }, (_, index) => index), (index) =>
          Effect.gen(function*() {
            const original = content(300_000, index + 1)
            const foreign = command("zstd", ["-1", "--no-content-size"], original)
            const back = yield* Stream.succeed(foreign).pipe(
              Zstd.decompressStream(),
              Zstd.compressStream({ frameSize: 50_000, level: 5 }),
              Zstd.decompressStream(),
              Stream.mkUint8Array
            )
            assert.isTrue(same(back, original))
          }), { concurrency: "unbounded" })
      }))
  })
}

describe("a slow frame", () => {
  it.live("is given up in its middle when nobody waits for it", () =>
    Effect.gen(function*() {
      const replies: Array<Reply> = []
      const pool = makePoolUnsafe({ library: "zstd-napi", threads: 1 }, (library, events) =>
        makeThread(library, {
          ...events,
          onReply: (reply) => {
            replies.push(reply)
            events.onReply(reply)
          }
        }))
      yield* Effect.addFinalizer(() => pool.end)
      yield* pool.run({ _tag: "Hello" }, [], 0)
      // To its end it takes 6 seconds and more.
      const input = content(32 * MiB)
      const slow = pool.run({ _tag: "Compress", input, length: input.length, level: 19 }, [input.buffer], 1)
      assert.isTrue(Option.isNone(yield* Effect.timeoutOption(slow, "300 millis")))
      assert.strictEqual(pool.busy(), 1)
      while (pool.busy() > 0) yield* Effect.sleep("5 millis")
      const last = replies.at(-1)!
      assert.strictEqual("failure" in last ? last.failure.kind : "done", "abandoned")
    }))
})

describe("without zstd-napi", () => {
  it("what Node has of its own is taken, and said; who asks for the addon is told", () => {
    const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-zstd-"))
    try {
      NodeFs.cpSync(NodePath.join(root, "src"), NodePath.join(directory, "src"), { recursive: true })
      NodeFs.writeFileSync(NodePath.join(directory, "package.json"), "{\"type\":\"module\"}")
      NodeFs.mkdirSync(NodePath.join(directory, "node_modules"))
      for (const name of ["effect", "hash-wasm"]) {
        NodeFs.symlinkSync(NodePath.join(root, "node_modules", name), NodePath.join(directory, "node_modules", name))
      }
      NodeFs.writeFileSync(
        NodePath.join(directory, "main.ts"),
        `import * as Effect from "effect/Effect"
        import * as Zstd from "./src/codec/Zstd.ts"
        const run = (library: "auto" | "zstd-napi") =>
          Effect.runPromise(Effect.provide(Effect.result(Zstd.implementation), Zstd.layer({ library })))
        for (const library of ["auto", "zstd-napi"] as const) {
          const found = await run(library)
          console.log(found._tag === "Success" ? found.success.library : found.failure.message)
        }
        console.log((await Effect.runPromise(Zstd.compress(new Uint8Array(5)))).length)`
      )
      // It ends by itself, with the default pool's threads still there.
      const output = NodeChildProcess.execFileSync(process.execPath, [NodePath.join(directory, "main.ts")], {
        encoding: "utf8",
        timeout: 30_000
      })
      const [auto, asked, length] = output.trim().split("\n")
      assert.strictEqual(auto, "node:zlib")
      assert.match(asked!, /^Configuration: implementation: zstd-napi cannot be loaded: Cannot find module/)
      assert.strictEqual(length, "18")
    } finally {
      NodeFs.rmSync(directory, { recursive: true, force: true })
    }
  })
})
