import { afterAll, expect } from "@effect/vitest"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { env } from "node:process"
import { observe, type Observed } from "./observe.ts"

const directory = env["OBJECTSTORE_CANARY"]!
const here = globalThis as { __objectstoreCanary?: Observed }

/** What a worker has seen, for `scripts/canary.ts`. */
const file = NodePath.join(directory, `${process.pid}-${Date.now()}-${process.hrtime.bigint()}`)

/** The leaks of this file are planted; it looks at them itself. */
const isPlanted = expect.getState().testPath?.endsWith("/test/canary/observe.test.ts") === true

const watch = () =>
  here.__objectstoreCanary ??= observe((where, form, excerpt) => {
    const hit = { where, form, excerpt, test: NodePath.basename(expect.getState().testPath ?? "") }
    NodeFs.appendFileSync(NodePath.join(directory, "hits"), `${JSON.stringify(hit)}\n`, { mode: 0o600 })
  })

const observed = isPlanted ? undefined : watch()

afterAll(() => {
  if (observed === undefined) return
  observed.end()
  NodeFs.writeFileSync(
    `${file}.json`,
    JSON.stringify({ secrets: observed.secrets.all(), looked: observed.looked }),
    { mode: 0o600 }
  )
})
