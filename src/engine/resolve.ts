/**
 * From what a program names (a relative key or an absolute location) to what a backend addresses, and back.
 *
 * @internal
 */
import * as Result from "effect/Result"
import type { Backend, Location } from "../Backend.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { At } from "../ObjectStoreOptions.ts"
import * as ObjectUri from "../ObjectUri.ts"

/** The place that relative keys are relative to. */
export interface Base {
  readonly scheme: ObjectUri.Scheme
  readonly container: string
  /** What stands before a relative key, as the backend's key. */
  readonly prefix: string
}

/** A resolved place, and how the keys around it are shown. */
export interface Place extends Location {
  readonly names: Names
  /** Whether what was asked is empty: `""`, or a location without a key. */
  readonly empty: boolean
}

/** How backend keys of one container are shown, in the form that was asked. */
export interface Names {
  readonly uri: (key: string) => string
  readonly key: (key: string) => string
}

/** Resolves places of one store. */
export interface Resolver {
  /** Resolves a place; any key, also an empty one. */
  readonly place: (at: At) => Result.Result<Place, ObjectStoreError>
  /** Resolves the place of an object: its key is one that the backend can hold. */
  readonly object: (at: At) => Result.Result<Place, ObjectStoreError>
  /** The location of a container. */
  readonly containerUri: (name: string) => string
  readonly checkContainer: (name: string) => ObjectStoreError | undefined
}

const makeNames = (backend: Backend, scheme: ObjectUri.Scheme, container: string, strip: number): Names => {
  const { account, root } = backend.address
  const prefix = ObjectUri.printPrefix({ scheme, account, container }) + root
  return {
    uri: scheme === "https"
      ? (key) => ObjectUri.print({ scheme, account, container, key })
      : (key) => prefix + key,
    key: strip === 0 ? (key) => key : (key) => key.slice(strip)
  }
}

const hasPath = (scheme: ObjectUri.Scheme): boolean => scheme === "file" || scheme === "direct"

/** Reads the base of a store, or says what is wrong with it. */
export const resolveBase = (
  backend: Backend,
  base: string | ObjectUri.ObjectUri | undefined
): Result.Result<Base | undefined, ObjectStoreError> => {
  if (base === undefined) return Result.succeed(undefined)
  const fail = (description: string) =>
    Result.fail(makeError("Configuration", {
      operation: "fromBackend",
      backend: backend.name,
      uri: ObjectUri.redact(String(base)),
      description
    }))
  const parsed = typeof base === "string" ? ObjectUri.parseResult(base) : Result.succeed(base)
  if (Result.isFailure(parsed)) return fail(`base: ${parsed.failure}`)
  const located = locate(backend, parsed.success)
  if (located === undefined) return fail(`the base belongs to another store than ${backend.name}`)
  if (!hasPath(parsed.success.scheme) && located.container === "") return fail("the base names no container")
  const prefix = located.key === "" || located.key.endsWith("/") ? located.key : `${located.key}/`
  return Result.succeed({ scheme: parsed.success.scheme, container: located.container, prefix })
}

const locate = (backend: Backend, uri: ObjectUri.ObjectUri): Location | undefined => {
  const { account, root, schemes } = backend.address
  if (!schemes.includes(uri.scheme) || uri.account !== account) return undefined
  if (uri.key.startsWith(root)) return { container: uri.container, key: uri.key.slice(root.length) }
  // The root itself, written without its trailing slash.
  return `${uri.key}/` === root ? { container: uri.container, key: "" } : undefined
}

/** Makes the resolver of a store. */
export const makeResolver = (backend: Backend, base: Base | undefined): Resolver => {
  const { capabilities, name } = backend
  const invalid = (tag: "InvalidUri" | "InvalidKey", text: string, description: string) =>
    Result.fail(makeError(tag, {
      operation: "resolve",
      backend: name,
      uri: ObjectUri.redact(text),
      description,
      outcome: "not-applied"
    }))
  const baseNames = base === undefined ? undefined : makeNames(backend, base.scheme, base.container, base.prefix.length)

  const place = (at: At): Result.Result<Place, ObjectStoreError> => {
    if (typeof at === "string" && !ObjectUri.isAbsolute(at)) {
      if (base === undefined || baseNames === undefined) {
        return invalid("InvalidUri", at, "a relative key needs a store with a base")
      }
      if (!at.isWellFormed()) {
        return invalid("InvalidKey", at.toWellFormed(), "the key holds a lone surrogate, which UTF-8 cannot carry")
      }
      return Result.succeed({
        container: base.container,
        key: base.prefix + at,
        names: baseNames,
        empty: at === ""
      })
    }
    if (typeof at !== "string" && !(at instanceof ObjectUri.ObjectUri)) {
      return invalid("InvalidUri", String(at), "a place is a key or a location")
    }
    const parsed = typeof at === "string" ? ObjectUri.parseResult(at) : ObjectUri.check(at)
    if (Result.isFailure(parsed)) return invalid("InvalidUri", String(at), parsed.failure)
    const uri = parsed.success
    const located = locate(backend, uri)
    if (located === undefined) {
      return invalid(
        "InvalidUri",
        String(at),
        `it belongs to another store than this one, ${
          ObjectUri.print({ ...storeUri(backend), key: backend.address.root })
        }`
      )
    }
    if (!hasPath(uri.scheme) && located.container === "") {
      return invalid("InvalidUri", String(at), "it names no container")
    }
    return Result.succeed({
      ...located,
      names: makeNames(backend, uri.scheme, located.container, 0),
      empty: located.key === ""
    })
  }

  const object = (at: At): Result.Result<Place, ObjectStoreError> => {
    const resolved = place(at)
    if (Result.isFailure(resolved)) return resolved
    if (resolved.success.empty) return invalid("InvalidKey", String(at), "the key is empty")
    const wrong = checkKey(resolved.success.key)
    return wrong === undefined ? resolved : invalid("InvalidKey", String(at), wrong)
  }

  const checkKey = (key: string): string | undefined => {
    if (key.length * 3 > capabilities.maxKeyBytes && Buffer.byteLength(key) > capabilities.maxKeyBytes) {
      return `the key has ${Buffer.byteLength(key)} bytes in UTF-8, the most are ${capabilities.maxKeyBytes}`
    }
    const { maxSegmentBytes } = capabilities
    if (maxSegmentBytes !== undefined && key.length * 3 > maxSegmentBytes) {
      for (const segment of key.split("/")) {
        if (Buffer.byteLength(segment) > maxSegmentBytes) {
          return `a segment of the key has ${
            Buffer.byteLength(segment)
          } bytes in UTF-8, the most are ${maxSegmentBytes}`
        }
      }
    }
    return undefined
  }

  return {
    place,
    object,
    containerUri: (container) => {
      const scheme = base?.scheme ?? backend.address.schemes[0]
      return hasPath(scheme)
        ? `${makeNames(backend, scheme, "", 0).uri(container)}/`
        : makeNames(backend, scheme, container, 0).uri("")
    },
    checkContainer: (container) => {
      const wrong = ObjectUri.checkContainerName(backend.address.schemes[0], container)
      return wrong === undefined && container.isWellFormed()
        ? undefined
        : makeError("InvalidRequest", {
          operation: "resolve",
          backend: name,
          description: wrong ?? "the name holds a lone surrogate",
          outcome: "not-applied"
        })
    }
  }
}

const storeUri = (backend: Backend) => ({
  scheme: backend.address.schemes[0],
  account: backend.address.account,
  container: hasPath(backend.address.schemes[0]) ? "" : "…"
})
