/**
 * Which store a location belongs to; each is opened once, when it is first used.
 *
 * @internal
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { Backend } from "../../src/Backend.ts"
import { fromBackend, type ObjectStore } from "../../src/ObjectStore.ts"
import { type ObjectStoreError, withContext } from "../../src/ObjectStoreError.ts"
import type { At, StoreOptions } from "../../src/ObjectStoreOptions.ts"
import * as ObjectUri from "../../src/ObjectUri.ts"
import { refuse } from "./errors.ts"

/** The services that stores are opened for: one store each, or one an account. */
export type Service = "azure" | "direct" | "file" | "gcs" | "memory" | "s3"

/**
 * Opens the backend of a service, of an account where the service has them, and tells the budgets of its store. `base` is
 * given if it belongs to it.
 */
export type Opener = (account: string, base: ObjectUri.ObjectUri | undefined) => Effect.Effect<
  { readonly backend: Backend; readonly options: Omit<StoreOptions, "base"> },
  ObjectStoreError,
  Scope.Scope
>

/** How each service is opened. */
export type Openers = { readonly [Name in Service]: Opener }

/** A store that is open. */
export interface Opened {
  readonly store: ObjectStore["Service"]
  readonly backend: Pick<Backend, "address" | "name">
}

/** The open stores. */
export interface Router {
  /** The store that a place belongs to. */
  readonly storeOf: (at: At) => Effect.Effect<ObjectStore["Service"], ObjectStoreError>
  /** The store of a service, by scheme and account. */
  readonly open: (scheme: ObjectUri.Scheme, account: string) => Effect.Effect<Opened, ObjectStoreError>
}

const serviceOf: { readonly [Name in ObjectUri.Scheme]: Service } = {
  az: "azure",
  direct: "direct",
  file: "file",
  gs: "gcs",
  https: "azure",
  mem: "memory",
  s3: "s3"
}

const operation = "open"

const toOpen = (
  opener: Opener,
  account: string,
  base: ObjectUri.ObjectUri | undefined
): Effect.Effect<Opened, ObjectStoreError, Scope.Scope> =>
  Effect.flatMap(
    opener(account, base),
    ({ backend, options: { adaptiveRate, memory, requests } }) =>
      Effect.map(fromBackend(backend, { adaptiveRate, base, memory, requests }), (store) => ({ store, backend }))
  )

/** Makes the router. The stores that it opens close with the scope. */
export const makeRouter = Effect.fnUntraced(function*(
  openers: Openers,
  options: {
    readonly base?: string | ObjectUri.ObjectUri | undefined
    readonly schemes?: ReadonlyArray<ObjectUri.Scheme> | undefined
  }
): Effect.fn.Return<Router, ObjectStoreError, Scope.Scope> {
  const scope = yield* Effect.scope
  const schemes = options.schemes === undefined ? undefined : new Set<string>(options.schemes)
  const unknown = options.schemes?.find((scheme) => !Object.hasOwn(serviceOf, scheme))
  if (unknown !== undefined) {
    return yield* refuse("Configuration", "make", `schemes: there is no scheme "${String(unknown)}"`)
  }
  const base = yield* readBase(options.base, schemes)
  const stores = new Map<string, Deferred.Deferred<Opened, ObjectStoreError>>()

  // The opening has its own fiber, so that it goes on for the others when the one who asked first is interrupted.
  const begin = (name: string, opener: Opener, account: string, own: ObjectUri.ObjectUri | undefined) =>
    Effect.gen(function*() {
      const opened = Deferred.makeUnsafe<Opened, ObjectStoreError>()
      stores.set(name, opened)
      const storeScope = yield* Scope.fork(scope)
      yield* toOpen(opener, account, own).pipe(
        Scope.provide(storeScope),
        Effect.onExit((exit) => {
          if (Exit.isSuccess(exit)) return Deferred.done(opened, exit)
          // What failed is tried again by the next user.
          stores.delete(name)
          return Effect.andThen(Scope.close(storeScope, exit), Deferred.done(opened, exit))
        }),
        Effect.forkIn(scope, { startImmediately: true })
      )
      return opened
    })

  const open: Router["open"] = (scheme, account) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        if (scope.state._tag === "Closed") {
          return Effect.fail(refuse("InvalidRequest", operation, "the store's scope has closed"))
        }
        const service = serviceOf[scheme]
        const name = `${service} ${account}`
        const own = base !== undefined && serviceOf[base.scheme] === service && base.account === account
          ? base
          : undefined
        const known = stores.get(name)
        return Effect.flatMap(
          known === undefined ? begin(name, openers[service], account, own) : Effect.succeed(known),
          (opened) => restore(Deferred.await(opened))
        )
      })
    )

  const located = (uri: ObjectUri.ObjectUri): Effect.Effect<ObjectStore["Service"], ObjectStoreError> =>
    schemes === undefined || schemes.has(uri.scheme)
      ? Effect.map(open(uri.scheme, uri.account), ({ store }) => store)
      : Effect.fail(refuse("InvalidUri", operation, notAmong(uri.scheme, schemes), ObjectUri.print(uri)))

  const storeOf: Router["storeOf"] = (at) =>
    Effect.suspend(() => {
      if (typeof at === "string" && !ObjectUri.isAbsolute(at)) {
        return base === undefined
          ? Effect.fail(refuse("InvalidUri", operation, "a relative key needs a store with a base", at))
          : located(base)
      }
      if (typeof at !== "string" && !(at instanceof ObjectUri.ObjectUri)) {
        return Effect.fail(refuse("InvalidUri", operation, "a place is a key or a location", String(at)))
      }
      const parsed = typeof at === "string" ? ObjectUri.parseResult(at) : ObjectUri.check(at)
      return Result.isFailure(parsed)
        ? Effect.fail(refuse("InvalidUri", operation, parsed.failure, String(at)))
        : located(parsed.success)
    })

  return {
    storeOf,
    open: (scheme, account) =>
      schemes === undefined || schemes.has(scheme)
        ? open(scheme, account)
        : Effect.fail(refuse("InvalidUri", operation, notAmong(scheme, schemes)))
  }
})

const notAmong = (scheme: string, schemes: ReadonlySet<string>): string =>
  `this store has no ${scheme}:// locations, only ${[...schemes].map((name) => `${name}://`).join(", ")}`

const readBase = (
  base: string | ObjectUri.ObjectUri | undefined,
  schemes: ReadonlySet<string> | undefined
): Effect.Effect<ObjectUri.ObjectUri | undefined, ObjectStoreError> => {
  if (base === undefined) return Effect.undefined
  const parsed = typeof base === "string" ? ObjectUri.parseResult(base) : ObjectUri.check(base)
  if (Result.isFailure(parsed)) {
    return Effect.fail(refuse("Configuration", "make", `base: ${parsed.failure}`, String(base)))
  }
  const { scheme } = parsed.success
  return schemes === undefined || schemes.has(scheme)
    ? Effect.succeed(parsed.success)
    : Effect.fail(refuse("Configuration", "make", `base: ${notAmong(scheme, schemes)}`, String(base)))
}

/** The failure of an operation that did not come as far as its store. */
export const explain = (
  error: ObjectStoreError,
  name: string,
  at: At | undefined,
  mutation: boolean
): ObjectStoreError =>
  withContext(error, {
    operation: name,
    uri: error.uri ?? (at === undefined || at === "" ? undefined : ObjectUri.redact(String(at))),
    outcome: mutation ? "not-applied" : undefined
  })
