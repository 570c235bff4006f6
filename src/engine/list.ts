/**
 * Listings: pages of the backend become chunks of a stream.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { ListPage, ListRequest } from "../Backend.ts"
import { compareKeys } from "../keyOrder.ts"
import type { ContainerInfo, ObjectInfo, OpenUpload, Prefix } from "../ObjectInfo.ts"
import { makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { At, ListOptions } from "../ObjectStoreOptions.ts"
import { type Engine, request, toInfo } from "./engine.ts"
import type { Place } from "./resolve.ts"
import { checkOptions, checkPositive, checkStartAfter, unsupported } from "./validate.ts"

/** Observes a stream as an operation. */
export const explainStream =
  (engine: Engine, name: string, uri: string | undefined, mutation = false) =>
  <A>(stream: Stream.Stream<A, ObjectStoreError>): Stream.Stream<A, ObjectStoreError> =>
    engine.observer.stream(name, uri, mutation, stream)

const pages = <A>(
  engine: Engine,
  name: string,
  prefix: At,
  delimiter: "/" | undefined,
  options: ListOptions | undefined,
  toItems: (place: Place, page: ListPage) => ReadonlyArray<A>
): Stream.Stream<A, ObjectStoreError> =>
  Stream.suspend(() => {
    const resolved = engine.resolver.place(prefix)
    if (Result.isFailure(resolved)) return explainStream(engine, name, undefined)(Stream.fail(resolved.failure))
    const place = resolved.success
    const explain = explainStream(engine, name, place.names.uri(place.key))
    const { capabilities } = engine.backend
    const wrong = checkOptions(engine.subject, "list", options) ??
      checkPositive(engine.subject, "pageSize", options?.pageSize) ??
      checkStartAfter(engine.subject, options?.startAfter)
    if (wrong !== undefined) return explain(Stream.fail(wrong))
    // What is asked relative to the base is relative to it here, too.
    const startAfter = options?.startAfter === undefined
      ? undefined
      : place.key.slice(0, place.key.length - place.names.key(place.key).length) + options.startAfter
    const first: ListRequest = {
      container: place.container,
      prefix: place.key,
      delimiter,
      startAfter: capabilities.listStartAfter ? startAfter : undefined,
      limit: Math.min(options?.pageSize ?? capabilities.maxPageSize, capabilities.maxPageSize)
    }
    const skip = startAfter !== undefined && !capabilities.listStartAfter
    let last: string | undefined
    const circle = noCircle()
    return explain(Stream.paginate(first, (listRequest) =>
      Effect.flatMap(request(engine, "read", engine.backend.listPage(listRequest)), (page) => {
        const wrong = wrongPage(page, listRequest, capabilities.sortedList ? last : undefined) ??
          circle(page.next, capabilities.sortedList && lastOf(page) !== undefined)
        if (wrong !== undefined) {
          return Effect.fail(violation(engine, wrong))
        }
        last = lastOf(page) ?? last
        const kept = skip ? after(page, startAfter) : page
        return Effect.succeed(
          [
            toItems(place, kept),
            page.next === undefined ? Option.none() : Option.some({ ...listRequest, cursor: page.next })
          ] as const
        )
      })))
  })

const named = (key: string): string => `the listing holds "${key.slice(0, 200)}"`

const followedByItself = "a page of the listing is followed by itself"

/** What is wrong with a page, so that no listing runs in a circle or shows what was not asked for. */
const wrongPage = (page: ListPage, { cursor, prefix }: ListRequest, last: string | undefined): string | undefined => {
  const astray = strayOf(page.objects, prefix) ?? strayOf(page.prefixes.map((key) => ({ key })), prefix)
  if (astray !== undefined) return astray
  if (page.next !== undefined && page.next === cursor) return followedByItself
  const first = firstOf(page)
  return first !== undefined && last !== undefined && !isAfter(first, last)
    ? `${named(first)} again, or after a later key`
    : undefined
}

/** Says which key does not begin with the prefix, if one does not. */
const strayOf = (entries: ReadonlyArray<{ readonly key: string }>, prefix: string): string | undefined => {
  const stray = prefix === "" ? undefined : entries.find(({ key }) => !key.startsWith(prefix))
  return stray === undefined ? undefined : `${named(stray.key)}, which does not begin with the prefix`
}

const firstOf = ({ objects, prefixes }: ListPage): string | undefined => {
  const [object, prefix] = [objects[0]?.key, prefixes[0]]
  return object === undefined || (prefix !== undefined && isAfter(object, prefix)) ? prefix : object
}

const lastOf = ({ objects, prefixes }: ListPage): string | undefined => {
  const [object, prefix] = [objects.at(-1)?.key, prefixes.at(-1)]
  return object === undefined || (prefix !== undefined && isAfter(prefix, object)) ? prefix : object
}

