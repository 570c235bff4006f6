import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { env } from "node:process"
import { pathToFileURL } from "node:url"
import * as NodeUtil from "node:util"
import { renderCapabilities, tableMarkers } from "../scripts/capabilities.ts"
import { type CodeBlock, codeBlocks, root } from "./CodeBlocks.ts"

// Inside the repository, so that packages resolve; ignored by git and by the formatter.
const directory = NodePath.join(root, ".cache", `docs-${process.pid}`)
const data = NodePath.join(directory, "data")
const bin = NodePath.join(directory, "bin")

const blocks = codeBlocks()
const isTest = (block: CodeBlock): boolean =>
  /from "@effect\/vitest"|\bdescribe(ObjectStore|Property)\(/.test(block.code)
const sources = blocks.filter((block) => block.language === "ts")
const programs = sources.filter((block) => !isTest(block) && block.notRun === undefined)
const tests = sources.filter((block) => isTest(block) && block.notRun === undefined)
const scripts = blocks.filter((block) => block.language === "sh" && block.notRun === undefined)
const documents = blocks.filter((block) => block.language === "json")

/** Blocks that no test runs, as their fences say: all of them, so that none is passed over unseen. Types are checked anyway. */
const notRun: ReadonlyArray<readonly [file: string, reason: string]> = [
  ["README.md", "installs from the registry; CI does both from a fresh clone"],
  ["README.md", "builds for minutes, and waits for Ctrl-C"],
  ["docs/backends/azure.md", "starts a server that stays"],
  ["docs/backends/gcs.md", "asks Google"],
  ["docs/backends/gcs.md", "builds for minutes, and waits for Ctrl-C"],
  ["docs/benchmarks.md", "takes minutes"],
  ["docs/cli.md", "needs an emulator; test/cli/clouds.test.ts does the same"],
  ["docs/cli.md", "needs three clouds; test/cli/clouds.test.ts does the same"],
  ["docs/security.md", "needs a program of yours"],
  ["docs/servers-for-tests.md", "builds for minutes, and waits for Ctrl-C"],
  ["docs/soak.md", "takes minutes"],
  ["layers/Gcs.ts", "asks Google"]
]

const nameOf = (block: CodeBlock): string => `${block.file}:${block.line}`
const extensionOf = (block: CodeBlock): string =>
  block.language !== "ts" ? "" : isTest(block) && block.notRun === undefined ? ".test.ts" : ".ts"
const fileOf = (block: CodeBlock): string =>
  NodePath.join(directory, `${nameOf(block).replaceAll(/[^A-Za-z0-9]+/g, "_")}${extensionOf(block)}`)

// Resolves the package's own name to its sources.
const preload = `
import { registerHooks } from "node:module"
const source = (path) => new URL(path, ${JSON.stringify(pathToFileURL(root).href)}).href
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "effect-objectstore") return { url: source("src/index.ts"), shortCircuit: true }
    if (specifier === "effect-objectstore/testing/doubles") {
      return { url: source("src/testing/doubles.ts"), shortCircuit: true }
    }
    if (specifier === "effect-objectstore/testing") return { url: source("src/testing/index.ts"), shortCircuit: true }
    const layer = /^effect-objectstore\\/layers\\/(\\w+)$/.exec(specifier)
    return layer === null ? next(specifier, context) : { url: source(\`layers/\${layer[1]}.ts\`), shortCircuit: true }
  }
})
`

const vitestConfig = `
import configure from "../../vitest.config.ts"
const base = configure({ mode: "test", command: "serve" })
export default {
  ...base,
  root: ${JSON.stringify(root)},
  test: { ...base.test, reporters: ["default"], include: ["${
  NodePath.relative(root, directory)
}/*.test.ts"], exclude: [] }
}
`

interface Outcome {
  readonly status: number
  readonly output: string
}

const execFile = NodeUtil.promisify(NodeChildProcess.execFile)

/**
 * Where a shell block runs: a directory with what a checkout has, of its own, so that blocks can run side by side and leave
 * nothing. `/tmp` is a directory of its own as well.
 */
const checkout = (block: CodeBlock): { readonly home: string; readonly script: string; readonly temporary: string } => {
  const home = fileOf(block)
  const temporary = NodePath.join(home, "tmp")
  NodeFs.mkdirSync(temporary, { recursive: true })
  for (const name of ["docs", "package.json"]) {
    NodeFs.cpSync(NodePath.join(root, name), NodePath.join(home, name), { recursive: true })
  }
  for (const name of ["bench", "layers", "node_modules", "scripts", "src"]) {
    NodeFs.symlinkSync(NodePath.join(root, name), NodePath.join(home, name))
  }
  return { home, temporary, script: block.code.replaceAll(/(?<![\w.])\/tmp\b/g, temporary) }
}

const run = async (
  command: string,
  args: ReadonlyArray<string>,
  cwd: string,
  variables: Record<string, string> = {}
): Promise<Outcome> => {
  const child = execFile(command, args, {
    cwd,
    maxBuffer: 2 ** 26,
    env: {
      ...env,
      NODE_OPTIONS: "",
      NO_COLOR: "1",
      PATH: [bin, NodePath.dirname(process.execPath), env["PATH"]].join(NodePath.delimiter),
      OBJECTSTORE_FILE_ROOT: data,
      OBJECTSTORE_DIRECT_ROOT: data,
      ...variables
    }
  })
  child.child.stdin?.end()
  const [result] = await Promise.allSettled([child])
  if (result.status === "fulfilled") return { status: 0, output: result.value.stdout + result.value.stderr }
  const { code, stderr, stdout } = result.reason as { code: unknown; stderr: string; stdout: string }
  return { status: typeof code === "number" ? code : 1, output: `${stdout}${stderr}${String(result.reason)}` }
}

/** What a block says that it prints: the comment behind `console.log`, or on the line after it. */
const printed = (block: CodeBlock): Array<string> =>
  Array.from(block.code.matchAll(/console\.log\(.*\)+\s*\/\/ (.*)$/gm), (match) => match[1]!)
    .filter((line) => !line.includes("…"))

const succeeds = async (outcome: Promise<Outcome>): Promise<void> => {
  const { output, status } = await outcome
  assert.strictEqual(status, 0, output)
}

beforeAll(() => {
  NodeFs.mkdirSync(data, { recursive: true })
  NodeFs.mkdirSync(bin)
  NodeFs.writeFileSync(NodePath.join(directory, "preload.mjs"), preload)
  const command = NodePath.join(bin, "objectstore")
  NodeFs.writeFileSync(command, `#!/bin/sh\nexec node "${NodePath.join(root, "src/cli/main.ts")}" "$@"\n`)
  NodeFs.chmodSync(command, 0o755)
  NodeFs.writeFileSync(
    NodePath.join(directory, "tsconfig.json"),
    JSON.stringify({
      extends: NodePath.join(root, "tsconfig.json"),
      include: ["*.ts"],
      exclude: ["vitest.config.ts"]
    })
  )
  NodeFs.writeFileSync(NodePath.join(directory, "vitest.config.ts"), vitestConfig)
  for (const block of sources) NodeFs.writeFileSync(fileOf(block), block.code)
})

afterAll(() => NodeFs.rmSync(directory, { recursive: true, force: true }))

describe("code blocks of the documentation", () => {
  it(
    "type-check",
    { timeout: 120_000 },
    () =>
      succeeds(run(process.execPath, [NodePath.join(root, "node_modules/typescript/bin/tsc"), "-p", directory], root))
  )

  it.each(programs.map((block) => [nameOf(block), block] as const))(
    "%s runs, and prints what it says",
    { concurrent: true, timeout: 180_000 },
    async (_, block) => {
      const { output, status } = await run(
        process.execPath,
        [
          "--disable-warning=ExperimentalWarning",
          "--import",
          pathToFileURL(`${directory}/preload.mjs`).href,
          fileOf(block)
        ],
        data
      )
      assert.strictEqual(status, 0, output)
      let from = 0
      for (const line of printed(block)) {
        const at = output.indexOf(line, from)
        assert.isAtLeast(at, 0, `"${line}" is not in\n${output}`)
        from = at + line.length
      }
    }
  )

  it.skipIf(tests.length === 0)("that are tests pass", { timeout: 300_000 }, () =>
    succeeds(run(
      process.execPath,
      [
        NodePath.join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        "--config",
        NodePath.join(directory, "vitest.config.ts")
      ],
      root
    )))

  it.each(scripts.map((block) => [nameOf(block), block] as const))(
    "%s runs in a shell",
    { concurrent: true, timeout: 180_000 },
    async (_, block) => {
      const { home, script, temporary } = checkout(block)
      await succeeds(run("/bin/sh", ["-eu", "-c", script], home, { HOME: home, TMPDIR: temporary }))
    }
  )

  it("are there, and each is run or says why not", () => {
    for (const kind of [programs, tests, scripts]) assert.isAbove(kind.length, 0)
    assert.deepStrictEqual(
      blocks.flatMap((block) => block.notRun === undefined ? [] : [[block.file, block.notRun]]),
      notRun.map((pair) => [...pair])
    )
  })

  it("that are documents can be parsed", () => {
    for (const block of documents) assert.doesNotThrow(() => void JSON.parse(block.code), undefined, nameOf(block))
  })

  it("are of a kind that is checked", () => {
    const kinds = new Set(["ts", "sh", "json"])
    assert.deepStrictEqual(
      blocks.filter(({ language }) => !kinds.has(language)).map((block) => [nameOf(block), block.language]),
      []
    )
  })
})

describe("links of the documentation", () => {
  const pages = [
    "README.md",
    ...NodeFs.readdirSync(NodePath.join(root, "docs"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => NodePath.join("docs", name))
  ]

  it.each(pages)("%s leads to files that exist", (page) => {
    const text = NodeFs.readFileSync(NodePath.join(root, page), "utf8")
    const dead = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map((match) => match[1]!)
      .filter((target) => !NodeFs.existsSync(NodePath.resolve(root, NodePath.dirname(page), target)))
    assert.deepStrictEqual(dead, [])
  })
})

describe("tables of capabilities", () => {
  it.effect("show what the layers say of themselves", () =>
    Effect.gen(function*() {
      const [start, end] = tableMarkers
      for (const [file, table] of Object.entries(yield* renderCapabilities(data))) {
        const text = NodeFs.readFileSync(NodePath.join(root, file), "utf8")
        const shown = text.slice(text.indexOf(start) + start.length, text.indexOf(end)).trim()
        assert.strictEqual(shown, table, `${file}: run \`npm run capabilities\``)
      }
    }))
})
