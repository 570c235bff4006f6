import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schedule, Scope } from "effect"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import { ask } from "./ask.ts"
import { idle, makeIdle } from "./idle.ts"
import { startServer } from "./Server.ts"

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const isGone = (endpoint: string) => Effect.isFailure(ask("GET", endpoint))

describe("the life of a server", () => {
  it.live("ends with its scope, and takes its directory along", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { data, endpoint } = yield* Scope.provide(startServer(idle), scope)
      assert.strictEqual(yield* ask("GET", endpoint), 200)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(yield* isGone(endpoint))
      assert.isFalse(NodeFs.existsSync(NodePath.dirname(data)))
    }))

  it.live("is as at its beginning after a reset, under the same address", () =>
    Effect.gen(function*() {
      const { data, endpoint, reset } = yield* startServer(idle)
      NodeFs.writeFileSync(NodePath.join(data, "object"), "")
      yield* reset
      assert.strictEqual(yield* ask("GET", endpoint), 200)
      assert.deepStrictEqual(NodeFs.readdirSync(data), [])
    }))

  it.live("says what it printed, if it ends at once", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(startServer(makeIdle("console.error('no such disk');process.exit(3)")))
      assert.include(error.message, "ended with exit code 3")
      assert.include(error.message, "no such disk")
    }))

  it.live("is killed if it does not stop", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const stubborn = makeIdle("process.on('SIGTERM', () => {})")
      const { endpoint } = yield* Scope.provide(startServer(stubborn), scope)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(yield* isGone(endpoint))
    }))

  it.live("ends with the process that started it, even if that is killed", () =>
    Effect.gen(function*() {
      const child = NodeChildProcess.spawn(process.execPath, [here("orphan.ts")], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      const printed = yield* Effect.callback<string>((resume) => {
        child.stdout.setEncoding("utf8").once("data", (text: string) => resume(Effect.succeed(text)))
      })
      const { data, endpoint } = JSON.parse(printed) as { readonly data: string; readonly endpoint: string }
      assert.strictEqual(yield* ask("GET", endpoint), 200)
      child.kill("SIGKILL")
      const gone = Effect.map(isGone(endpoint), (gone) => gone && !NodeFs.existsSync(data))
      yield* Effect.repeat(gone, { until: (gone) => gone, schedule: Schedule.spaced("20 millis") })
      NodeFs.rmSync(NodePath.dirname(data), { recursive: true })
    }))
})
