/**
 * Whole objects: a temporary file beside the target, then its name.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Location, ObjectOptions } from "../Backend.ts"
import { type Environment, inDirectory, pathOfKey, reserveTemporary } from "./environment.ts"
import { withKeys } from "./keyLocks.ts"
import { checkMode, lockPath, lookAtTarget, publish, seal } from "./publish.ts"

/** Makes `write`. */
export const makeWrite = (env: Environment) =>
  Effect.fnUntraced(function*({ key }: Location, body: Uint8Array, options: ObjectOptions) {
    const { mode } = options
    const { directory: names, name } = yield* pathOfKey(key)
    return yield* inDirectory(env, names, (directory) => {
      const target = { directory, name }
      const write = Effect.gen(function*() {
        // What cannot succeed any more is not written first. `publish` decides.
        if (mode !== "overwrite") yield* checkMode(mode, yield* lookAtTarget(env, directory, name))
        const temporary = yield* reserveTemporary(directory)
        const writer = yield* env.data.openWriter(temporary.path, { create: true })
        yield* writer.write(0, body)
        const stats = yield* seal(env, writer, body.length)
        return yield* publish(env, target, { temporary, stats }, options)
      })
      // Of several updates of one version, only the first is worth the disk's time.
      return typeof mode === "object" ? withKeys([`update ${lockPath(target)}`])(write) : write
    })
  })
