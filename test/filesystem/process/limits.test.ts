/** Processes whose system calls fail because of where and how they run; nothing is simulated. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import { memoryDirectory, temporaryDirectory } from "../TempDirectory.ts"
import type { Ended, Told } from "./child.ts"

const child = fileURLToPath(new URL("child.ts", import.meta.url))
const shim = fileURLToPath(new URL("fault.c", import.meta.url))
const isRoot = process.getuid?.() === 0

const works = (command: string, ...args: ReadonlyArray<string>): boolean => {
  try {
    execFileSync(command, args, { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

/** Namespaces of mounts are taken down with their process, whatever becomes of it. */
const unshare = isRoot ? ["unshare", "--mount"] : ["unshare", "--user", "--map-root-user", "--mount"]
const mounting = (options: string): ReadonlyArray<string> => [
  ...unshare,
  "sh",
  "-c",
  `mount -t tmpfs -o ${options} tmpfs "$0" && exec "$@"`
]

const canMount = works(unshare[0]!, ...unshare.slice(1), "sh", "-c", "mount -t tmpfs tmpfs /mnt")
const canLimit = works("prlimit", "--version")
const canCompile = works("cc", "--version")

/** Registers a test, or says why there is none; on CI it is there and fails. */
const where = (can: boolean, why: string) => (name: string, test: () => Effect.Effect<void>): void => {
  if (can) it.live(name, test, { timeout: 120_000 })
  else if (process.env["CI"] === "true") it(name, () => assert.fail(why))
  else {
    console.warn(`skipped: ${name}: ${why}`)
    it.skip(name)
  }
}

const run = (
  scenario: string,
  scheme: string,
  around: (root: string) => ReadonlyArray<string>,
  environment: Record<string, string> = {}
) =>
  Effect.scoped(Effect.gen(function*() {
    const root = yield* memoryDirectory
    const before = around(root)
    const [command = "", ...args] = [
      ...before,
      // `sh -c` takes the next word for its name: the directory.
      ...before.includes("sh") ? [root] : [],
      process.execPath,
      "--disable-warning=ExperimentalWarning",
      child,
      scenario,
      scheme,
      root
    ]
    return yield* Effect.promise(async () => {
      const process_ = spawn(command, args, {
        env: { ...process.env, ...environment },
        stdio: ["ignore", "pipe", "pipe"]
      })
      let [output, errors] = ["", ""]
      process_.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString()
      })
      process_.stderr.on("data", (chunk: Buffer) => {
        errors += chunk.toString()
      })
      const [code, signal] = await once(process_, "close")
      assert.strictEqual(code, 0, `${scenario} ended with ${code ?? signal}: ${errors}`)
      return { told: JSON.parse(output.split("\n").at(-1)!) as Told, errors }
    })
  }))

const old = "before 200000 {\"version\":\"1\"}"

/** Every operation ended so, nothing but the old object is there, and nothing is left. */
const allEnd = (
  { descriptors, ended, left, objects }: Told,
  expected: Omit<Ended, "what">,
  not: ReadonlyArray<string>
) => {
  const all = ended.filter(({ what }) => !not.includes(what))
  assert.isAtLeast(all.length, 5)
  for (const one of all) assert.deepStrictEqual(one, { what: one.what, ...expected })
  for (const one of ended.filter(({ what }) => not.includes(what))) {
    assert.deepStrictEqual(one, { what: one.what, reason: "succeeded" })
  }
  assert.strictEqual(objects["d/old"], old)
  assert.deepStrictEqual(left, [])
  assert.isAtMost(descriptors[1], descriptors[0])
}

