/**
 * Objects in the memory of this program: what tests provide, and the model of what every other backend does.
 *
 * Nothing is shared between two stores, and nothing outlives its layer. Every change is one step, so a reader sees a
 * version whole or not at all; bytes are copied in and out, so a buffer that changes later changes nothing here. Times
 * come from `Clock`, so a test may set them.
 *
 * **Example** (A test's store)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { ObjectStore } from "effect-objectstore"
 * import * as Memory from "effect-objectstore/layers/Memory"
 *
 * const program = Effect.gen(function*() {
 *   const store = yield* ObjectStore
 *   yield* store.put("a", "hello")
 *   return yield* store.stat("a")
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(Memory.layer({ base: "mem://tests/case-1/" }))))
 *   .then((info) => console.log(info.uri, info.size)) // mem://tests/case-1/a 5
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type { Backend } from "../src/Backend.ts"
import { fromBackend, ObjectStore } from "../src/ObjectStore.ts"
import { makeError, type ObjectStoreError } from "../src/ObjectStoreError.ts"
import type { StoreOptions } from "../src/ObjectStoreOptions.ts"
import * as ObjectUri from "../src/ObjectUri.ts"
import { type OptionNames, storeOptionNames, wrongOptions } from "../src/optionNames.ts"
import { toBackend } from "./memory/backend.ts"
import { addContainer, makeClient } from "./memory/client.ts"
import { checkCapabilities, checkChanges, type MemoryCapabilities, toCapabilities } from "./memory/config.ts"
import { backendName } from "./memory/errors.ts"

export type { MemoryCapabilities } from "./memory/config.ts"

/**
 * What a memory store is built with.
 *
 * @category models
 * @since 0.1.0
 */
export interface MemoryOptions extends StoreOptions {
  /** The location that relative keys are relative to; its container exists from the start. `mem://memory/` without it. */
  readonly base?: StoreOptions["base"]
  /** Further containers that exist from the start. */
  readonly containers?: ReadonlyArray<string> | undefined
  /** Capabilities of another service, to try a program on: what is switched off is refused, and limits are enforced. */
  readonly capabilities?: MemoryCapabilities | undefined
}

const optionNames: OptionNames<MemoryOptions> = { ...storeOptionNames, capabilities: true, containers: true }

const defaultBase = "mem://memory/"

/**
 * Makes the backend alone, for programs that build upon the contract.
 *
 * Fails with `Configuration` if an option is wrong.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeBackend: (options?: MemoryOptions) => Effect.Effect<Backend, ObjectStoreError> = Effect.fnUntraced(
  function*(options: MemoryOptions = {}) {
    const unknown = wrongOptions(optionNames, options)
    if (unknown !== undefined) return yield* misconfigured(unknown)
    const base = ObjectUri.parseResult(String(options.base ?? defaultBase))
    if (Result.isFailure(base)) return yield* misconfigured(`base: ${base.failure}`)
    if (base.success.scheme !== "mem") return yield* misconfigured("base: the scheme of a memory store is mem")
    const names = new Set([base.success.container, ...options.containers ?? []])
    for (const name of names) {
      const wrong = ObjectUri.checkContainerName("mem", name)
      if (wrong !== undefined) return yield* misconfigured(`containers: ${wrong}`)
    }
    const wrongChanges = checkChanges(options.capabilities)
    if (wrongChanges !== undefined) return yield* misconfigured(wrongChanges)
    const capabilities = toCapabilities(options.capabilities)
    const wrong = checkCapabilities(capabilities)
    if (wrong !== undefined) return yield* misconfigured(wrong)
    const seed = yield* Random.nextIntBetween(0, 2 ** 32)
    const now = yield* Clock.currentTimeMillis
    const client = makeClient(capabilities, seed.toString(36))
    for (const name of names) addContainer(client, name, now)
    return toBackend(client)
  }
)

const misconfigured = (description: string): ObjectStoreError =>
  makeError("Configuration", { operation: "make", backend: backendName, description })

/**
 * Makes a store in memory.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options?: MemoryOptions): Effect.Effect<ObjectStore["Service"], ObjectStoreError> =>
  Effect.flatMap(
    makeBackend(options),
    (backend) => fromBackend(backend, { ...options, base: options?.base ?? defaultBase })
  )

/**
 * Layer that provides a store in memory; every call makes another one.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: MemoryOptions): Layer.Layer<ObjectStore, ObjectStoreError> =>
  Layer.effect(ObjectStore, make(options))

/**
 * Layer that provides a store in memory, with options from `Config`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Config.Wrap<MemoryOptions>
): Layer.Layer<ObjectStore, Config.ConfigError | ObjectStoreError> =>
  Layer.effect(ObjectStore, Effect.flatMap(Config.unwrap(options), make))

/**
 * Layer that provides a store in memory at `mem://memory/`. It reads no environment.
 *
 * @category layers
 * @since 0.1.0
 */
export const MemoryLive: Layer.Layer<ObjectStore, ObjectStoreError> = layer()
