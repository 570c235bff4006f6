import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as NodeCrypto from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as NodeZlib from "node:zlib"
import { run, temporary, tree, write } from "./CliTest.ts"

const at = (directory: string, path: string): string => `file://${directory}/${path}`

const files: Readonly<Record<string, string | Uint8Array>> = {
  "docs/a.md": "hello\n",
  "docs/empty": "",
  "docs/sub/deep/b.bin": NodeCrypto.randomBytes(3_000_001),
  "docs/sub/with space & ünï.txt": "x",
  "docs/%=/x": "a name that a store would escape"
}

describe("objectstore", () => {
  it.effect("cp -r copies a directory to a location and back, byte for byte, and says so", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, files)
      const there = yield* run(dir, ["cp", "-r", "./docs", at(dir, "x")])
      assert.deepStrictEqual([there.code, there.stderr], [0, ""])
      assert.strictEqual(there.stdout, "copied 5 objects, 3000040 bytes, verified by crc32\n")
      assert.deepStrictEqual(NodeFs.readdirSync(dir).sort(), ["docs", "x"])
      const back = yield* run(dir, ["cp", "-r", "--json", at(dir, "x"), "./back"])
      assert.strictEqual(back.code, 0)
      assert.deepStrictEqual(back.json.at(-1), {
        type: "summary",
        command: "cp",
        dryRun: false,
        succeeded: 5,
        failed: 0,
        skipped: 0,
        bytes: 3_000_040,
        verified: { crc32: 5 }
      })
      assert.lengthOf(back.json, 6)
      assert.deepStrictEqual(tree(`${dir}/back`), tree(`${dir}/docs`))
    }))

  it.effect("cp --verify size says that it compared sizes alone", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { a: "12345" })
      const ran = yield* run(dir, ["cp", "--verify", "size", "--part-size", "1KiB", "--concurrency", "1", "a", "b/c"])
      assert.strictEqual(ran.stdout, "copied 1 object, 5 bytes, verified by size\n")
      assert.deepStrictEqual(tree(dir), { a: "12345", "b/c": "12345" })
    }))

  it.effect("cp -n prints the plan and touches nothing", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "s/a": "1", "s/b/c": "22" })
      const before = tree(dir)
      const ran = yield* run(dir, ["cp", "-rn", "s", "t"])
      assert.strictEqual(ran.stdout, "s/a -> t/a (1 B)\ns/b/c -> t/b/c (2 B)\nwould copy 2 objects, 3 bytes\n")
      const json = yield* run(dir, ["cp", "-r", "--dry-run", "--json", "s", "t"])
      assert.deepStrictEqual(json.json[0], { type: "plan", from: "s/a", to: "t/a", size: 1 })
      assert.deepStrictEqual(tree(dir), before)
    }))

  it.effect("cp gives several sources their names below the target", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "s/a": "1", "t/a": "2", f: "3" })
      const wrong = yield* run(dir, ["cp", "-r", "s", "t", "f", "u"])
      assert.deepStrictEqual([wrong.code, wrong.stdout], [2, ""])
      const ran = yield* run(dir, ["cp", "-r", "s", "t", "f", "u/"])
      assert.strictEqual(ran.code, 0)
      assert.deepStrictEqual(tree(`${dir}/u`), { "s/a": "1", "t/a": "2", f: "3" })
    }))

  it.effect("cp refuses a target that is the source, in it, or no directory", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "s/a": "1", f: "2" })
      const before = tree(dir)
      const cases = [["s/a", "s/a"], ["f", "./"], ["-r", "s", "s"], ["-r", "s", "s/t"], ["-r", "s", "f"], ["s", "t"], [
        "f"
      ]]
      for (const args of cases) {
        const ran = yield* run(dir, ["cp", ...args])
        assert.deepStrictEqual([ran.code, ran.stdout], [2, ""], args.join(" "))
        assert.match(ran.stderr, /^objectstore: Usage: [^\n]+\n$/)
      }
      assert.deepStrictEqual(tree(dir), before)
    }), 120_000)

  it.effect("cp makes no local file of a key that is unsafe, and copies the others", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, {
        "s/ok": "1",
        "s/CON.txt": "2",
        "s/Readme": "3",
        "s/README": "4",
        "s/a:b": "5",
        "s/back\\slash": "6"
      })
      const ran = yield* run(dir, ["cp", "-r", "--json", at(dir, "s"), "t"])
      assert.strictEqual(ran.code, 3)
      assert.deepStrictEqual(tree(`${dir}/t`), { ok: "1", README: "4" })
      const failed = ran.json.filter(({ type }) => type === "failed")
      assert.lengthOf(failed, 4)
      assert.isTrue(failed.every(({ reason }) => reason === "InvalidKey"))
      assert.match(ran.stderr, /would be the same file as "README"/)
      assert.match(ran.stderr, /PartialFailure: cp: 4 of 6 failed\n$/)
      const native = yield* run(dir, ["cp", "-r", "--names", "native", at(dir, "s"), "u"])
      assert.strictEqual(native.code, 0)
      assert.deepStrictEqual(tree(`${dir}/u`), tree(`${dir}/s`))
    }))

  it.effect("cp never writes through a symbolic link inside the target", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "s/link/x": "new", "s/file": "new", "s/fine": "new", "outside/x": "old", precious: "old" })
      NodeFs.mkdirSync(`${dir}/t`)
      NodeFs.symlinkSync(`${dir}/outside`, `${dir}/t/link`)
      NodeFs.symlinkSync(`${dir}/precious`, `${dir}/t/file`)
      const ran = yield* run(dir, ["cp", "-r", "s", "t"])
      assert.strictEqual(ran.code, 3)
      assert.deepStrictEqual(tree(`${dir}/t`), { link: `-> ${dir}/outside`, file: `-> ${dir}/precious`, fine: "new" })
      assert.deepStrictEqual(tree(`${dir}/outside`), { x: "old" })
      assert.strictEqual(NodeFs.readFileSync(`${dir}/precious`, "utf8"), "old")
    }))

  it.effect("cp copies beside the source, and what a link leads to that is named itself", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { a: "1", "d/x": "2" })
      NodeFs.symlinkSync("a", `${dir}/link`)
      const beside = yield* run(dir, ["cp", "a", "b"])
      assert.strictEqual(beside.stdout, "copied 1 object, 1 byte, verified by crc32\n")
      assert.strictEqual((yield* run(dir, ["cp", "link", "d"])).code, 0)
      assert.deepStrictEqual(tree(dir), { a: "1", b: "1", link: "-> a", "d/x": "2", "d/link": "1" })
    }))

  it.effect("cp -r says what it left out of a tree", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "s/a": "1" })
      NodeFs.symlinkSync("a", `${dir}/s/link`)
      const ran = yield* run(dir, ["cp", "-r", "s", "t"])
      assert.deepStrictEqual([ran.code, ran.stdout], [0, "copied 1 object, 1 byte, verified by crc32, 1 skipped\n"])
      assert.strictEqual(ran.stderr, `objectstore: Skipped: ${dir}/s/link: a symbolic link\n`)
    }))

  it.effect("put and get carry standard input and output", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      const put = yield* run(dir, ["put", "--json", "-", at(dir, "a/b")], "from stdin")
      assert.deepStrictEqual(put.json.map(({ type }) => type), ["copied", "summary"])
      const out = yield* run(dir, ["get", at(dir, "a/b"), "-"])
      assert.deepStrictEqual([out.code, out.stdout], [0, "from stdin"])
      const file = yield* run(dir, ["get", at(dir, "a/b"), "copy"])
      assert.strictEqual(file.stdout, "copied 1 object, 10 bytes, verified by crc32\n")
      const again = yield* run(dir, ["put", "copy", at(dir, "c/")])
      assert.strictEqual(again.code, 0)
      assert.deepStrictEqual(tree(dir), { "a/b": "from stdin", copy: "from stdin", "c/copy": "from stdin" })
    }))

  it.effect("cat prints objects one after another, and ranges", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { a: "0123456789", b: "abc" })
      const ran = (...args: ReadonlyArray<string>) => Effect.map(run(dir, ["cat", ...args]), ({ stdout }) => stdout)
      assert.strictEqual(yield* ran(at(dir, "a"), "b"), "0123456789abc")
      assert.strictEqual(yield* ran("--range", "2-4", "a"), "234")
      assert.strictEqual(yield* ran("--range=-3", "a"), "789")
      assert.strictEqual(yield* ran("--range", "7-", "a"), "789")
      const past = yield* run(dir, ["cat", "--range", "10-", "a"])
      assert.strictEqual(past.code, 1)
      assert.match(past.stderr, /^objectstore: RangeNotSatisfiable: /)
    }))

  it.effect("ls lists one level or all, for people and for programs", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "s/a": "12345", "s/b/c": "1", "s/b/d/e": "1", "s/new\nline": "" })
      const one = yield* run(dir, ["ls", "--json", "s"])
      assert.deepStrictEqual(one.json.map(({ uri }) => uri), ["s/a", "s/b/", "s/new\nline", undefined])
      assert.deepStrictEqual(one.json.at(-1), { type: "summary", command: "ls", objects: 2, prefixes: 1, bytes: 5 })
      const all = yield* run(dir, ["ls", "-r", "--json", at(dir, "s/")])
      assert.deepStrictEqual(
        all.json.slice(0, -1).map(({ uri }) => uri),
        ["a", "b/c", "b/d/e", "new\nline"].map((name) => at(dir, `s/${name}`))
      )
      const people = yield* run(dir, ["ls", "s"])
      assert.match(people.stdout, /^ {6}5 B {2}\d{4}-\d\d-\d\d \d\d:\d\d {2}s\/a\n/)
      assert.include(people.stdout, "s/new\\u000aline\n")
      const object = yield* run(dir, ["ls", "--exact", "s/a"])
      assert.match(object.stdout, /^ {13}5 {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}s\/a\n/)
      const missing = yield* run(dir, ["ls", "nothing"])
      assert.deepStrictEqual([missing.code, missing.stdout], [1, ""])
    }))

  it.effect(
    "cp and put compress, and cp, get and cat decompress, verified, with the ratio",
    () =>
      Effect.gen(function*() {
        const dir = yield* temporary
        const text = "the same line again and again\n".repeat(20_000)
        write(dir, {
          "src/log.txt": text,
          "src/sub/b": "b",
          "src/already.zst": NodeZlib.zstdCompressSync(Buffer.from("packed"))
        })
        const up = yield* run(dir, ["cp", "-r", "--compress", "9", "--json", "src", at(dir, "store")])
        assert.deepStrictEqual([up.code, up.stderr], [0, ""])
        const summary = up.json.at(-1)!
        assert.deepInclude(summary, { succeeded: 3, original: 600_001, verified: { crc32: 1, crc32c: 2 } })
        assert.isBelow(summary["ratio"] as number, 0.01)
        const names = Object.keys(tree(`${dir}/store`)).filter((name) => !name.includes(".objectstore~"))
        assert.deepStrictEqual(names.sort(), ["already.zst", "log.txt.zst", "sub/b.zst"])
        const people = yield* run(dir, ["put", "--compress", "3", "src/log.txt", at(dir, "store/one.txt")])
        assert.match(
          people.stdout,
          /^copied 1 object, 600000 bytes, \S+ [KMi]*B compressed, ratio 0\.000\d+, verified by crc32c\n$/
        )
        const ranged = yield* run(dir, ["cat", "--decompress", "--range", "30-58", at(dir, "store/one.txt.zst")])
        assert.strictEqual(ranged.stdout, "the same line again and again")
        const whole = yield* run(dir, ["get", "--decompress", at(dir, "store/one.txt.zst"), "-"])
        assert.strictEqual(whole.stdout, text)
        assert.strictEqual((yield* run(dir, ["get", "--decompress", at(dir, "store/log.txt.zst"), "./"])).code, 0)
        const back = yield* run(dir, ["cp", "-r", "--decompress", at(dir, "store"), "back"])
        assert.deepStrictEqual([back.code, back.stderr], [0, ""])
        assert.match(back.stdout, /compressed, ratio 0\.00\d+, verified by crc32\n$/)
        const local = tree(dir)
        assert.strictEqual(local["log.txt"], text)
        assert.strictEqual(local["back/log.txt"], text)
        assert.strictEqual(local["back/one.txt"], text)
        assert.strictEqual(local["back/sub/b"], "b")
        assert.strictEqual(local["back/already"], "packed")
        // Local files take bytes alone.
        yield* run(dir, ["cp", "--compress", "1", "src/log.txt", "alone/"])
        assert.deepStrictEqual(Object.keys(tree(`${dir}/alone`)), ["log.txt.zst"])
        write(dir, { "bad.zst": "not zstd" })
        const bad = yield* run(dir, ["cp", "--decompress", "bad.zst", "bad"])
        assert.deepStrictEqual([bad.code, bad.stdout], [1, "copied 0 objects, 0 bytes, nothing to verify, 1 failed\n"])
        assert.match(bad.stderr, /^objectstore: IntegrityFailed: /)
        assert.notProperty(tree(dir), "bad")
        const piped = yield* run(dir, ["put", "--compress", "22", "-", "piped"], text)
        assert.strictEqual(piped.code, 0)
        assert.strictEqual((yield* run(dir, ["cat", "--decompress", "piped.zst"])).stdout, text)
        for (const level of ["0", "23", "x"]) {
          assert.strictEqual((yield* run(dir, ["put", "--compress", level, "bad.zst", "y"])).code, 2)
        }
      }),
    180_000
  )

  it.effect("checksum sums objects and local files, by every algorithm", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "check.txt": "123456789", empty: "" })
      const places = ["check.txt", at(dir, "check.txt"), "empty"]
      // The check values of the catalogue of CRCs (reveng.sourceforge.io/crc-catalogue), and of FIPS 180-4 as sha256sum has them.
      const hex = {
        crc32c: ["e3069283", "00000000"],
        crc32: ["cbf43926", "00000000"],
        crc64nvme: ["ae8b14860a799888", "0000000000000000"],
        sha256: [
          "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        ]
      }
      for (const [algorithm, [nine, none]] of Object.entries(hex)) {
        const ran = yield* run(dir, ["checksum", "--json", "--part-size", "4", "--algorithm", algorithm, ...places])
        assert.deepStrictEqual([ran.code, ran.stderr], [0, ""])
        assert.deepStrictEqual(ran.json.slice(0, 3).map((line) => line["hex"]), [nine, nine, none])
        assert.deepStrictEqual(ran.json.at(-1), { type: "summary", command: "checksum", objects: 3, bytes: 18 })
      }
      const text = yield* run(dir, ["checksum", "check.txt"])
      assert.strictEqual(text.stdout, "4waSgw==  check.txt\n")
      const missing = yield* run(dir, ["checksum", "nothing"])
      assert.deepStrictEqual([missing.code, missing.stdout], [1, ""])
      assert.strictEqual((yield* run(dir, ["checksum", "--algorithm", "md6", "check.txt"])).code, 2)
    }))

  it.effect("stat tells what is known of an object", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { a: "12345" })
      const ran = yield* run(dir, ["stat", "--json", at(dir, "a")])
      const [info, summary] = ran.json
      assert.deepInclude(info, { type: "object", uri: at(dir, "a"), size: 5, attributes: {}, metadata: {} })
      assert.isString(info?.["etag"])
      assert.deepStrictEqual(summary, { type: "summary", command: "stat", objects: 1, bytes: 5 })
      const people = yield* run(dir, ["stat", "a"])
      assert.match(people.stdout, /^a\n {2}size {14}5 B\n {2}modified/)
      assert.strictEqual((yield* run(dir, ["cp", "--compress", "1", "a", at(dir, "b")])).code, 0)
      const marked = yield* run(dir, ["stat", "b.zst"])
      assert.match(marked.stdout, /^ {2}metadata objectstorecompression {2}zstd;/m)
    }))

  it.effect("rm removes one object, and more of them only with --yes", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "s/a": "1", "s/b/c": "1", "s/b/d": "1", "s/x/y": "1", keep: "1" })
      const many = yield* run(dir, ["rm", "-r", "s"])
      assert.deepStrictEqual([many.code, many.stdout], [2, ""])
      assert.strictEqual(many.stderr, "objectstore: Usage: it would remove 4 objects (4 B); --yes lets it\n")
      const directory = yield* run(dir, ["rm", "s/b"])
      assert.strictEqual(directory.code, 2)
      const plan = yield* run(dir, ["rm", "-r", "--dry-run", "s/b"])
      assert.strictEqual(plan.stdout, "s/b/c (1 B)\ns/b/d (1 B)\nwould remove 2 objects (2 B)\n")
      assert.lengthOf(Object.keys(tree(`${dir}/s`)), 4)
      const one = yield* run(dir, ["rm", at(dir, "s/x/y")])
      assert.deepStrictEqual([one.code, one.stdout], [0, "removed 1 object (1 B)\n"])
      assert.isTrue(NodeFs.existsSync(`${dir}/s/x`), "the directory that the location's object was in stays")
      const rest = yield* run(dir, ["rm", "-r", "--yes", "--json", "s", "s/b"])
      assert.strictEqual(rest.code, 0)
      assert.deepInclude(rest.json.at(-1), { type: "summary", command: "rm", succeeded: 3, failed: 0, bytes: 3 })
      assert.deepStrictEqual(tree(dir), { keep: "1", "s/x/": "" })
      const gone = yield* run(dir, ["rm", "s/a"])
      assert.strictEqual(gone.code, 1)
      assert.match(gone.stderr, /^objectstore: NotFound: [^\n]+\n$/)
      const everything = yield* run(dir, ["rm", "-r", "--dry-run", "file:///"])
      assert.strictEqual(everything.code, 2)
    }), 120_000)

  it.effect("rm removes nothing through a symbolic link that is named", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      write(dir, { "d/a": "1", "d/b": "1", file: "1" })
      NodeFs.symlinkSync("d", `${dir}/toDirectory`)
      NodeFs.symlinkSync("file", `${dir}/toFile`)
      const before = tree(dir)
      for (const place of ["toFile", "toDirectory", "toDirectory/", at(dir, "toDirectory"), at(dir, "toFile")]) {
        const ran = yield* run(dir, ["rm", "-r", "--yes", place])
        assert.strictEqual(ran.code, 2, place)
        assert.match(ran.stderr, /^objectstore: Usage: [^\n]+ is a symbolic link[^\n]+\n$/)
      }
      assert.deepStrictEqual(tree(dir), before)
      assert.strictEqual((yield* run(dir, ["rm", "toDirectory/a"])).code, 0)
    }), 120_000)

  it.effect(
    "tells wrong usage in one line, with exit code 2, before anything is touched",
    () =>
      Effect.gen(function*() {
        const dir = yield* temporary
        write(dir, { a: "1" })
        const cases: ReadonlyArray<ReadonlyArray<string>> = [
          ["nope"],
          ["ls"],
          ["ls", "--nope", "."],
          ["ls", "gopher://x"],
          ["ls", "file://host/x"],
          ["cat", "--range", "5-1", "a"],
          ["cp", "--part-size", "0", "a", "b"],
          ["cp", "--concurrency", "0", "a", "b"],
          ["cp", "--names", "odd", "a", "b"],
          ["get", "--json", "a", "-"],
          ["put", "-", "./"],
          ["cat", `file://${dir}/../a`],
          ["cat", ""],
          ["cat", "."],
          ["cat", `${dir}/.objectstore~tmp~0`],
          ["ls", "s3://Bad_Bucket/x"],
          ["ls", "--endpoint", "http://127.0.0.1:1", "."],
          ["cat", "--region", "x", "a"],
          ["cp", "--endpoint", "http://127.0.0.1:1", "gs://bucket/a", "az://account/container/b"],
          ["ls", "--endpoint", "nowhere", "gs://bucket"],
          ["ls", "-r", "gs://"],
          ["stat", "gs://"],
          ["uploads"],
          ["uploads", "nope"],
          ["get", "a", "b", "c"]
        ]
        for (const args of cases) {
          const ran = yield* run(dir, args)
          assert.deepStrictEqual([ran.code, ran.stdout], [2, ""], `${args.join(" ")}: ${ran.stderr}`)
          assert.match(ran.stderr, /^objectstore: [A-Z][A-Za-z]+: [^\n ][^\n]+\n$/, args.join(" "))
        }
        assert.deepStrictEqual(tree(dir), { a: "1" })
      }),
    180_000
  )

  it.effect("answers help and version", () =>
    Effect.gen(function*() {
      const dir = yield* temporary
      const { version }: { version: string } = JSON.parse(
        NodeFs.readFileSync(NodePath.join(import.meta.dirname, "../../package.json"), "utf8")
      )
      assert.strictEqual((yield* run(dir, ["--version"])).stdout, `${version}\n`)
      assert.include((yield* run(dir, ["--help"])).stdout, "Usage: objectstore COMMAND")
      const nothing = yield* run(dir, [])
      assert.deepStrictEqual([nothing.code, nothing.stdout], [2, ""])
    }))
})
