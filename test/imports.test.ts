import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { env } from "node:process"
import { fileURLToPath } from "node:url"
import { buildPackage } from "./support/builtPackage.ts"

const root = fileURLToPath(new URL("..", import.meta.url))
const directory = NodePath.join(root, ".cache", `imports-${process.pid}`)

const node = (args: ReadonlyArray<string>): string =>
  NodeChildProcess.execFileSync(process.execPath, args, {
    cwd: directory,
    encoding: "utf8",
    env: { PATH: env["PATH"] },
    stdio: ["ignore", "pipe", "pipe"]
  })

const withoutRunner = ["effect-objectstore", "effect-objectstore/testing/doubles"]
const layers = NodeFs.readdirSync(NodePath.join(root, "layers"))
  .filter((name) => name.endsWith(".ts"))
  .map((name) => name.slice(0, -".ts".length))

beforeAll(() => buildPackage(directory), 120_000)

afterAll(() => NodeFs.rmSync(directory, { recursive: true, force: true }))

const probe = (name: string): string => `
  import * as NodeFs from "node:fs"
  import { registerHooks } from "node:module"
  const modules = []
  registerHooks({ load(url, context, next) { modules.push(url); return next(url, context) } })
  const environment = []
  const real = process.env
  const note = (key) => {
    // Where the read comes from: Node's own loader may read what it likes.
    const from = new Error().stack.split("\\n").slice(3).find((line) => /file:|node_modules/.test(line))
    if (from !== undefined) environment.push(String(key) + from)
  }
  process.env = new Proxy(real, {
    get: (target, key) => (note(key), target[key]),
    has: (target, key) => (note(key), key in target),
    ownKeys: (target) => (note("*"), Reflect.ownKeys(target))
  })
  const descriptors = () => NodeFs.existsSync("/proc/self/fd")
    ? NodeFs.readdirSync("/proc/self/fd").map((fd) => {
      try { return NodeFs.readlinkSync("/proc/self/fd/" + fd) } catch { return undefined }
    }).filter((path) => path !== undefined).sort()
    : []
  const before = { open: descriptors(), active: process.getActiveResourcesInfo().sort() }
  await import(${JSON.stringify(name)})
  const after = { open: descriptors(), active: process.getActiveResourcesInfo().sort() }
  process.env = real
  console.log(JSON.stringify({ before, after, environment, modules }))
`

interface Seen {
  readonly before: unknown
  readonly after: unknown
  readonly environment: ReadonlyArray<string>
  readonly modules: ReadonlyArray<string>
}

const seen = (name: string): Seen => JSON.parse(node(["--input-type=module", "-e", probe(name)])) as Seen

describe("importing", () => {
  it("is watched: a module that reads the environment and opens a file is found out", () => {
    NodeFs.writeFileSync(
      NodePath.join(directory, "guilty.js"),
      "import * as NodeFs from \"node:fs\"\nexport const home = process.env.HOME, fd = NodeFs.openSync(\"package.json\")\n"
    )
    const { after, before, environment } = seen(NodePath.join(directory, "guilty.js"))
    assert.lengthOf(environment, 1)
    assert.notDeepEqual(after, before)
  })

  it.each([...withoutRunner, ...layers.map((layer) => `effect-objectstore/layers/${layer}`)])(
    "%s reads no environment and opens nothing",
    (name) => {
      const { after, before, environment } = seen(name)
      assert.deepStrictEqual(environment, [])
      assert.deepStrictEqual(after, before)
    }
  )

  it("effect-objectstore needs no permission but to read its files", () => {
    node(["--permission", `--allow-fs-read=${root}*`, "--input-type=module", "-e", "import \"effect-objectstore\""])
  })

  it.each(withoutRunner)("%s loads no layer, no SDK, no test runner and nothing of a platform", (name) => {
    const foreign = seen(name).modules.filter((url) =>
      url.includes("/dist/layers/") || (url.includes("/node_modules/") && !url.includes("/node_modules/effect/"))
    )
    assert.deepStrictEqual(foreign, [])
  })

  it.each(layers)("the layer %s loads no other layer and no SDK of one", (layer) => {
    const own = new RegExp(`/dist/layers/(${layer}\\.js|${layer.toLowerCase()}/)`)
    const foreign = seen(`effect-objectstore/layers/${layer}`).modules.filter((url) =>
      (url.includes("/dist/layers/") && !own.test(url)) ||
      /node_modules\/(@aws-sdk|@azure|@google-cloud|@smithy|undici)\//.test(url)
    )
    assert.deepStrictEqual(foreign, [])
  })
})

describe("what was built", () => {
  it("compresses in threads, and the process ends", () => {
    const program = `
      import * as Effect from "effect/Effect"
      import { Zstd } from "effect-objectstore"
      const original = new Uint8Array(100_000).fill(7)
      const there = await Effect.runPromise(Zstd.compress(original, { frameSize: 10_000 }))
      const back = await Effect.runPromise(Zstd.decompress(there))
      console.log(there.length < 1000, Buffer.compare(back, original))
    `
    assert.strictEqual(node(["--input-type=module", "-e", program]), "true 0\n")
  })
})

describe("the command", () => {
  it("prints its help in less than five times what an empty process takes", { timeout: 120_000 }, () => {
    const time = (args: ReadonlyArray<string>): number => {
      const start = process.hrtime.bigint()
      node(args)
      return Number(process.hrtime.bigint() - start) / 1e6
    }
    const median = (times: ReadonlyArray<number>): number => times.toSorted((a, b) => a - b)[times.length >> 1]!
    const empty: Array<number> = []
    const help: Array<number> = []
    for (let round = 0; round < 9; round++) {
      empty.push(time(["-e", ""]))
      help.push(time(["dist/src/cli/main.js", "--help"]))
    }
    assert.isBelow(median(help) / median(empty), 5)
  })
})
