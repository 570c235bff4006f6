/**
 * Packages of vendors that only some users install: imported when they are asked for, and named when they are not there.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import { makeError, type ObjectStoreError, printable } from "../ObjectStoreError.ts"

/** Imports `name`; `need` says what for: `"the default credential"`. Fails with `Configuration`. */
export const importVendorPackage = <A>(options: {
  readonly backend: string
  readonly name: string
  readonly need: string
  readonly load: () => Promise<A>
}): Effect.Effect<A, ObjectStoreError> =>
  Effect.tryPromise({
    try: () => options.load(),
    catch: (cause) =>
      makeError("Configuration", {
        operation: "make",
        backend: options.backend,
        description: `${options.need} needs the package ${options.name}, which ${
          isMissing(cause, options.name)
            ? `is not installed: npm install ${options.name}`
            : `cannot be loaded: ${firstLine(cause)}`
        }`,
        outcome: "not-applied"
      })
  })

/** Whether the package itself is not there, and not something that it needs. */
const isMissing = (cause: unknown, name: string): boolean =>
  cause instanceof Error && "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND" &&
  cause.message.includes(`'${name}'`)

const firstLine = (cause: unknown): string =>
  printable((cause instanceof Error ? cause.message : String(cause)).split(/[\r\n]/, 1)[0]!.slice(0, 300))
