/**
 * What goes along with an object's bytes from one store to another: as much as the other one can hold.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Capabilities } from "./Capabilities.ts"
import type { Attributes, Metadata, ObjectInfo } from "./ObjectInfo.ts"

const names = {
  token: /^[a-z0-9_][a-z0-9_.-]*$/,
  identifier: /^[a-z_][a-z0-9_]*$/
} as const

/** What is carried, in the shape of the options of a write. */
export interface Labels {
  readonly attributes?: Attributes
  readonly metadata?: Metadata
}

/** The attributes and metadata of an object that a store can hold. What it cannot is named in a warning. */
export const carriedTo = Effect.fnUntraced(function*(
  can: Capabilities,
  info: ObjectInfo
): Effect.fn.Return<Labels> {
  const attributes = Object.entries(info.attributes).filter(([, value]) => value !== undefined)
  const metadata = Object.entries(info.metadata)
  const kept = can.metadata ? metadata.filter(([name]) => names[can.metadataNames].test(name)) : []
  const left = [
    ...(can.attributes ? [] : attributes.map(([name]) => name)),
    ...metadata.filter((entry) => !kept.includes(entry)).map(([name]) => `metadata ${name}`)
  ]
  if (left.length > 0) yield* Effect.logWarning(`${info.uri}: the target cannot hold ${left.join(", ")}`)
  return {
    ...(can.attributes && attributes.length > 0 && { attributes: info.attributes }),
    ...(kept.length > 0 && { metadata: Object.fromEntries(kept) })
  }
})
