import { Effect } from "effect"
import type { Backend } from "effect-objectstore"

/** One request that a backend was asked for. */
export interface Call {
  readonly name: string
  readonly detail: unknown
}

/** Lets everything else that is ready run first. */
export const turnOfTheEventLoop = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** A backend that notes what it is asked for, and how much runs at a time. */
export const recording = (backend: Backend) => {
  const calls: Array<Call> = []
  const running = { now: 0, most: 0 }
  const note = <Args extends ReadonlyArray<unknown>, A, E, R>(
    name: string,
    run: (...args: Args) => Effect.Effect<A, E, R>,
    detail: (...args: Args) => unknown
  ) =>
  (...args: Args): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      calls.push({ name, detail: detail(...args) })
      running.most = Math.max(running.most, ++running.now)
      // A request takes a turn of the event loop, so that requests can meet.
      return Effect.ensuring(
        Effect.andThen(turnOfTheEventLoop, run(...args)),
        Effect.sync(() => running.now--)
      )
    })
  const recorded: Backend = {
    ...backend,
    head: note("head", backend.head, (at) => at.key),
    read: note("read", backend.read, (_, request) => request.range),
    write: note("write", backend.write, (_, body) => body.length),
    openUpload: note("openUpload", backend.openUpload, (at) => at.key),
    uploadPart: note("uploadPart", backend.uploadPart, (_, part) => [part.number, part.body.length]),
    completeUpload: note("completeUpload", backend.completeUpload, (_, request) => request.parts.length),
    abortUpload: note("abortUpload", backend.abortUpload, (upload) => upload.key),
    listPage: note("listPage", backend.listPage, (request) => request.limit),
    deleteBatch: note("deleteBatch", backend.deleteBatch, (_, entries) => entries.length)
  }
  return { backend: recorded, calls, running, names: () => calls.map(({ name }) => name) }
}
