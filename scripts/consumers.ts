/**
 * Installs the packed tarball in an empty project, type-checks a program there with the TypeScript releases that people
 * use, under both module resolutions and with library checks on, and runs it.
 */
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const compilers = { ts59: "~5.9.0", ts6: "~6.0.0", ts7: "~7.0.0" }
const resolutions = [
  { name: "NodeNext", options: { module: "NodeNext", moduleResolution: "NodeNext" } },
  { name: "bundler", options: { module: "ESNext", moduleResolution: "bundler" } }
]

const program = `import { Effect, Stream } from "effect"
import { ObjectStore, type ObjectStoreError } from "effect-objectstore"
import * as Azure from "effect-objectstore/layers/Azure"
import * as Direct from "effect-objectstore/layers/Direct"
import * as File from "effect-objectstore/layers/File"
import * as Gcs from "effect-objectstore/layers/Gcs"
import { MemoryLive } from "effect-objectstore/layers/Memory"
import * as S3 from "effect-objectstore/layers/S3"
import * as Universal from "effect-objectstore/layers/Universal"
import { layerMock } from "effect-objectstore/testing/doubles"
import { fileURLToPath } from "node:url"

const program: Effect.Effect<string, ObjectStoreError, ObjectStore> = Effect.gen(function*() {
  const store = yield* ObjectStore
  yield* store.put("greetings/hello.txt", Stream.make(new TextEncoder().encode("hello")), { mode: "create" })
  const bytes = yield* store.get("greetings/hello.txt").pipe(
    Effect.catchReason("ObjectStoreError", "NotFound", () => Effect.succeed(new Uint8Array()))
  )
  const keys = yield* store.list().pipe(Stream.map((info) => info.key), Stream.runCollect)
  return \`\${keys.join()}=\${new TextDecoder().decode(bytes)}\`
})

const data = fileURLToPath(new URL("data", import.meta.url))
const layers = [
  MemoryLive,
  File.layer({ root: \`\${data}/file\` }),
  Direct.layer({ root: \`\${data}/direct\`, fallback: "buffered" })
]
for (const layer of layers) {
  const answer = await Effect.runPromise(Effect.provide(program, layer))
  if (answer !== "greetings/hello.txt=hello") throw new Error(answer)
}
const mock = layerMock({ exists: () => Effect.succeed(true) })
if (!await Effect.runPromise(Effect.provide(ObjectStore.use((store) => store.exists("a")), mock))) throw new Error("mock")

// No vendor's package is installed here: a store that needs one names it, also where it is opened on first use.
const needs = async (layer: typeof MemoryLive | ReturnType<typeof S3.layer>, at: string, name: string): Promise<void> => {
  const use = Effect.flip(Effect.provide(ObjectStore.use((store) => store.exists(at)), layer))
  const { message, reason } = await Effect.runPromise(use)
  if (reason._tag !== "Configuration" || !message.endsWith(\`npm install \${name}\`)) throw new Error(message)
}
const universal = Universal.layer({ s3: { region: "us-east-1" }, azure: {}, gcs: { projectId: "p" } })
for (const [layer, at, name] of [
  [S3.layer({ region: "us-east-1" }), "s3://bucket/a", "@aws-sdk/client-s3"],
  [Azure.layer({ account: "acct" }), "az://acct/data/a", "@azure/identity"],
  [Gcs.layer({}), "gs://bucket/a", "@google-cloud/storage"]
] as const) {
  await needs(layer, at, name)
  await needs(universal, at, name)
}
`

const run = (cwd: string, command: string, ...args: ReadonlyArray<string>): string =>
  NodeChildProcess.execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })

const versionOf = (name: string): string =>
  (JSON.parse(NodeFs.readFileSync(NodePath.join(root, "node_modules", name, "package.json"), "utf8")) as {
    readonly version: string
  }).version

const project = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-consumer-"))
try {
  run(root, "npm", "run", "--silent", "build")
  const packed = run(root, "npm", "pack", "--json", "--ignore-scripts", "--pack-destination", project)
  const [{ filename, files }] = JSON.parse(packed) as [
    { readonly filename: string; readonly files: ReadonlyArray<unknown> }
  ]
  const aliases = Object.entries(compilers).map(([name, version]) => [name, `npm:typescript@${version}`])
  NodeFs.writeFileSync(
    NodePath.join(project, "package.json"),
    JSON.stringify({
      name: "consumer",
      private: true,
      type: "module",
      dependencies: { "effect-objectstore": `file:${filename}`, effect: versionOf("effect") },
      devDependencies: { "@types/node": versionOf("@types/node"), ...Object.fromEntries(aliases) }
    })
  )
  run(project, "npm", "install", "--prefer-offline", "--no-audit", "--no-fund")
  console.log(`${filename}: ${files.length} files, installed in an empty project`)

  NodeFs.writeFileSync(NodePath.join(project, "main.ts"), program)
  for (const { name, options } of resolutions) {
    NodeFs.writeFileSync(
      NodePath.join(project, `tsconfig.${name}.json`),
      JSON.stringify({
        compilerOptions: {
          ...options,
          target: "ES2022",
          lib: ["ES2024", "ESNext.Disposable", "DOM"],
          strict: true,
          exactOptionalPropertyTypes: true,
          skipLibCheck: false,
          noEmit: true,
          types: ["node"]
        },
        include: ["main.ts"]
      })
    )
    for (const compiler of Object.keys(compilers)) {
      run(project, process.execPath, `node_modules/${compiler}/bin/tsc`, "-p", `tsconfig.${name}.json`)
      console.log(`type-checks under TypeScript ${compilers[compiler as keyof typeof compilers]}, ${name}`)
    }
  }
  run(project, process.execPath, "main.ts")
  console.log("runs on memory, file and direct; names what S3, Azure and GCS lack")
} finally {
  NodeFs.rmSync(project, { recursive: true, force: true })
}