/** Notices a page whose place was the next one before, where cursors tell it as a text: pages without entries need not end. */
const noCircle = () => {
  const seen = new Set<string>()
  return (next: unknown, comesFurther: boolean): string | undefined => {
    // The order of keys notices the rest.
    if (comesFurther) seen.clear()
    const token = typeof next === "object" && next !== null && "token" in next ? next.token : next
    if (typeof token !== "string") return undefined
    if (seen.has(token)) return "the listing comes back to a page that it has left"
    seen.add(token)
    return undefined
  }
}

const violation = (engine: Engine, description: string): ObjectStoreError =>
  makeError("ProtocolViolation", { operation: "list", backend: engine.backend.name, description })

const isAfter = (key: string, startAfter: string): boolean => compareKeys(key, startAfter) > 0

const after = (page: ListPage, startAfter: string): ListPage => ({
  objects: page.objects.filter(({ key }) => isAfter(key, startAfter)),
  // Whether a key below comes after is not known here, so such a prefix is listed.
  prefixes: page.prefixes.filter((key) => isAfter(key, startAfter) || startAfter.startsWith(key))
})

/** Lists the objects below a string prefix. */
export const list = (
  engine: Engine,
  name: string,
  prefix: At,
  options: ListOptions | undefined
): Stream.Stream<ObjectInfo, ObjectStoreError> =>
  pages(
    engine,
    name,
    prefix,
    undefined,
    options,
    (place, page) => page.objects.map((object) => toInfo(place, object.key, object))
  )

/** Lists one level: objects and common prefixes, in the order of their keys within each page. */
export const listDirectory = (
  engine: Engine,
  prefix: At,
  options: ListOptions | undefined
): Stream.Stream<ObjectInfo | Prefix, ObjectStoreError> =>
  pages(engine, "listDirectory", prefix, "/", options, (place, page) => {
    const objects = page.objects.map((object) => toInfo(place, object.key, object))
    const prefixes = page.prefixes.map((key): Prefix => ({
      _tag: "Prefix",
      uri: place.names.uri(key),
      key: place.names.key(key)
    }))
    return engine.backend.capabilities.sortedList ? mergeByKey(objects, prefixes) : [...objects, ...prefixes]
  })

/** Merges two lists that are ordered by the UTF-8 bytes of their keys. */
const mergeByKey = (
  objects: ReadonlyArray<ObjectInfo>,
  prefixes: ReadonlyArray<Prefix>
): ReadonlyArray<ObjectInfo | Prefix> => {
  if (prefixes.length === 0) return objects
  const merged: Array<ObjectInfo | Prefix> = []
  let next = 0
  for (const prefix of prefixes) {
    while (next < objects.length && isAfter(prefix.key, objects[next]!.key)) merged.push(objects[next++]!)
    merged.push(prefix)
  }
  while (next < objects.length) merged.push(objects[next++]!)
  return merged
}

/** Lists open uploads. */
export const listUploads = (engine: Engine, prefix: At): Stream.Stream<OpenUpload, ObjectStoreError> =>
  Stream.suspend(() => {
    const resolved = engine.resolver.place(prefix)
    if (Result.isFailure(resolved)) {
      return explainStream(engine, "listUploads", undefined)(Stream.fail(resolved.failure))
    }
    const place = resolved.success
    if (!engine.backend.capabilities.multipart.listed) {
      return explainStream(engine, "listUploads", place.names.uri(place.key))(
        Stream.fail(unsupported(engine.subject, "multipart.listed"))
      )
    }
    const circle = noCircle()
    return explainStream(engine, "listUploads", place.names.uri(place.key))(
      Stream.paginate(undefined as unknown, (cursor) =>
        Effect.flatMap(
          request(
            engine,
            "read",
            engine.backend.listUploads({ container: place.container, prefix: place.key, cursor })
          ),
          (page) => {
            // Whoever sweeps would abort the upload of somebody else.
            const wrong = strayOf(page.uploads, place.key) ??
              (page.next !== undefined && page.next === cursor ? followedByItself : circle(page.next, false))
            return wrong !== undefined ?
              Effect.fail(violation(engine, wrong)) :
              Effect.succeed(
                [
                  page.uploads.map(({ id, initiated, key }): OpenUpload => ({
                    id,
                    uri: place.names.uri(key),
                    key: place.names.key(key),
                    initiated
                  })),
                  page.next === undefined ? Option.none() : Option.some(page.next)
                ] as const
              )
          }
        ))
    )
  })

/** Lists the containers whose names begin with `prefix`. */
export const listContainers = (engine: Engine, prefix: string): Stream.Stream<ContainerInfo, ObjectStoreError> =>
  explainStream(engine, "listContainers", undefined)(
    Stream.fromIterableEffect(
      Effect.map(
        request(engine, "read", engine.backend.listContainers),
        (containers) =>
          containers.filter(({ name }) => name.startsWith(prefix)).map(({ created, name }): ContainerInfo => ({
            name,
            uri: engine.resolver.containerUri(name),
            created
          }))
      )
    )
  )