for (const scheme of ["file", "direct"]) {
  describe(`${scheme}://`, () => {
    where(canMount, "no tmpfs can be mounted here")(
      "a full disk is StorageFull; nothing is lost or left",
      () =>
        Effect.gen(function*() {
          const { told } = yield* run("full", scheme, () => mounting("size=4m"))
          allEnd(
            { ...told, ended: told.ended.slice(0, -2) },
            { reason: "StorageFull", code: "ENOSPC", outcome: "not-applied" },
            []
          )
          // What is removed makes room.
          assert.deepStrictEqual(told.ended.slice(-2).map(({ reason }) => reason), ["succeeded", "succeeded"])
          assert.deepStrictEqual(told.objects, { "d/old": old, after: "smalls 1000 {}" })
        })
    )

    where(canMount, "no tmpfs can be mounted here")("no inode left is StorageFull too", () =>
      Effect.gen(function*() {
        const { told } = yield* run("small files", scheme, () => mounting("size=64m,nr_inodes=4"))
        allEnd(told, { reason: "StorageFull", code: "ENOSPC", outcome: "not-applied" }, [])
        assert.deepStrictEqual(Object.keys(told.objects), ["d/old"])
      }))

    where(canMount, "no tmpfs can be mounted here")(
      "a read-only file system is PermissionDenied, and can be read",
      () =>
        Effect.gen(function*() {
          const { told } = yield* run("read-only", scheme, () => mounting("size=64m"))
          const reading = ["get", "listUploads"]
          allEnd(told, { reason: "PermissionDenied", code: "EROFS", outcome: "not-applied" }, reading)
          assert.deepStrictEqual(Object.keys(told.objects), ["d/old"])
        })
    )

    where(isRoot, "only root can become nobody")(
      "somebody else's root is PermissionDenied, and can be read",
      () =>
        Effect.gen(function*() {
          const { told } = yield* run("nobody", scheme, (root) => {
            NodeFs.chmodSync(root, 0o755)
            return ["env"]
          })
          allEnd(told, { reason: "PermissionDenied", code: "EACCES", outcome: "not-applied" }, ["get"])
          assert.deepStrictEqual(Object.keys(told.objects), ["d/old"])
        })
    )

    where(canLimit, "there is no prlimit")(
      "a file that may not grow so large is StorageFull",
      () =>
        Effect.gen(function*() {
          const { told } = yield* run("small files", scheme, () => ["prlimit", `--fsize=${1024 * 1024}`])
          allEnd(told, { reason: "StorageFull", code: "EFBIG", outcome: "not-applied" }, [])
          assert.deepStrictEqual(Object.keys(told.objects), ["d/old"])
        })
    )

    where(canCompile, "there is no C compiler")(
      "a disk that cannot be forced is Unavailable, and is not asked again",
      () =>
        Effect.scoped(Effect.gen(function*() {
          const library = NodePath.join(yield* temporaryDirectory, "fault.so")
          execFileSync("cc", ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, shim, "-ldl"])
          const { errors, told } = yield* run("no force", scheme, () => ["env"], { LD_PRELOAD: library })
          assert.strictEqual(errors, "")
          allEnd(told, { reason: "Unavailable", code: "EIO", outcome: "not-applied" }, [])
          assert.deepStrictEqual(Object.keys(told.objects), ["d/old"])
        }))
    )

    where(canLimit, "there is no prlimit")(
      "3,000 operations at a time do with 256 open files, or say LimitExceeded",
      () =>
        Effect.forEach(
          [256, 80],
          Effect.fnUntraced(function*(files) {
            const { told } = yield* run("few files", scheme, () => ["prlimit", `--nofile=${files}:${files}`])
            const refused = told.ended.filter(({ reason }) => reason !== "succeeded")
            console.log(
              `${scheme}: ${told.ended.length} operations with ${files} open files, ${refused.length} refused`
            )
            if (files === 256) assert.lengthOf(refused, 0)
            for (const { code, reason } of refused) assert.deepStrictEqual([reason, code], ["LimitExceeded", "EMFILE"])
            assert.lengthOf(told.ended, 3000)
            assert.deepStrictEqual(told.left, [])
            assert.isAtMost(told.descriptors[1], told.descriptors[0])
            assert.deepStrictEqual(told.objects, { "d/old": old })
          }),
          { discard: true }
        )
    )
  })
}
