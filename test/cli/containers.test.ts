import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as NodeFs from "node:fs"
import { run, temporary, tree, write } from "./CliTest.ts"

describe("objectstore mb and rb", () => {
  it.effect(
    "make directories that stay though they are empty, and remove them only when they are",
    () =>
      Effect.gen(function*() {
        const dir = yield* temporary
        const made = yield* run(dir, ["mb", `file://${dir}/one`, "two/"])
        assert.deepStrictEqual([made.code, made.stdout, made.stderr], [0, "made 2 containers\n", ""])
        assert.isTrue(NodeFs.statSync(`${dir}/one`).isDirectory() && NodeFs.statSync(`${dir}/two`).isDirectory())
        const again = yield* run(dir, ["mb", "--json", `file://${dir}/one`, "three"])
        assert.strictEqual(again.code, 3)
        assert.match(again.stderr, /^objectstore: AlreadyExists: createContainer [^\n]+\nobjectstore: PartialFailure: /)
        assert.deepStrictEqual(again.json.map(({ type, uri }) => [type, uri]), [
          ["failed", `file://${dir}/one`],
          ["made", "three"],
          ["summary", undefined]
        ])
        write(dir, { "one/a": "1" })
        const full = yield* run(dir, ["rb", "one"])
        assert.strictEqual(full.code, 1)
        assert.match(full.stderr, /^objectstore: NotEmpty: /)
        assert.strictEqual((yield* run(dir, ["rm", "one/a"])).code, 0)
        assert.strictEqual((yield* run(dir, ["rb", "one", `file://${dir}/two`, "three"])).code, 0)
        assert.deepStrictEqual(NodeFs.readdirSync(dir), [])
        const gone = yield* run(dir, ["rb", "one"])
        assert.match(gone.stderr, /^objectstore: ContainerNotFound: /)
      }),
    60_000
  )

  it.effect("refuse what is no container before anything is touched", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "d/a": "1" })
      NodeFs.symlinkSync("d", `${dir}/link`)
      const before = tree(dir)
      for (
        const args of [
          ["mb"],
          ["mb", "new", "mem://name/key"],
          ["mb", "file:///"],
          ["rb", "link"],
          ["mb", "--location", "x", "s3://No"],
          ["rb", "az://account"]
        ]
      ) {
        const ran = yield* run(dir, args)
        assert.deepStrictEqual([ran.code, ran.stdout], [2, ""], args.join(" "))
        assert.match(ran.stderr, /^objectstore: (?:Usage|InvalidUri): [^\n]+\n$/, args.join(" "))
      }
      const location = yield* run(dir, ["mb", "--location", "here", "new"])
      assert.strictEqual(location.code, 1)
      assert.match(location.stderr, /^objectstore: Unsupported: createContainer /)
      assert.deepStrictEqual(tree(dir), before)
    }), 180_000)
})

describe("objectstore presign", () => {
  it.effect("says that local stores cannot, and refuses wrong usage", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { a: "1" })
      const local = yield* run(dir, ["presign", `file://${dir}/a`])
      assert.deepStrictEqual([local.code, local.stdout], [1, ""])
      assert.match(local.stderr, /^objectstore: Unsupported: presign [^\n]+: this file store has no presign\n$/)
      for (
        const args of [["a", "--method", "POST"], ["a", "--expires-in", "0s"], ["a", "--expires-in", "soon"], ["d/"]]
      ) {
        const ran = yield* run(dir, ["presign", ...args])
        assert.deepStrictEqual([ran.code, ran.stdout], [2, ""], args.join(" "))
      }
    }))
})

describe("objectstore, in memory", () => {
  it.effect("copies to containers that appear with what is put into them, and back", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "s/a": "1", "s/b/c": "22" })
      const there = yield* run(dir, ["cp", "-r", "--json", "s", "mem://name/x"])
      assert.deepStrictEqual(there.json.map(({ to }) => to), ["mem://name/x/a", "mem://name/x/b/c", undefined])
      assert.deepStrictEqual(
        there.json.at(-1),
        {
          type: "summary",
          command: "cp",
          dryRun: false,
          succeeded: 2,
          failed: 0,
          skipped: 0,
          bytes: 3,
          verified: { crc32: 2 }
        }
      )
      const nothing = yield* run(dir, ["ls", "mem://name/x"])
      assert.match(nothing.stderr, /^objectstore: NotFound: /)
    }))
})
