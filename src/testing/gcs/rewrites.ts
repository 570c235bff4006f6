/**
 * Copies in the model of GCS. A rewrite moves so many bytes a call, and goes on by a token.
 *
 * @internal
 */
import type { ServerReply } from "../protocol/Server.ts"
import type { Operation } from "./Operation.ts"
import { document, objectResource, refusals, refuse } from "./replies.ts"
import { holds, liveOf, nextToken, publish, type State, type Version, versionOf } from "./state.ts"

type Rewriting = Extract<Operation, { readonly _tag: "Rewrite" }>

/** Copies an object, or goes on with it; `bytesPerCall` is how much one call does. */
export const rewrite = (state: State, operation: Rewriting, bytesPerCall: number, now: number): ServerReply => {
  const { atMost, source, sourceConditions, to, token, whole } = operation
  const path = JSON.stringify([source.bucket, source.key, to.bucket, to.key])
  const begun = token === undefined ? undefined : state.rewrites.get(token)
  if (token !== undefined && begun?.path !== path) return refuse("json", refusals.invalid("Invalid rewrite token."))
  const [from, target] = [state.buckets.get(source.bucket), state.buckets.get(to.bucket)]
  if (from === undefined || target === undefined) return refuse("json", refusals.noBucket)
  const version = begun?.source ?? versionOf(from, source.key, source.generation)
  if (version === undefined) return refuse("json", refusals.noObject(source.bucket, source.key))
  if (!holds(sourceConditions, version) || !holds(to.conditions, liveOf(target, to.key))) {
    return refuse("json", refusals.condition)
  }
  const size = version.media.length
  const written = Math.min(size, (begun?.written ?? 0) + Math.min(bytesPerCall, atMost ?? bytesPerCall))
  if (written < size && !whole) return goOn(state, { source: version, path, written }, token)
  if (token !== undefined) state.rewrites.delete(token)
  const made = publish(state, target, to.key, version.media, chosenFor(operation, version), now, version.componentCount)
  const resource = objectResource(to.bucket, made)
  return document(
    whole ? resource : {
      kind: "storage#rewriteResponse",
      totalBytesRewritten: String(size),
      objectSize: String(size),
      done: true,
      resource
    }
  )
}

const chosenFor = ({ described, to }: Rewriting, version: Version) => described ? to.chosen : version.chosen

const goOn = (
  state: State,
  rewrite: { readonly source: Version; readonly path: string; readonly written: number },
  token: string | undefined
): ServerReply => {
  const next = token ?? nextToken(state)
  state.rewrites.set(next, rewrite)
  return document({
    kind: "storage#rewriteResponse",
    totalBytesRewritten: String(rewrite.written),
    objectSize: String(rewrite.source.media.length),
    done: false,
    rewriteToken: next
  })
}
