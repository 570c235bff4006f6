/**
 * Writes of a whole body: bytes, text or a stream.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Sink from "effect/Sink"
import * as Stream from "effect/Stream"
import type { ObjectOptions, WriteReply } from "../Backend.ts"
import type { CompressSummary } from "../codec/ZstdOptions.ts"
import type { PutResult } from "../ObjectInfo.ts"
import type { ObjectWriter } from "../ObjectStore.ts"
import { isObjectStoreError, makeError, type ObjectStoreError } from "../ObjectStoreError.ts"
import type { At, Body, WriteOptions } from "../ObjectStoreOptions.ts"
import { compressedAt, openCompressed, planCompressed, writeCompressed, type Written } from "./compress.ts"
import { type Engine, onObject } from "./engine.ts"
import { report } from "./progress.ts"
import type { Place } from "./resolve.ts"
import { inOwnScope, planUpload, uploadBytes, type UploadPlan } from "./upload.ts"
import { checkWrite, invalid } from "./validate.ts"
import { confirm } from "./verify.ts"
import { openSession, writeWhole, type Writing } from "./writer.ts"

/** The answer of a write. */
export const toPutResult = (place: Place, reply: WriteReply, compression?: CompressSummary): PutResult => ({
  uri: place.names.uri(place.key),
  key: place.names.key(place.key),
  etag: reply.etag,
  version: reply.version,
  size: reply.size,
  verified: reply.verified,
  ...(compression !== undefined && { compression })
})

const sourceFailed = (engine: Engine, description: string, cause?: unknown): ObjectStoreError =>
  makeError("SourceFailed", {
    operation: "put",
    backend: engine.backend.name,
    description,
    outcome: "not-applied",
    cause
  })

/** What a source says that is a store's own read. Anything else may say what is nobody's business. */
const reasonOf = (cause: unknown): string => isObjectStoreError(cause) ? ` (${cause.message})` : ""

/** Where a write goes: what is compressed has another key. */
const targetOf = (engine: Engine, at: At, options: WriteOptions | undefined): At =>
  options?.compression === undefined ? at : compressedAt(engine, at)

/** Writes a body as one object; with `always`, in parts whatever its size. */
export const put = (
  engine: Engine,
  name: string,
  at: At,
  body: Body,
  options: WriteOptions | undefined,
  always: boolean
): Effect.Effect<PutResult, ObjectStoreError> =>
  onObject(engine, name, targetOf(engine, at, options), true, (place) => {
    const object = checkWrite(engine.subject, options)
    if (isObjectStoreError(object)) return Effect.fail(object)
    const compression = options?.compression
    if (typeof body === "string" && !body.isWellFormed()) {
      return Effect.fail(invalid(engine.subject, "the text holds a lone surrogate, which UTF-8 cannot carry"))
    }
    const bytes = typeof body === "string" ? Buffer.from(body) : body
    const known = bytes instanceof Uint8Array ? bytes.length : options?.size
    if (bytes instanceof Uint8Array && options?.size !== undefined && options.size !== bytes.length) {
      return Effect.fail(sourceFailed(engine, `the body has ${bytes.length} bytes, size says ${options.size}`))
    }
    const plan = (compression === undefined ? planUpload : planCompressed)(engine, options, known)
    if (isObjectStoreError(plan)) return Effect.fail(plan)
    if (!(bytes instanceof Uint8Array) && !Stream.isStream(bytes)) {
      return Effect.fail(invalid(engine.subject, "the body is no Uint8Array, string or Stream"))
    }
    if (compression !== undefined) {
      const source = bytes instanceof Uint8Array ? Stream.succeed(bytes) : sourceOf(engine, bytes, options?.size)
      const settings = { compression, onProgress: options?.onProgress, size: known, always }
      const written = inOwnScope((left) => writeCompressed(engine, place, source, object, plan, settings, left))
      return compressedResult(engine, place, options, written)
    }
    const written = bytes instanceof Uint8Array
      ? putBytes(engine, place, bytes, object, plan, options, always)
      : putStream(engine, place, bytes, object, plan, options, always)
    return written.pipe(
      Effect.flatMap(verified(engine, place, options, bytes instanceof Uint8Array ? bytes : undefined)),
      Effect.map((reply) => toPutResult(place, reply))
    )
  })

const compressedResult = (
  engine: Engine,
  place: Place,
  options: WriteOptions | undefined,
  written: Effect.Effect<Written, ObjectStoreError>
): Effect.Effect<PutResult, ObjectStoreError> =>
  Effect.flatMap(written, ({ compression, reply }) =>
    Effect.map(
      verified(engine, place, options, undefined)(reply),
      (confirmed) => toPutResult(place, confirmed, compression)
    ))

/** Counts what was written, and looks at it if that was asked for. */
const verified =
  (engine: Engine, place: Place, options: WriteOptions | undefined, body: Uint8Array | undefined) =>
  (reply: WriteReply): Effect.Effect<WriteReply, ObjectStoreError> =>
    Effect.andThen(
      engine.observer.written(reply.size),
      options?.verify === undefined ? Effect.succeed(reply) : confirm(engine, place, reply, body)
    )

