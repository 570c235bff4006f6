import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as NodeFs from "node:fs"
import { appears, ended, run, spawn, temporary, tree, write } from "./CliTest.ts"

const MiB = 1024 * 1024
const reserved = ".objectstore~"

describe("objectstore, stopped", () => {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    it.effect(`leaves nothing of an upload behind on ${signal}, and keeps the old object`, () =>
      Effect.gen(function*() {
        const dir = yield* temporary
        write(dir, { "s/a": "old" })
        const child = spawn(dir, ["put", "--part-size", "1MiB", "-", `file://${dir}/s/a`])
        const end = ended(child)
        child.stdin.write(new Uint8Array(80 * MiB))
        yield* appears(`${dir}/s`, reserved)
        child.kill(signal)
        const ran = yield* end
        assert.deepStrictEqual([ran.code, ran.stdout, ran.stderr], [code, "", ""])
        assert.deepStrictEqual(tree(dir), { "s/a": "old" })
        assert.deepStrictEqual(NodeFs.readdirSync(`${dir}/s`), ["a"])
      }))
  }

  it.effect("leaves no part of a copy behind on SIGINT", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "s/big": "" })
      NodeFs.truncateSync(`${dir}/s/big`, 2048 * MiB)
      NodeFs.mkdirSync(`${dir}/t`)
      const child = spawn(dir, ["cp", "-r", "s", "t"])
      const end = ended(child)
      yield* appears(`${dir}/t`, reserved)
      child.kill("SIGINT")
      const ran = yield* end
      assert.deepStrictEqual([ran.code, ran.stdout, ran.stderr], [130, "", ""])
      assert.deepStrictEqual(NodeFs.readdirSync(`${dir}/t`), [])
    }))

  it.effect("sweeps what a killed process left, when it is old enough and --yes or one thing", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "s/a": "old" })
      const child = spawn(dir, ["put", "--part-size", "1MiB", "-", `file://${dir}/s/a`])
      const end = ended(child)
      child.stdin.write(new Uint8Array(80 * MiB))
      yield* appears(`${dir}/s`, reserved)
      child.kill("SIGKILL")
      assert.strictEqual((yield* end).signal, "SIGKILL")
      const left = NodeFs.readdirSync(`${dir}/s`)
      assert.isAbove(left.length, 1)
      assert.deepInclude((yield* run(dir, ["ls", "-r", "--json", "s"])).json.at(-1), { objects: 1 })
      const open = yield* run(dir, ["uploads", "ls", "--json", "s"])
      assert.deepStrictEqual([open.code, open.json.length], [0, left.length])
      assert.deepInclude(open.json.at(-1), { command: "uploads ls", uploads: left.length - 1 })
      const exact = yield* run(dir, ["uploads", "ls", "--json", "s/a"])
      assert.isTrue(exact.json.slice(0, -1).every(({ uri }) => uri === "s/a"), exact.stdout)
      const other = yield* run(dir, ["uploads", "abort", "--yes", `file://${dir}/s/other`])
      assert.strictEqual(other.stdout, "dropped 0 unfinished uploads\n")
      const old = yield* run(dir, ["uploads", "abort", "--older-than", "1d", "s"])
      assert.strictEqual(old.stdout, "dropped 0 unfinished uploads\n")
      const young = yield* run(dir, ["sweep", "--json", "."])
      assert.deepInclude(young.json.at(-1), { command: "sweep", succeeded: 0 })
      const plan = yield* run(dir, ["sweep", "--json", "--dry-run", "--older-than", "0s", "."])
      assert.deepInclude(plan.json.at(-1), { dryRun: true, failed: 0 })
      assert.isAbove(plan.json.length, 1)
      assert.deepStrictEqual(NodeFs.readdirSync(`${dir}/s`), left)
      const swept = yield* run(dir, ["sweep", "--yes", "--older-than", "0s", "."])
      assert.strictEqual(swept.code, 0)
      assert.deepStrictEqual(NodeFs.readdirSync(`${dir}/s`), ["a"])
    }))

  it.effect("aborts open uploads whatever their age, with --yes or one at a time", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "s/a": "old" })
      for (const name of ["s/a", "s/b"]) {
        const child = spawn(dir, ["put", "--part-size", "1MiB", "-", name])
        const end = ended(child)
        const before = NodeFs.readdirSync(`${dir}/s`).length
        child.stdin.write(new Uint8Array(80 * MiB))
        while (NodeFs.readdirSync(`${dir}/s`).length === before) yield* Effect.yieldNow
        child.kill("SIGKILL")
        yield* end
      }
      const many = yield* run(dir, ["uploads", "abort", "s"])
      assert.deepStrictEqual([many.code, many.stdout], [2, ""])
      assert.match(many.stderr, /^objectstore: Usage: it would remove \d+ unfinished uploads; --yes lets it\n$/)
      const planned = yield* run(dir, ["uploads", "abort", "-n", "--json", "s"])
      assert.deepInclude(planned.json.at(-1), { command: "uploads abort", dryRun: true, failed: 0 })
      assert.strictEqual((yield* run(dir, ["uploads", "abort", "--yes", "s"])).code, 0)
      assert.deepStrictEqual(tree(dir), { "s/a": "old" })
      assert.deepStrictEqual(NodeFs.readdirSync(`${dir}/s`), ["a"])
    }), 180_000)

  it.effect("ends quietly when nobody reads its output any more", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { big: new Uint8Array(64 * MiB) })
      const child = spawn(dir, ["cat", "big"])
      child.stdout.once("data", () => child.stdout.destroy())
      const ran = yield* ended(child)
      assert.deepStrictEqual([ran.code, ran.stderr], [141, ""])
    }))
})
