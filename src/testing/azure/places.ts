/**
 * Paths: the account, a container, a blob.
 *
 * @internal
 */
import type { State } from "./state.ts"

/** A place in an account. */
export interface Place {
  readonly container: string | undefined
  readonly key: string | undefined
}

/** The place that a path names; `undefined` if it is not in the account, or is no percent-encoded UTF-8. */
export const placeOf = ({ account }: State, rawPath: string): Place | undefined => {
  const root = `/${account}`
  if (rawPath !== root && !rawPath.startsWith(`${root}/`)) return undefined
  const inside = rawPath.slice(root.length + 1)
  if (inside === "") return { container: undefined, key: undefined }
  const slash = inside.indexOf("/")
  const container = slash === -1 ? inside : inside.slice(0, slash)
  const encoded = slash === -1 ? "" : inside.slice(slash + 1)
  try {
    return { container: decodeURIComponent(container), key: encoded === "" ? undefined : decodeURIComponent(encoded) }
  } catch {
    return undefined
  }
}
