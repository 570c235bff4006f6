import { afterAll, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { env } from "node:process"
import { locate, missingOf } from "./locate.ts"
import type { Program } from "./Program.ts"
import { type Server, type ServerDefinition, startServer } from "./Server.ts"

/** Registers one test instead of those that cannot run: a skipped one, or on CI one that fails. */
const registerMissing = (title: string, missing: ReadonlyArray<string>): void => {
  const name = `${title} is not here; to get it: ${missing.join("; ")}`
  if (env["CI"] === "true") {
    it(name, () => {
      throw new Error(name)
    })
  } else {
    console.warn(`skipped: ${name}`)
    it.skip(name)
  }
}

/**
 * Registers tests that need a server. It is started before the first of them, and stopped after the last, whatever
 * becomes of them; `server` is for use inside of tests and layers, not while tests are registered.
 */
export const onServer = <Address extends object>(
  definition: ServerDefinition<Address>,
  tests: (server: Effect.Effect<Server<Address>>) => void
): void => {
  const missing = missingOf([definition.program, ...definition.needs ?? []])
  if (missing.length > 0) return registerMissing(definition.title, missing)
  describe(`on ${definition.title}`, () => {
    const scope = Scope.makeUnsafe()
    let running: Server<Address> | undefined
    beforeAll(async () => {
      running = await Effect.runPromise(Scope.provide(startServer(definition), scope))
    }, 120_000)
    afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 30_000)
    tests(
      Effect.suspend(() =>
        running === undefined ? Effect.die(new Error(`${definition.title} does not run`)) : Effect.succeed(running)
      )
    )
  })
}

/** Registers tests that need a program; `command` is how it is called. */
export const onProgram = (
  program: Program,
  tests: (command: readonly [string, ...Array<string>]) => void
): void => {
  const location = locate(program)
  if (location._tag === "Missing") return registerMissing(program.name, [location.how])
  tests(location.command)
}
