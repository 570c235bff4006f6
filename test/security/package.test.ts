/** What the package brings, does and needs. The ids are those of docs/security.md. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { profiles } from "effect-objectstore/layers/S3"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { env } from "node:process"
import { fileURLToPath } from "node:url"
import { buildPackage } from "../support/builtPackage.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))
const read = (name: string): string => NodeFs.readFileSync(NodePath.join(root, name), "utf8")

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly optionalDependencies: Readonly<Record<string, string>>
}

interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      {
        readonly dev?: boolean
        readonly devOptional?: boolean
        readonly optional?: boolean
        readonly peer?: boolean
        readonly hasInstallScript?: boolean
      }
    >
  >
}

const manifest = JSON.parse(read("package.json")) as Manifest

const sources = (...directories: ReadonlyArray<string>): ReadonlyArray<string> =>
  directories.flatMap((directory) =>
    NodeFs.readdirSync(NodePath.join(root, directory), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => NodePath.join(directory, name))
  )

describe("S29, S30: numbers and sums that count", () => {
  it("ids and names of files are of node:crypto, and nothing is of Math.random", () => {
    for (const name of sources("src", "layers")) {
      const code = read(name).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "")
      assert.notInclude(code, "Math.random", name)
    }
    for (const name of ["src/engine/identity.ts", "src/filesystem/names.ts"]) assert.match(read(name), /node:crypto/)
  })

  it("MD5 is the checksum of a write only where the program asks for it", () => {
    // The first one of a vendor is taken unless another is asked for; of these, only MD5 is known to work everywhere.
    const first = Object.values(profiles).filter(({ checksums }) => checksums[0] === "md5").map(({ name }) => name)
      .sort()
    assert.deepStrictEqual(first, ["ceph", "gcs-xml", "generic", "r2"])
    assert.match(read("layers/azure/config.ts"), /checksum = "crc64"/)
  })
})

describe("S31: what is depended on", () => {
  it("is listed and justified in docs/security.md, and is no more than 15", () => {
    const page = read("docs/security.md")
    const direct = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.optionalDependencies)]
    assert.isAtMost(direct.length, 15)
    for (const name of direct) assert.include(page, `| \`${name}\``, name)
  })

  it("is no more than 60 packages in all, and none that has to be there runs anything when it is installed", () => {
    const { packages } = JSON.parse(read("package-lock.json")) as Lock
    const installed = Object.entries(packages)
      .filter(([path, { dev, devOptional, peer }]) =>
        path !== "" && dev !== true && devOptional !== true && peer !== true
      )
    console.log(`${installed.length} packages are installed with this one`)
    assert.isAtMost(installed.length, 60)
    assert.deepStrictEqual(
      installed.filter(([, { hasInstallScript, optional }]) => hasInstallScript === true && optional !== true).map((
        [path]
      ) => path),
      []
    )
  })

  it("is published with nothing but what was built, its sources and its pages", () => {
    const [packed] = JSON.parse(
      NodeChildProcess.execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
        cwd: root,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"]
      })
    ) as [{ readonly files: ReadonlyArray<{ readonly path: string; readonly mode: number }> }]
    const paths = packed.files.map(({ path }) => path)
    const kinds = new Set(
      paths.map((path) => path.includes("/") ? `${path.slice(0, path.indexOf("/"))}/*${NodePath.extname(path)}` : path)
    )
    const expected = ["LICENSE", "README.md", "docs/*.md", "layers/*.ts", "package.json", "src/*.ts"]
    const built = new Set(["dist/*.js", "dist/*.map", "dist/*.ts"])
    assert.deepStrictEqual([...kinds].filter((kind) => !expected.includes(kind) && !built.has(kind)), [])
    assert.deepStrictEqual(expected.filter((kind) => !kinds.has(kind)), [])
    assert.deepStrictEqual(
      paths.filter((path) => /(?:^|\/)\.|(?:^|\/)tests?\/|\.test\.|secret|\.pem$|\.key$/.test(path)),
      []
    )
  }, 60_000)
})

describe("S33: the permission model of Node", () => {
  const directory = NodePath.join(root, ".cache", `permission-${process.pid}`)
  const data = NodePath.join(directory, "data")

  beforeAll(() => {
    NodeFs.mkdirSync(data, { recursive: true })
    buildPackage(directory)
  }, 120_000)

  afterAll(() => NodeFs.rmSync(directory, { recursive: true, force: true }))

  const run = (flags: ReadonlyArray<string>, program: string): string =>
    NodeChildProcess.execFileSync(
      process.execPath,
      ["--permission", `--allow-fs-read=${root}*`, ...flags, "--input-type=module", "-e", program],
      { cwd: directory, encoding: "utf8", env: { PATH: env["PATH"] }, stdio: ["ignore", "pipe", "pipe"] }
    )

  const onFiles = (durability: string) => `
    import { Effect, Stream } from "effect"
    import * as Layer from "effect-objectstore/layers/File"
    const program = Effect.gen(function*() {
      const store = yield* Layer.make({ root: ${JSON.stringify(data)}, durability: "${durability}" })
      yield* store.put("d/a", "hello", { metadata: { a: "b" } })
      yield* store.putMultipart("d/b", new Uint8Array(100000), { partSize: 30000 })
      const body = yield* store.get("d/a")
      const all = yield* Stream.runCollect(store.list())
      yield* store.deletePrefix("d/")
      console.log(Buffer.from(body).toString(), all.length)
    })
    await Effect.runPromise(Effect.scoped(program))
  `

  // What docs/security.md names. Descriptors are looked up in /proc; the alignment of memory is found in a library of the system.
  const files = [
    `--allow-fs-read=${data}`,
    `--allow-fs-read=${data}/*`,
    `--allow-fs-write=${data}/*`,
    `--allow-fs-write=${data}`,
    "--allow-fs-read=/proc/*",
    "--allow-fs-write=/proc/self/fd/*"
  ]

  it("lets stores of files do with their directory and /proc, if nothing is to be forced to the disk", () => {
    assert.strictEqual(run(files, onFiles("none")), "hello 2\n")
    // Node has no permission for fsync.
    assert.throws(() => run(files, onFiles("file")), /PermissionDenied: .*Node's permission model does not allow it/)
  })

  it("gives them no more: another directory is PermissionDenied", () => {
    const elsewhere = onFiles("none").replace(JSON.stringify(data), JSON.stringify(`${directory}/other`))
    assert.throws(() => run(files, elsewhere), /PermissionDenied: /)
  })
})
