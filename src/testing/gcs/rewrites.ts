/**
 * Copies in the model of GCS. A rewrite moves so many bytes a call, and goes on by a token.
 *
 * @internal
 */
import type { ServerReply } from "../protocol/Server.ts"
import type { Operation } from "./Operation.ts"
import { document, objectResource, refusals, refuse } from "./replies.ts"
import { holds, liveOf, nextToken, publish, type Rewrite, type State, versionOf } from "./state.ts"

type Rewriting = Extract<Operation, { readonly _tag: "Rewrite" }>

/** Copies an object, or goes on with it; `bytesPerCall` is how much one call does. */
export const rewrite = (state: State, operation: Rewriting, bytesPerCall: number, now: number): ServerReply => {
  const { atMost, described, source, sourceConditions, to, token, whole } = operation
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
  // The first call describes the target, once for all.
  const chosen = begun?.chosen ?? (described ? to.chosen : version.chosen)
  if (written < size && !whole) return goOn(state, { source: version, chosen, path, written }, token)
  if (token !== undefined) state.rewrites.delete(token)
  const made = publish(state, target, to.key, version.media, chosen, now, version.componentCount)
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

const goOn = (state: State, rewrite: Rewrite, token: string | undefined): ServerReply => {
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
