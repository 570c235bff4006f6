import { assert, describe, it } from "@effect/vitest"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (name: string): string => NodeFs.readFileSync(NodePath.join(root, name), "utf8")
const exists = (name: string): boolean => NodeFs.existsSync(NodePath.join(root, name))

interface Manifest {
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
  readonly exports: Readonly<Record<string, string | null>>
  readonly files: ReadonlyArray<string>
  readonly license: string
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
  readonly sideEffects: boolean
  readonly type: string
}

const manifest = JSON.parse(read("package.json")) as Manifest

/** The source that the build makes a file of `dist` from. */
const sourceOf = (built: string): string => built.replace("./dist/", "").replace(/\.js$/, ".ts")

describe("package.json", () => {
  it("is an ES module without side effects, for the Node releases that Effect runs on", () => {
    assert.strictEqual(manifest.type, "module")
    assert.strictEqual(manifest.sideEffects, false)
    assert.strictEqual(manifest.engines.node, ">=22.19.0")
    assert.strictEqual(manifest.license, "Apache-2.0")
    assert.isTrue(exists("LICENSE"))
  })

  it("exports and runs only what is built from a source", () => {
    const targets = [...Object.values(manifest.exports), ...Object.values(manifest.bin)]
      .filter((target) => target !== null && target.startsWith("./dist/") && !target.includes("*"))
      .map(String)
    assert.deepStrictEqual(targets.filter((target) => !exists(sourceOf(target))), [])
  })

  it("hides the inside of every layer", () => {
    const inside = NodeFs.readdirSync(NodePath.join(root, "layers"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => `./layers/${name}/*`)
    assert.isAbove(inside.length, 0)
    assert.deepStrictEqual(inside.filter((path) => manifest.exports[path] !== null), [])
  })

  it("has a shebang in what it runs", () => {
    for (const target of Object.values(manifest.bin)) assert.match(read(sourceOf(target)), /^#!\/usr\/bin\/env node\n/)
  })

  it("checks the types of every layer that it exports", () => {
    const layers = NodeFs.readdirSync(NodePath.join(root, "layers"))
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `layers/${name.slice(0, -".ts".length)}`)
    assert.deepStrictEqual(layers.filter((layer) => !manifest.scripts["package"]!.split(" ").includes(layer)), [])
  })

  it("runs nothing when it is installed", () => {
    const hooks = ["preinstall", "install", "postinstall", "prepare"]
    assert.deepStrictEqual(hooks.filter((name) => name in manifest.scripts), [])
  })

  it("leaves effect to the program, and does not name @effect/schema", () => {
    assert.property(manifest.peerDependencies, "effect")
    assert.notProperty(manifest.dependencies, "effect")
    const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies }
    assert.notProperty(all, "@effect/schema")
  })
})

describe("package-lock.json", () => {
  it("holds no addresses of downloads", () => {
    assert.notInclude(read("package-lock.json"), "\"resolved\"")
  })
})

describe(".ci/run", () => {
  it("can be executed", () => {
    assert.strictEqual(NodeFs.statSync(NodePath.join(root, ".ci/run")).mode & 0o111, 0o111)
  })

  it("runs every check that package.json has", () => {
    const run = read(".ci/run")
    const checks = ["build", "check", "consumers", "diagnostics", "lint", "package", "quickstart", "unused"]
    assert.deepStrictEqual(checks.filter((name) => !run.includes(`npm run -s ${name}`)), [])
    assert.include(run, "npm ci")
    assert.include(run, "npm run -s test:canary")
    assert.include(read("scripts/canary.ts"), "spawn(\"npm\", [\"test\", \"--\", ")
  })
})
