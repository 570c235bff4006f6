/**
 * Pages of a listing.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { ListedObject, ListPage, ListRequest } from "../../src/Backend.ts"
import { compareKeys } from "../../src/keyOrder.ts"
import type { ObjectStoreError } from "../../src/ObjectStoreError.ts"
import { type Client, statOf } from "./client.ts"
import { refuseRead, unsupported } from "./errors.ts"
import { type KeyOrder } from "./KeyIndex.ts"

/**
 * Where the next page begins: after a key, or after all keys below a prefix. It names a place and not a number, so keys
 * that come and go between two pages shift nothing.
 */
class ListCursor {
  readonly last: string
  readonly isPrefix: boolean
  constructor(last: string, isPrefix: boolean) {
    this.last = last
    this.isPrefix = isPrefix
  }
}

type Reached = (key: string) => boolean

const afterKey = (order: KeyOrder, last: string): Reached => (key) => order(key, last) > 0

const pastPrefix = (order: KeyOrder, prefix: string): Reached => (key) =>
  order(key, prefix) >= 0 && !key.startsWith(prefix)

/** Lists one page. */
export const listPage = (client: Client, request: ListRequest): Result.Result<ListPage, ObjectStoreError> => {
  const { capabilities } = client
  const { cursor, delimiter, prefix, startAfter } = request
  if (cursor !== undefined && !(cursor instanceof ListCursor)) {
    return Result.fail(refuseRead("InvalidRequest", "the cursor is not one of this store"))
  }
  if (startAfter !== undefined && !capabilities.listStartAfter) return Result.fail(unsupported("listStartAfter"))
  const container = client.containers.get(request.container)
  if (container === undefined) {
    return capabilities.containers === "explicit"
      ? Result.fail(refuseRead("ContainerNotFound"))
      : Result.succeed({ objects: [], prefixes: [] })
  }
  const { objects: index } = container
  const limit = Math.min(request.limit, capabilities.maxPageSize)
  const objects: Array<ListedObject> = []
  const prefixes: Array<string> = []

  // In an order of its own, what comes after a key in bytes is not what comes after it in the listing.
  const seeks = capabilities.sortedList && startAfter !== undefined && cursor === undefined
  const skips = (key: string): boolean =>
    !capabilities.sortedList && startAfter !== undefined && compareKeys(key, startAfter) <= 0
  const begun: Reached = (key) => index.order(key, prefix) >= 0
  const resumed: Reached = cursor === undefined
    ? seeks ? afterKey(index.order, startAfter) : begun
    : cursor.isPrefix
    ? pastPrefix(index.order, cursor.last)
    : afterKey(index.order, cursor.last)
  let reached: Reached = (key) => begun(key) && resumed(key)
  let last: ListCursor | undefined

  for (;;) {
    let folded: string | undefined
    for (const key of index.from(reached)) {
      if (!key.startsWith(prefix)) break
      if (skips(key)) continue
      if (objects.length + prefixes.length === limit) return Result.succeed({ objects, prefixes, next: last })
      const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length)
      if (end === -1) {
        objects.push({ key, ...statOf(index.get(key)!) })
        last = new ListCursor(key, false)
      } else {
        folded = key.slice(0, end + 1)
        prefixes.push(folded)
        last = new ListCursor(folded, true)
        break
      }
    }
    if (folded === undefined) return Result.succeed({ objects, prefixes })
    reached = pastPrefix(index.order, folded)
  }
}
