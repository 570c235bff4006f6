import { Effect, Result } from "effect"
import * as File from "effect-objectstore/layers/File"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import type { Backend, ObjectOptions, ObjectStoreError } from "../../src/index.ts"
import { temporaryDirectory } from "./TempDirectory.ts"

export const at = (key: string) => ({ container: "", key })
export const plain: ObjectOptions = { mode: "overwrite", attributes: {}, metadata: {} }
export const bytes = (text: string): Uint8Array => Buffer.from(text)

/** A backend over a directory of its own, and short words for what tests do with it. */
export const makeStore = Effect.fnUntraced(function*(options?: Partial<File.FileOptions>) {
  const root = options?.root ?? (yield* temporaryDirectory)
  const backend = yield* File.makeBackend({ durability: "none", ...options, root })
  return { root, ...words(backend, root) }
})

const words = (backend: Backend, root: string) => ({
  backend,
  put: (key: string, body = key, options: Partial<ObjectOptions> = {}) =>
    backend.write(at(key), bytes(body), { ...plain, ...options }),
  get: (key: string) =>
    Effect.scoped(Effect.gen(function*() {
      const reply = yield* backend.read(at(key), { conditions: {} })
      const target = new Uint8Array(reply.length)
      yield* reply.into(target)
      return Buffer.from(target).toString()
    })),
  head: (key: string) => backend.head(at(key), {}),
  remove: (key: string) => Effect.map(backend.deleteBatch("", [{ key }]), ([answer]) => answer?.reason._tag ?? "gone"),
  keys: (prefix = "") =>
    Effect.map(
      backend.listPage({ container: "", prefix, limit: 1000 }),
      ({ objects }) => objects.map(({ key }) => key)
    ),
  uploads: Effect.map(backend.listUploads({ container: "", prefix: "" }), ({ uploads }) => uploads),
  /** A path below the root, past the store. */
  path: (...names: ReadonlyArray<string>) => NodePath.join(root, ...names),
  /** Everything below the root, past the store. */
  files: () => NodeFs.readdirSync(root, { recursive: true, encoding: "utf8" }).sort()
})

export const reasonOf = <R>(effect: Effect.Effect<unknown, ObjectStoreError, R>): Effect.Effect<string, never, R> =>
  Effect.map(Effect.result(effect), (result) => Result.isFailure(result) ? result.failure.reason._tag : "succeeded")

export const openDescriptors = (): number => NodeFs.readdirSync("/proc/self/fd").length
