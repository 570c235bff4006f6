/**
 * Runs `npm test` and searches all that the tests and the library say for the secrets that they have (docs/security.md,
 * S01). Arguments are those of `vitest run`.
 */
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { env } from "node:process"
import { makeSecrets } from "../test/canary/secrets.ts"

interface Worker {
  readonly secrets: ReadonlyArray<string>
  readonly looked: Readonly<Record<string, number>>
}

const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-canary-"))
const end = (code: number): never => {
  // It holds secrets.
  NodeFs.rmSync(directory, { recursive: true, force: true })
  process.exit(code)
}

const child = NodeChildProcess.spawn("npm", ["test", "--", ...process.argv.slice(2)], {
  env: { ...env, OBJECTSTORE_CANARY: directory },
  stdio: ["ignore", "pipe", "pipe"]
})
let output = ""
for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]] as const) {
  from.on("data", (chunk: Buffer) => {
    output += chunk.toString()
    to.write(chunk)
  })
}

child.on("close", (code) => {
  const files = NodeFs.readdirSync(directory).filter((name) => name.endsWith(".json"))
  const secrets = makeSecrets()
  const looked: Record<string, number> = {}
  for (const name of files) {
    const worker = JSON.parse(NodeFs.readFileSync(NodePath.join(directory, name), "utf8")) as Worker
    for (const secret of worker.secrets) secrets.register(secret)
    for (const [what, count] of Object.entries(worker.looked)) looked[what] = (looked[what] ?? 0) + count
  }
  const told = NodePath.join(directory, "hits")
  const hits = NodeFs.existsSync(told) ? NodeFs.readFileSync(told, "utf8").trimEnd().split("\n") : []
  for (const hit of secrets.find(output)) hits.push(JSON.stringify({ where: "the output of the run", ...hit }))
  console.log(
    `canary: ${secrets.size()} secrets of ${files.length} files of tests, searched for in ${output.length} characters of output and in ${
      Object.entries(looked).sort().map(([what, count]) => `${count} × ${what}`).join(", ")
    }`
  )
  const different = [...new Set(hits)]
  for (const hit of different.slice(0, 100)) console.error(`canary: HIT ${hit}`)
  console.log(`canary: ${different.length} hits`)
  // A run that saw nothing proves nothing.
  const blind = secrets.size() === 0 || (looked["error"] ?? 0) === 0 || (looked["span"] ?? 0) === 0
  if (blind) console.error("canary: no secrets, errors or spans were seen")
  end(code === 0 && different.length === 0 && !blind ? 0 : 1)
})
