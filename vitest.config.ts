import { env } from "node:process"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { canaryPlugin } from "./test/canary/plugin.ts"
import { ParityReporter } from "./test/parity/ParityReporter.ts"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  throw new Error(
    `Node ${process.versions.node} is too old; run "npm ci" with install scripts allowed, or use Node >= 22.19`
  )
}

// Where `.ci/run` wants the numbers of tests.
const report = env["OBJECTSTORE_TEST_REPORT"]

// Where the canary run wants what it has seen (docs/security.md).
const canary = env["OBJECTSTORE_CANARY"]

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

// In these modes the tests of the folder of that name run at full length, and no others: the name of a file chooses among
// them.
const full: ReadonlySet<string> = new Set(["faults", "simulation", "toxiproxy"])

export default defineConfig(({ mode }) => ({
  plugins: canary === undefined ? [] : [canaryPlugin],
  resolve: {
    alias: [
      { find: /^effect-objectstore$/, replacement: source("src/index.ts") },
      { find: /^effect-objectstore\/testing$/, replacement: source("src/testing/index.ts") },
      { find: /^effect-objectstore\/testing\/doubles$/, replacement: source("src/testing/doubles.ts") },
      { find: /^effect-objectstore\/layers\/(.*)$/, replacement: `${source("layers")}/$1.ts` }
    ]
  },
  test: {
    include: [full.has(mode) ? `test/${mode}/**/*.test.ts` : "test/**/*.test.ts"],
    setupFiles: canary === undefined ? [] : ["test/canary/setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: [
      "default",
      new ParityReporter(),
      ...(report === undefined ? [] : [["json", { outputFile: report }] satisfies [string, unknown]])
    ]
  }
}))
