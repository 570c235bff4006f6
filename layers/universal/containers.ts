/**
 * Names of containers: relative ones are the base's store's own; absolute ones are locations, `s3://bucket`.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { ContainerInfo } from "../../src/ObjectInfo.ts"
import type { ObjectStore } from "../../src/ObjectStore.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import type { ContainerOptions } from "../../src/ObjectStoreOptions.ts"
import * as ObjectUri from "../../src/ObjectUri.ts"
import { refuse } from "./errors.ts"
import { explain, type Router } from "./stores.ts"

/** A name, or the beginning of one, taken apart. */
interface ContainerName {
  readonly scheme: ObjectUri.Scheme
  readonly account: string
  /** What follows scheme and account. */
  readonly rest: string
}

const pattern = /^(?<scheme>[a-z0-9]+):\/\/(?<rest>.*)$/s

/** Reads the head of an absolute name; a name that is only begun is no location yet, so the rest is not checked here. */
const takeApart = (text: string): Result.Result<ContainerName, string> => {
  const { rest = "", scheme = "" } = pattern.exec(text)?.groups ?? {}
  const slash = rest.indexOf("/")
  switch (scheme) {
    case "s3":
    case "mem":
      return Result.succeed({ scheme, account: "", rest })
    case "gs":
    case "gcs":
      return Result.succeed({ scheme: "gs", account: "", rest })
    case "file":
    case "direct":
      return rest.startsWith("/")
        ? Result.succeed({ scheme, account: "", rest: rest.slice(1) })
        : Result.fail(`a path is absolute and has no host: ${scheme}:///abs/path`)
    case "az":
    case "https":
      // An account is parsed as every location is; what follows it may be the beginning of a name.
      return slash === -1
        ? Result.fail("it names no container; the form is scheme://account/container")
        : Result.map(
          ObjectUri.parseResult(`${scheme}://${rest.slice(0, slash + 1)}`),
          ({ account }) => ({ scheme, account, rest: rest.slice(slash + 1) })
        )
    default:
      return Result.map(ObjectUri.parseResult(text), ({ account, scheme }) => ({ scheme, account, rest: "" }))
  }
}

/** What stands before the name of a container in its location. */
const head = ({ account, root }: { readonly account: string; readonly root: string }, scheme: ObjectUri.Scheme) => {
  if (scheme === "s3" || scheme === "gs" || scheme === "mem") return `${scheme}://`
  return ObjectUri.printPrefix({ scheme, account, container: "" }) + root
}

interface Routed {
  readonly store: ObjectStore["Service"]
  /** The name as the store takes it. */
  readonly name: string
  /** What an absolute name begins with; `undefined` for relative ones. */
  readonly head?: string | undefined
}

const route = (router: Router, text: string): Effect.Effect<Routed, ObjectStoreError> => {
  if (typeof text !== "string" || !ObjectUri.isAbsolute(text)) {
    return Effect.map(router.storeOf(""), (store) => ({ store, name: text }))
  }
  const parts = takeApart(text)
  if (Result.isFailure(parts)) return Effect.fail(refuse("InvalidUri", "open", parts.failure, text))
  const { account, rest, scheme } = parts.success
  return Effect.flatMap(router.open(scheme, account), ({ backend, store }) => {
    const { root } = backend.address
    return rest.startsWith(root)
      ? Effect.succeed({ store, name: rest.slice(root.length), head: head(backend.address, scheme) })
      : Effect.fail(
        refuse("InvalidUri", "open", `it is not below the root of this store, ${head(backend.address, scheme)}`, text)
      )
  })
}

const onContainer = (
  router: Router,
  operation: "createContainer" | "deleteContainer",
  text: string,
  run: (store: ObjectStore["Service"], name: string) => Effect.Effect<void, ObjectStoreError>
) =>
  route(router, text).pipe(
    Effect.mapError((error) => explain(error, operation, text, true)),
    Effect.flatMap(({ head, name, store }) => run(store, head === undefined ? name : name.replace(/\/$/, "")))
  )

/** Makes a container. */
export const createContainer = (router: Router, name: string, options: ContainerOptions | undefined) =>
  onContainer(router, "createContainer", name, (store, own) => store.createContainer(own, options))

/** Removes an empty container. */
export const deleteContainer = (router: Router, name: string) =>
  onContainer(router, "deleteContainer", name, (store, own) => store.deleteContainer(own))

/** Lists containers; what was asked absolute is named absolute, so that it can be given back. */
export const listContainers = (router: Router, prefix: string): Stream.Stream<ContainerInfo, ObjectStoreError> =>
  Stream.unwrap(
    route(router, prefix).pipe(
      Effect.mapError((error) => explain(error, "listContainers", prefix, false)),
      Effect.map(({ head, name, store }) => {
        const found = store.listContainers({ prefix: name })
        return head === undefined ? found : Stream.map(found, (info): ContainerInfo => ({
          ...info,
          name: head + info.name,
          uri: `${head}${info.name}/`
        }))
      })
    )
  )
