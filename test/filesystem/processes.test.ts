import { assert, describe, it } from "@effect/vitest"
import { Config, Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"
import { lockName, randomId, reserved } from "../../src/filesystem/names.ts"
import { makeStore, reasonOf } from "./Store.ts"

const child = fileURLToPath(new URL("child.ts", import.meta.url))
const start = (...args: ReadonlyArray<string>) =>
  spawn(process.execPath, ["--disable-warning=ExperimentalWarning", child, ...args], {
    stdio: ["ignore", "pipe", "inherit"]
  })

/** Runs a process to its end: what it printed, in lines. */
const run = (...args: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const process = start(...args)
    let output = ""
    process.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString()
    })
    const [code] = await once(process, "exit")
    assert.strictEqual(code, 0)
    return output.split("\n").filter((line) => line !== "")
  })

const MiB = 1024 * 1024
const size = 8 * MiB

/** How often a writer is killed: `KILLS` in the environment; 200 is what the reliability goal asks for. */
const killCount = Config.withDefault(Config.Int("KILLS"), 20)

/** Starts a writer that overwrites `dir/big`, waits until it has begun, and kills it after a moment. */
const killOne = Effect.fnUntraced(function*(root: string, task: string, moment: number) {
  const process = start(root, task, String(size))
  yield* Effect.promise(() => once(process.stdout, "data"))
  yield* Effect.sleep(moment)
  process.kill("SIGKILL")
  yield* Effect.promise(() => once(process, "exit"))
})

describe("processes that share a root", () => {
  it.live("two that add to one counter by compare-and-swap lose nothing, also where a dead one left its lock", () =>
    Effect.gen(function*() {
      const { files, get, path, put, root } = yield* makeStore()
      yield* put("dir/counter", "0")
      writeLock(path("dir"), "counter", { ...me, start: "1" })
      yield* Effect.all([run(root, "count", "60"), run(root, "count", "60")], { concurrency: 2 })
      assert.strictEqual(yield* get("dir/counter"), "120")
      assert.deepStrictEqual(files().filter((name) => /tmp|lock/.test(name)), [])
    }))

  it.live(
    "a rename of a key that another one overwrites takes a version with its own etag and metadata",
    () =>
      Effect.gen(function*() {
        const { backend, head, root } = yield* makeStore()
        const writer = yield* Effect.acquireRelease(
          Effect.sync(() => start(root, "overwrite", "1")),
          (process) => Effect.sync(() => void process.kill("SIGKILL"))
        )
        yield* Effect.promise(() => once(writer.stdout, "data"))
        let moved = 0
        for (let i = 0; i < 600; i++) {
          const reply = yield* Effect.catchReason(
            backend.rename!({ container: "", key: "dir/big" }, { container: "", key: "moved" }, { mode: "overwrite" }),
            "ObjectStoreError",
            "NotFound",
            () => Effect.succeed(undefined)
          )
          if (reply === undefined) continue
          moved++
          const stat = yield* head("moved")
          assert.strictEqual(stat.etag, reply.etag)
          assert.deepStrictEqual({ ...stat.attributes }, { contentType: "text/plain" })
        }
        assert.isAbove(moved, 0)
      }),
    60_000
  )

  it.live("of two that create the same keys, exactly one wins each", () =>
    Effect.gen(function*() {
      const { keys, root } = yield* makeStore()
      const [a, b] = yield* Effect.all([run(root, "create", "100"), run(root, "create", "100")], { concurrency: 2 })
      assert.lengthOf([...a, ...b], 100)
      assert.sameMembers([...a, ...b], [...yield* keys()])
    }))

  it.live.each(["overwrite", "upload"])(
    "killed at any moment of an %s, the object is one whole version; what is left is an open upload, and is not listed",
    (task) =>
      Effect.gen(function*() {
        const { backend, files, get, head, keys, path, root, uploads } = yield* makeStore()
        const kills = yield* killCount
        let leftovers = 0
        for (let i = 0; i < kills; i++) {
          // From right after a write to far into the next ones.
          yield* killOne(root, task, i * 37 % 60)
          const body = NodeFs.readFileSync(path("dir", "big"))
          assert.strictEqual(body.length, size)
          assert.isTrue(body.equals(Buffer.alloc(size, body[0])))
          assert.deepStrictEqual(yield* keys(), ["dir/big"])
          assert.strictEqual((yield* get("dir/big")).length, size)
          assert.deepStrictEqual((yield* head("dir/big")).attributes, { contentType: "text/plain" })
          const open = yield* uploads
          leftovers += open.length
          for (const upload of open) {
            assert.match(upload.key, /^dir\//)
            yield* backend.abortUpload(upload)
          }
          assert.deepStrictEqual(yield* uploads, [])
          // The directory, the object and its metadata.
          assert.lengthOf(files(), 3)
        }
        assert.isAbove(leftovers, 0, "no kill hit a write")
      }),
    600_000
  )
})

const writeLock = (directory: string, name: string, owner: object): void =>
  NodeFs.writeFileSync(`${directory}/${lockName(name)}`, JSON.stringify({ ...owner, nonce: randomId() }))

const me = {
  boot: NodeFs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
  host: NodeFs.readFileSync("/proc/sys/kernel/hostname", "utf8").trim(),
  namespace: NodeFs.readlinkSync("/proc/self/ns/pid"),
  pid: process.pid,
  start: NodeFs.readFileSync("/proc/self/stat", "utf8").split(") ")[1]!.split(" ")[19]!
}

describe.concurrent("the lock of a conditional write", () => {
  it.live.each<readonly [string, object]>([
    ["a process that has ended", { ...me, pid: 2 ** 22 + 1 }],
    ["a process whose pid belongs to another one now", { ...me, start: "1" }],
    ["a process of an earlier boot", { ...me, boot: "00000000-0000-0000-0000-000000000000" }]
  ])("is taken from %s, once", ([, owner]) =>
    Effect.gen(function*() {
      const { files, put, root } = yield* makeStore()
      const { etag } = yield* put("a")
      writeLock(root, "a", owner)
      const answers = yield* Effect.forEach(
        Array.from({ length: 8 }),
        () => reasonOf(put("a", "new", { mode: { update: etag! } })),
        { concurrency: 8 }
      )
      assert.lengthOf(answers.filter((answer) => answer === "succeeded"), 1)
      assert.lengthOf(answers.filter((answer) => answer === "PreconditionFailed"), 7)
      assert.deepStrictEqual(files(), ["a"])
    }))

  it.live.each<readonly [string, object]>([
    ["a live process", me],
    ["a process of another machine", { ...me, host: "elsewhere", boot: "other" }],
    ["a process of another pid namespace", { ...me, namespace: "pid:[1]", pid: 2 ** 22 + 1 }],
    ["nobody that can be told", { damaged: true }]
  ])("is never taken from %s: Conflict after a while, and nothing is written", ([, owner]) =>
    Effect.gen(function*() {
      const { files, get, put, root } = yield* makeStore()
      const { etag } = yield* put("a")
      writeLock(root, "a", owner)
      assert.strictEqual(yield* reasonOf(put("a", "new", { mode: { update: etag! } })), "Conflict")
      assert.strictEqual(yield* get("a"), "a")
      assert.lengthOf(files().filter((name) => name.startsWith(`${reserved}tmp`)), 0)
    }), 60_000)
})
