import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as NodeChildProcess from "node:child_process"
import * as NodeCrypto from "node:crypto"
import fs, * as NodeFs from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { directFlag, probe } from "../../layers/direct/probe.ts"
import { allocate, isAligned, makeSlotPool, type SlotPool } from "../../src/filesystem/AlignedMemory.ts"
import * as Calls from "../../src/filesystem/calls.ts"
import type { DataPath, Durability } from "../../src/filesystem/DataPath.ts"
import { makeDirectData } from "../../src/filesystem/DirectData.ts"

const { O_NOFOLLOW, O_RDONLY } = NodeFs.constants
const KiB = 1024
const MiB = 1024 * KiB

const directory = Effect.acquireRelease(
  Effect.sync(() => NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-direct-"))),
  (path) => Effect.sync(() => NodeFs.rmSync(path, { recursive: true, force: true }))
)

const make = (options?: { slots?: number; slotSize?: number; alignment?: number }): DataPath & { pool: SlotPool } => {
  const pool = makeSlotPool({ slots: options?.slots ?? 8, slotSize: options?.slotSize ?? 4 * MiB })
  return { ...makeDirectData({ pool, alignment: options?.alignment ?? 4096, flag: directFlag }), pool }
}

const bytesOf = (size: number): Uint8Array => NodeCrypto.randomBytes(size)

const same = (actual: Uint8Array, expected: Uint8Array, what: string): void =>
  assert.strictEqual(Buffer.compare(actual, expected), 0, `${what}: ${actual.length} and ${expected.length} bytes`)

const writeFile = (data: DataPath, path: string, body: Uint8Array, durability: Durability = "none") =>
  Effect.scoped(Effect.gen(function*() {
    const writer = yield* data.openWriter(path, { create: true })
    yield* writer.write(0, body)
    yield* writer.finish(body.length, durability)
  }))

const openReader = (data: DataPath, path: string) =>
  Effect.acquireRelease(Calls.open(path, O_RDONLY | O_NOFOLLOW | data.readFlags), (fd) => Effect.orDie(Calls.close(fd)))

const readFile = (data: DataPath, path: string, offset: number, target: Uint8Array) =>
  Effect.scoped(Effect.flatMap(openReader(data, path), (fd) => data.readInto(fd, offset, target)))

const descriptorsOf = (path: string): ReadonlyArray<number> =>
  NodeFs.readdirSync("/proc/self/fd").map(Number).filter((fd) => {
    const name = `/proc/self/fd/${fd}`
    return NodeFs.existsSync(name) && NodeFs.readlinkSync(name) === path
  })

const tmpfs = 0x01021994
const isMemory = NodeFs.statfsSync(NodeOs.tmpdir()).type === tmpfs

/** One turn of the event loop, in which system calls end. */
const yieldTurn = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

const flagsOf = (fd: number): number =>
  Number.parseInt(/^flags:\s*(\d+)$/m.exec(NodeFs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))![1]!, 8)

type Call = (...args: ReadonlyArray<never>) => void

/** Puts `change` around the system calls that move data, until the scope closes. */
const patched = (change: (real: Call, name: "read" | "write") => Call) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { read, write } = fs
      Object.assign(fs, { read: change(read, "read"), write: change(write, "write") })
      syncBuiltinESMExports()
      return { read, write }
    }),
    (real) =>
      Effect.sync(() => {
        Object.assign(fs, real)
        syncBuiltinESMExports()
      })
  )

/** The calls that `effect` makes, and the bytes that it moves to and from the disk. */
const countCalls = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const counter = (name: string): number =>
      Number(new RegExp(`^${name}: (\\d+)$`, "m").exec(NodeFs.readFileSync("/proc/self/io", "utf8"))![1])
    const calls: Array<number> = []
    yield* patched((real) => (...args) => {
      calls.push(Number(args[3]))
      real(...args)
    })
    const before = [counter("read_bytes"), counter("write_bytes")] as const
    yield* effect
    return { calls, diskRead: counter("read_bytes") - before[0], diskWritten: counter("write_bytes") - before[1] }
  }).pipe(Effect.scoped)

const sizes = [0, 1, 511, 512, 513, 4095, 4096, 4097, 8191, 8192, 8193, 4 * MiB - 1, 4 * MiB, 4 * MiB + 1, 10 * MiB + 3]

const accepted = await Effect.runPromise(probe(NodeOs.tmpdir(), directFlag))