const putBytes = (
  engine: Engine,
  place: Place,
  body: Uint8Array,
  object: ObjectOptions,
  plan: UploadPlan,
  options: WriteOptions | undefined,
  always: boolean
): Effect.Effect<WriteReply, ObjectStoreError> => {
  const onProgress = options?.onProgress
  const total = body.length
  let sent = 0
  const progress = (bytes: number) =>
    Effect.suspend(() => {
      sent += bytes
      return report(onProgress, { bytes: sent, total })
    })
  return body.length === 0 || (!always && body.length <= plan.bytesThreshold)
    ? Effect.tap(writeWhole(engine, place, body, object), () => progress(body.length))
    : uploadBytes(engine, place, body, object, plan, progress)
}

const putStream = (
  engine: Engine,
  place: Place,
  body: Stream.Stream<Uint8Array, unknown>,
  object: ObjectOptions,
  plan: UploadPlan,
  options: WriteOptions | undefined,
  always: boolean
): Effect.Effect<WriteReply, ObjectStoreError> =>
  inOwnScope((left) =>
    Effect.gen(function*() {
      const session = yield* openSession(engine, place, () => object, plan, options, always, left)
      yield* session.writeFrom(sourceOf(engine, body, options?.size))
      return yield* session.finish
    })
  )

/** Counts a body against the length that was declared; answers what is wrong. */
const makeCount = (engine: Engine, size: number | undefined) => {
  let bytes = 0
  return {
    take: (chunk: Uint8Array): ObjectStoreError | undefined => {
      if (!(chunk instanceof Uint8Array)) return sourceFailed(engine, "a chunk of the body is no Uint8Array")
      bytes += chunk.length
      return size !== undefined && bytes > size
        ? sourceFailed(engine, `the body runs over the ${size} bytes that were declared`)
        : undefined
    },
    end: (): ObjectStoreError | undefined =>
      size !== undefined && bytes !== size
        ? sourceFailed(engine, `the body ended after ${bytes} of ${size} bytes`)
        : undefined
  }
}

/** Holds what takes bytes to the length that was declared. */
const countBytes = <A>(engine: Engine, session: Writing<A>, size: number | undefined): Writing<A> => {
  const count = makeCount(engine, size)
  return {
    write: (chunk) => {
      const wrong = count.take(chunk)
      return wrong === undefined ? session.write(chunk) : Effect.fail(wrong)
    },
    finish: Effect.suspend(() => count.end() ?? session.finish)
  }
}

/** The chunks of a body, held to the length that was declared. */
const sourceOf = (
  engine: Engine,
  body: Stream.Stream<Uint8Array, unknown>,
  size: number | undefined
): Stream.Stream<Uint8Array, ObjectStoreError> =>
  Stream.suspend(() => {
    const count = makeCount(engine, size)
    return body.pipe(
      Stream.mapError((cause) => sourceFailed(engine, `the stream of the body failed${reasonOf(cause)}`, cause)),
      Stream.mapArrayEffect((chunks) => {
        for (const chunk of chunks) {
          const wrong = count.take(chunk)
          if (wrong !== undefined) return Effect.fail(wrong)
        }
        return Effect.succeed(chunks)
      }),
      Stream.concat(Stream.suspend(() => {
        const wrong = count.end()
        return wrong === undefined ? Stream.empty : Stream.fail(wrong)
      }))
    )
  })

/** Opens a writer in the scope at hand. */
export const writer = (engine: Engine, name: "writer" | "sink", at: At, options: WriteOptions | undefined) =>
  onObject(engine, name, targetOf(engine, at, options), true, (place) => {
    const object = checkWrite(engine.subject, options)
    if (isObjectStoreError(object)) return Effect.fail(object)
    const compression = options?.compression
    const size = options?.size
    const plan = (compression === undefined ? planUpload : planCompressed)(engine, options, size)
    if (isObjectStoreError(plan)) return Effect.fail(plan)
    const uri = place.names.uri(place.key)
    const explain = (error: ObjectStoreError) => engine.observer.explain(error, name, uri, true)
    if (compression !== undefined) {
      const settings = { compression, onProgress: options?.onProgress, size, always: false }
      const opened = openCompressed(
        engine,
        (body) => writeCompressed(engine, place, body, object, plan, settings, [])
      )
      return Effect.map(opened, (session): ObjectWriter => {
        const counted = countBytes(engine, session, size)
        return {
          write: (chunk) => Effect.mapError(counted.write(chunk), explain),
          finish: Effect.mapError(compressedResult(engine, place, options, counted.finish), explain)
        }
      })
    }
    return Effect.map(openSession(engine, place, () => object, plan, options, false, []), (session): ObjectWriter => {
      const counted = countBytes(engine, session, options?.size)
      return {
        write: (chunk) => Effect.mapError(counted.write(chunk), explain),
        finish: counted.finish.pipe(
          Effect.flatMap(verified(engine, place, options, undefined)),
          Effect.map((reply) => toPutResult(place, reply)),
          Effect.mapError(explain)
        )
      }
    })
  })

/** A sink over a writer of its own. */
export const sink = (
  engine: Engine,
  at: At,
  options: WriteOptions | undefined
): Sink.Sink<PutResult, Uint8Array, never, ObjectStoreError> =>
  Sink.unwrap(Effect.map(
    writer(engine, "sink", at, options),
    ({ finish, write }) => Sink.mapEffect(Sink.forEach(write), () => finish)
  ))
