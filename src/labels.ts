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
const values = { text: /^/, ascii: /^[\u0020-\u007e]*$/ } as const

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
  const fits = values[can.metadataValues]
  const attributes = Object.entries(info.attributes).filter(([, value]) => value !== undefined)
  const metadata = Object.entries(info.metadata)
  const keptAttributes = can.attributes ? attributes.filter(([, value]) => fits.test(value)) : []
  const kept = can.metadata
    ? metadata.filter(([name, value]) => names[can.metadataNames].test(name) && fits.test(value))
    : []
  const left = [
    ...attributes.filter((entry) => !keptAttributes.includes(entry)).map(([name]) => name),
    ...metadata.filter((entry) => !kept.includes(entry)).map(([name]) => `metadata ${name}`)
  ]
  if (left.length > 0) yield* Effect.logWarning(`${info.uri}: the target cannot hold ${left.join(", ")}`)
  return {
    ...(keptAttributes.length > 0 && { attributes: Object.fromEntries(keptAttributes) }),
    ...(kept.length > 0 && { metadata: Object.fromEntries(kept) })
  }
})