describe.skipIf(accepted._tag === "Refused")("DirectData", () => {
  for (const size of sizes) {
    it.effect(`writes and reads ${size} bytes exactly`, () =>
      Effect.gen(function*() {
        const path = `${yield* directory}/file`
        const data = make()
        const body = bytesOf(size)
        yield* writeFile(data, path, body)
        assert.strictEqual(NodeFs.statSync(path).size, size)
        same(NodeFs.readFileSync(path), body, "buffered read")
        const target = new Uint8Array(size + 5000).fill(7)
        assert.strictEqual(yield* readFile(data, path, 0, target), size)
        same(target.subarray(0, size), body, "direct read")
        assert.isTrue(target.subarray(size).every((byte) => byte === 7), "bytes past the end are untouched")
      }))
  }

  for (
    const [alignment, slotSize] of [[4096, 4096], [4096, 16 * KiB], [4096, 4 * MiB], [64 * KiB, 64 * KiB]] as const
  ) {
    it.effect(`reads any range into any memory (alignment ${alignment}, slots of ${slotSize})`, () =>
      Effect.gen(function*() {
        const path = `${yield* directory}/file`
        const data = make({ alignment, slotSize })
        const size = MiB + 12_345
        const body = bytesOf(size)
        NodeFs.writeFileSync(path, body)
        const fd = yield* openReader(data, path)
        const aligned = yield* allocate(2 * MiB)
        const zeroes = new Uint8Array(2 * MiB)
        for (let i = 0; i < 300; i++) {
          const around = [0, 4096, 8192, 64 * KiB, size - 4096, size][i % 6]!
          const offset = Math.max(
            0,
            i % 3 === 0 ? NodeCrypto.randomInt(size + 10_000) : around + NodeCrypto.randomInt(5) - 2
          )
          const length = i % 2 === 0 ? NodeCrypto.randomInt(1, 20_000) : NodeCrypto.randomInt(1, MiB)
          const shift = [0, offset % 4096, 16, 1][i % 4]!
          const memory = i % 5 === 0 ? new Uint8Array(2 * MiB) : aligned
          memory.fill(0)
          const target = memory.subarray(shift, shift + length)
          const expected = body.subarray(offset, offset + length)
          const what = `offset ${offset}, length ${length}, shift ${shift}`
          assert.strictEqual(yield* data.readInto(fd, offset, target), expected.length, what)
          same(target.subarray(0, expected.length), expected, what)
          same(memory.subarray(0, shift), zeroes.subarray(0, shift), `before the target: ${what}`)
          same(memory.subarray(shift + length), zeroes.subarray(shift + length), `after the target: ${what}`)
        }
      }))
  }

  for (const partSize of [1021, 4095, 4096, 4097, 5000, 65_537, 300_001]) {
    it.effect(`parts of ${partSize} bytes, written side by side in any order by several writers, are exact`, () =>
      Effect.gen(function*() {
        const path = `${yield* directory}/file`
        const size = partSize * 37 + 11
        const body = bytesOf(size)
        for (
          const data of [make(), make({ slots: 3, slotSize: 8192 }), make({ alignment: 64 * KiB, slotSize: 64 * KiB })]
        ) {
          NodeFs.rmSync(path, { force: true })
          const first = yield* data.openWriter(path, { create: true })
          const second = yield* data.openWriter(path, { create: false })
          const offsets = Array.from({ length: 38 }, (_, i) => i * partSize).sort(() => NodeCrypto.randomInt(2) - 0.5)
          yield* Effect.forEach(
            offsets,
            (offset, i) => (i % 2 === 0 ? first : second).write(offset, body.subarray(offset, offset + partSize)),
            { concurrency: 8 }
          )
          yield* second.finish(size, "none")
          same(NodeFs.readFileSync(path), body, "buffered read")
          const target = new Uint8Array(size)
          assert.strictEqual(yield* readFile(data, path, 0, target), size)
          same(target, body, "direct read")
        }
      }))
  }

  it.effect("writes from aligned memory, at any shift and length, are exact", () =>
    Effect.gen(function*() {
      const path = `${yield* directory}/file`
      const memory = yield* allocate(2 * MiB)
      NodeCrypto.randomFillSync(memory)
      for (const data of [make(), make({ slotSize: 64 * KiB })]) {
        for (
          const [offset, shift, length] of [[0, 0, 2 * MiB], [100, 100, MiB], [4096, 8192, MiB + 1], [5, 6, MiB], [
            4095,
            4095,
            300_000
          ]] as const
        ) {
          NodeFs.writeFileSync(path, "")
          yield* Effect.scoped(Effect.gen(function*() {
            const writer = yield* data.openWriter(path, { create: false })
            yield* writer.write(offset, memory.subarray(shift, shift + length))
            yield* writer.finish(offset + length, "none")
          }))
          const file = NodeFs.readFileSync(path)
          assert.strictEqual(file.length, offset + length)
          same(file.subarray(offset), memory.subarray(shift, shift + length), `${offset} ${shift} ${length}`)
          assert.isTrue(file.subarray(0, offset).every((byte) => byte === 0))
        }
      }
    }))

  it.effect("finish makes the file exactly as long as asked, at every durability", () =>
    Effect.gen(function*() {
      const path = `${yield* directory}/file`
      const data = make()
      const body = bytesOf(20_000)
      for (const durability of ["none", "file", "full"] as const) {
        for (const size of [10_000, 20_000, 30_000]) {
          NodeFs.rmSync(path, { force: true })
          yield* Effect.scoped(Effect.gen(function*() {
            const writer = yield* data.openWriter(path, { create: true })
            yield* writer.write(0, body)
            yield* writer.finish(size, durability)
          }))
          const expected = Buffer.alloc(size)
          expected.set(body.subarray(0, size))
          same(NodeFs.readFileSync(path), expected, `${durability} ${size}`)
        }
      }
    }))

  it.effect("is coherent with buffered readers and writers of the same file", () =>
    Effect.gen(function*() {
      const path = `${yield* directory}/file`
      const data = make()
      const size = 5 * MiB + 77
      const body = bytesOf(size)
      const target = new Uint8Array(size)
      // written through the page cache, not synced, read past it
      NodeFs.writeFileSync(path, body)
      const fd = yield* openReader(data, path)
      yield* data.readInto(fd, 0, target)
      same(target, body, "direct read of dirty pages")
      // changed through the page cache while the direct reader is open
      const cached = NodeFs.openSync(path, "r+")
      yield* Effect.addFinalizer(() => Effect.sync(() => NodeFs.closeSync(cached)))
      const change = bytesOf(10_001)
      NodeFs.writeSync(cached, change, 0, change.length, 4_000)
      body.set(change, 4_000)
      yield* data.readInto(fd, 0, target)
      same(target, body, "direct read of a buffered change")
      // written past the page cache while all of it is cached
      same(NodeFs.readFileSync(path), body, "all is cached now")
      const writer = yield* data.openWriter(path, { create: false })
      const other = bytesOf(3 * MiB + 1234)
      yield* writer.write(MiB - 5, other)
      body.set(other, MiB - 5)
      same(NodeFs.readFileSync(path), body, "buffered read of a direct write")
      yield* data.readInto(fd, 0, target)
      same(target, body, "direct read of a direct write")
      // both ways at once, over and over, in neighbouring blocks
      for (let round = 0; round < 50; round++) {
        const at = 8192 * NodeCrypto.randomInt(100) + NodeCrypto.randomInt(8192)
        const [left, right] = [bytesOf(9_000), bytesOf(9_000)]
        yield* Effect.forEach([[at, left], [at + 9_000, right]] as const, ([offset, part]) =>
          writer.write(offset, part), {
          concurrency: 2
        })
        body.set(left, at)
        body.set(right, at + 9_000)
        same(NodeFs.readFileSync(path), body, `buffered read in round ${round}`)
        yield* data.readInto(fd, 0, target)
        same(target, body, `direct read in round ${round}`)
      }
      yield* writer.finish(size, "full")
    }))

  it.effect("reads and writes blocks through descriptors that have O_DIRECT", () =>
    Effect.gen(function*() {
      const path = `${yield* directory}/file`
      const data = make()
      yield* data.openWriter(path, { create: true })
      const isDirect = (fd: number): boolean => (flagsOf(fd) & directFlag) !== 0
      const writers = descriptorsOf(path)
      assert.strictEqual(writers.length, 2)
      assert.strictEqual(writers.filter(isDirect).length, 1)
      assert.isTrue(isDirect(yield* openReader(data, path)))
    }))

  it.effect("moves large objects in large calls", () =>
    Effect.gen(function*() {
      const path = `${yield* directory}/file`
      const data = make()
      const body = bytesOf(40 * MiB + 5)
      const large = Array.from({ length: 10 }, () => 4 * MiB)
      const written = yield* countCalls(writeFile(data, path, body))
      assert.deepStrictEqual(written.calls, [...large, 5])
      const target = new Uint8Array(body.length)
      const read = yield* countCalls(readFile(data, path, 0, target))
      assert.deepStrictEqual(read.calls, [...large, 4096])
      same(target, body, "read")
    }))

  it.effect.skipIf(isMemory)(
    "moves bytes between memory and the disk, also those that are cached",
    () =>
      Effect.gen(function*() {
        const path = `${yield* directory}/file`
        const data = make()
        const body = bytesOf(8 * MiB)
        const written = yield* countCalls(writeFile(data, path, body))
        assert.isAtLeast(written.diskWritten, body.length)
        same(NodeFs.readFileSync(path), body, "buffered read")
        const read = yield* countCalls(readFile(data, path, 0, new Uint8Array(body.length)))
        assert.isAtLeast(read.diskRead, body.length)
      })
  )

  it.effect("goes on after calls that did less than asked, or that a signal ended", () =>
    Effect.gen(function*() {
      const path = `${yield* directory}/file`
      const data = make({ slots: 3, slotSize: 64 * KiB })
      const body = bytesOf(700_001)
      const reported = new Set<string>()
      yield* patched((real, name) => (...args) => {
        const done = args.at(-1) as unknown as (error: Error | null, count: number) => void
        if (NodeCrypto.randomInt(4) === 0) {
          reported.add(`${name} EINTR`)
          return done(Object.assign(new Error("EINTR"), { code: "EINTR" }), 0)
        }
        const report = (error: Error | null, count: number): void => {
          const odd = count > 8192 && NodeCrypto.randomInt(2) === 0
          if (odd) reported.add(`${name} short`)
          done(error, odd ? 4096 + NodeCrypto.randomInt(count - 4096) : count)
        }
        real(...args.slice(0, -1), report as never)
      })
      yield* writeFile(data, path, body)
      const target = new Uint8Array(body.length + 9000)
      assert.strictEqual(yield* readFile(data, path, 0, target), body.length)
      same(target.subarray(0, body.length), body, "direct read")
      assert.deepStrictEqual([...reported].sort(), ["read EINTR", "read short", "write EINTR", "write short"])
    }))

  it.effect("a disk that is full while it is written is an error", (context) =>
    Effect.gen(function*() {
      const root = yield* directory
      const mount = NodeChildProcess.spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", root])
      if (mount.status !== 0) return context.skip("this process may not mount")
      yield* Effect.addFinalizer(() => Effect.sync(() => NodeChildProcess.spawnSync("umount", [root])))
      const error = yield* Effect.flip(writeFile(make(), `${root}/file`, bytesOf(3 * MiB)))
      assert.strictEqual(error.code, "ENOSPC")
    }))

  it.effect("reads nothing at and past the end", () =>
    Effect.gen(function*() {
      const path = `${yield* directory}/file`
      const data = make()
      for (const size of [0, 1, 4096, 10_000]) {
        NodeFs.writeFileSync(path, bytesOf(size))
        for (const past of [0, 1, 4095, 4096, 2 ** 40]) {
          const target = new Uint8Array(9000).fill(3)
          assert.strictEqual(yield* readFile(data, path, size + past, target), 0, `${size} + ${past}`)
          assert.isTrue(target.every((byte) => byte === 3))
        }
      }
    }))

  it.effect("many large reads and writes at once need no more than the pool", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const data = make({ slots: 2, slotSize: 64 * KiB })
      yield* Effect.forEach(Array.from({ length: 24 }, (_, i) => i), (i) =>
        Effect.gen(function*() {
          const body = bytesOf(500_000 + i)
          yield* writeFile(data, `${root}/${i}`, body)
          const target = new Uint8Array(body.length)
          assert.strictEqual(yield* readFile(data, `${root}/${i}`, 0, target), body.length)
          same(target, body, `file ${i}`)
        }), { concurrency: "unbounded" })
      assert.strictEqual(yield* data.pool.reserved, 2)
    }))

  it.effect("a refused O_DIRECT leaves neither a file nor a descriptor", () =>
    Effect.gen(function*() {
      const path = `${yield* directory}/file`
      // A flag that an open of a file refuses.
      const data = makeDirectData({
        pool: makeSlotPool({ slots: 1, slotSize: 4096 }),
        alignment: 4096,
        flag: NodeFs.constants.O_DIRECTORY
      })
      const before = NodeFs.readdirSync("/proc/self/fd").length
      const error = yield* Effect.flip(Effect.scoped(data.openWriter(path, { create: true })))
      assert.strictEqual(error.code, "ENOTDIR")
      assert.isFalse(NodeFs.existsSync(path))
      assert.strictEqual(NodeFs.readdirSync("/proc/self/fd").length, before)
    }))

  it.effect("interrupted transfers leave no descriptor and touch their memory no more", () =>
    Effect.gen(function*() {
      const path = `${yield* directory}/file`
      const data = make({ slots: 2, slotSize: 64 * KiB })
      const body = bytesOf(8 * MiB)
      const before = NodeFs.readdirSync("/proc/self/fd").length
      for (let turns = 0; turns < 24; turns++) {
        NodeFs.rmSync(path, { force: true })
        const writing = yield* Effect.forkChild(writeFile(data, path, body))
        for (let i = 0; i < turns; i++) yield* yieldTurn
        yield* Fiber.interrupt(writing)
        NodeFs.writeFileSync(path, body)
        const target = yield* allocate(body.length)
        const reading = yield* Effect.forkChild(readFile(data, path, 0, target.subarray(turns % 2)))
        for (let i = 0; i < turns; i++) yield* yieldTurn
        yield* Fiber.interrupt(reading)
        target.fill(0)
        for (let i = 0; i < 5; i++) yield* yieldTurn
        same(target, new Uint8Array(body.length), "the target after the interruption")
        assert.strictEqual(NodeFs.readdirSync("/proc/self/fd").length, before)
      }
    }))
})

