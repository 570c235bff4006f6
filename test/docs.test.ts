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
const programs = blocks.filter((block) => block.info === "ts" && !isTest(block))
const tests = blocks.filter((block) => block.info === "ts" && isTest(block))
const scripts = blocks.filter((block) => block.info === "sh run")

const nameOf = (block: CodeBlock): string => `${block.file}:${block.line}`
const fileOf = (block: CodeBlock): string =>
  NodePath.join(directory, `${nameOf(block).replaceAll(/[^A-Za-z0-9]+/g, "_")}${isTest(block) ? ".test" : ""}.ts`)

// Resolves the package's own name to its sources.
const preload = `
import { registerHooks } from "node:module"
const source = (path) => new URL(path, ${JSON.stringify(pathToFileURL(root).href)}).href
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "effect-objectstore") return { url: source("src/index.ts"), shortCircuit: true }
    if (specifier === "effect-objectstore/testing") return { url: source("src/testing/index.ts"), shortCircuit: true }
    const layer = /^effect-objectstore\\/layers\\/(\\w+)$/.exec(specifier)
    return layer === null ? next(specifier, context) : { url: source(\`layers/\${layer[1]}.ts\`), shortCircuit: true }
  }
})
`

const vitestConfig = `
import base from "../../vitest.config.ts"
export default {
  ...base,
  root: ${JSON.stringify(root)},
  test: { ...base.test, include: ["${NodePath.relative(root, directory)}/*.test.ts"], exclude: [] }
}
`

interface Outcome {
  readonly status: number
  readonly output: string
}

const execFile = NodeUtil.promisify(NodeChildProcess.execFile)

const run = async (command: string, args: ReadonlyArray<string>, cwd: string): Promise<Outcome> => {
  const child = execFile(command, args, {
    cwd,
    maxBuffer: 2 ** 26,
    env: {
      ...env,
      NODE_OPTIONS: "",
      NO_COLOR: "1",
      PATH: [bin, NodePath.dirname(process.execPath), env["PATH"]].join(NodePath.delimiter),
      OBJECTSTORE_FILE_ROOT: data,
      OBJECTSTORE_DIRECT_ROOT: data
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
  for (const block of [...programs, ...tests]) NodeFs.writeFileSync(fileOf(block), block.code)
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
    { concurrent: true },
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
    (_, block) => succeeds(run("/bin/sh", ["-eu", "-c", block.code], data))
  )

  it("are of a kind that is checked", () => {
    const kinds = new Set(["ts", "sh", "sh run", "text", "json", "jsonc"])
    assert.deepStrictEqual(
      blocks.filter(({ info }) => !kinds.has(info)).map((block) => [nameOf(block), block.info]),
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

describe("README.md", () => {
  it.effect("shows the capabilities that the layers have", () =>
    Effect.gen(function*() {
      const text = NodeFs.readFileSync(NodePath.join(root, "README.md"), "utf8")
      const [start, end] = tableMarkers
      const shown = text.slice(text.indexOf(start) + start.length, text.indexOf(end)).trim()
      assert.strictEqual(shown, yield* renderCapabilities(data), "run `npm run capabilities`")
    }))
})