describe("SlotPool", () => {
  it.effect("memory is page-aligned as far as it can be told", () =>
    Effect.gen(function*() {
      const memory = yield* allocate(8192)
      assert.isTrue(isAligned(memory, 0, 4096))
      assert.isTrue(isAligned(memory.subarray(10), 4086, 4096))
      assert.isFalse(isAligned(memory.subarray(10), 0, 4096))
      assert.isFalse(isAligned(new Uint8Array(8192), 0, 4096))
    }))

  it.effect("lends no more slots than it has, and waiting for one can be interrupted", () =>
    Effect.gen(function*() {
      const pool = makeSlotPool({ slots: 2, slotSize: 4096 })
      const gate = yield* Deferred.make<void>()
      let lent = 0
      let most = 0
      const borrow = pool.use((slot) =>
        Effect.gen(function*() {
          most = Math.max(most, ++lent)
          assert.strictEqual(slot.length, 4096)
          yield* Deferred.await(gate)
          lent--
        })
      )
      const fibers = yield* Effect.forEach(Array.from({ length: 9 }), () => Effect.forkChild(borrow))
      yield* Effect.yieldNow
      assert.strictEqual(lent, 2)
      const last = fibers.at(-1)!
      yield* Fiber.interrupt(last)
      assert.strictEqual(lent, 2)
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.forEach(fibers.slice(0, -1), Fiber.join)
      assert.strictEqual(most, 2)
      assert.strictEqual(yield* pool.reserved, 2)
    }))

  it.effect("lends a slot again only when the call that used it has ended", () =>
    Effect.gen(function*() {
      const pool = makeSlotPool({ slots: 1, slotSize: 4096 })
      const gate = yield* Deferred.make<void>()
      const events: Array<string> = []
      const call = yield* Effect.forkChild(pool.use(() =>
        Effect.uninterruptible(Effect.andThen(Deferred.await(gate), Effect.sync(() => events.push("call ended"))))
      ))
      yield* Effect.yieldNow
      const next = yield* Effect.forkChild(pool.use(() =>
        Effect.sync(() => events.push("lent again"))
      ))
      const stop = yield* Effect.forkChild(Fiber.interrupt(call))
      yield* Effect.yieldNow
      assert.deepStrictEqual(events, [])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(next)
      yield* Fiber.join(stop)
      assert.deepStrictEqual(events, ["call ended", "lent again"])
    }))

  it.effect("memory that cannot be had is ENOMEM", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(makeSlotPool({ slots: 1, slotSize: 2 ** 52 }).use(() => Effect.void))
      assert.strictEqual(error.code, "ENOMEM")
    }))
})

describe("probe", () => {
  it.effect("leaves nothing behind", () =>
    Effect.gen(function*() {
      const root = yield* directory
      const before = NodeFs.readdirSync("/proc/self/fd").length
      yield* probe(root, directFlag)
      assert.deepStrictEqual(NodeFs.readdirSync(root), [])
      assert.strictEqual(NodeFs.readdirSync("/proc/self/fd").length, before)
    }))

  it.effect("says that a system without O_DIRECT refuses", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* probe(yield* directory, 0), {
        _tag: "Refused",
        description: "this operating system has no O_DIRECT"
      })
    }))

  it.effect("fails where no file can be made", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(probe(`${yield* directory}/missing`, directFlag))
      assert.strictEqual(error.code, "ENOENT")
    }))
})
