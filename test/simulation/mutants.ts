/**
 * Engines with a bug in them: copies of the sources with a few lines changed, built where no program finds them.
 */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import type { Engine } from "./simulate.ts"

interface Change {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** The bugs by their name. */
export const bugs = {
  "a part loses its bytes when it is sent again": [{
    file: "upload.ts",
    from: "backend.uploadPart(upload, { number, offset, body, last }))",
    to: `((tries) => Effect.suspend(() => {
        const again = tries++ > 0
        return backend.uploadPart(upload, { number, offset, body: again ? new Uint8Array(body.length) : body, last })
      }))(0))`
  }],
  "a read resumes without being held to its version": [
    {
      file: "span.ts",
      from: "ifMatch: engine.backend.capabilities.conditionalRead ? stat.etag : undefined",
      to: "ifMatch: undefined"
    },
    { file: "span.ts", from: "stat !== undefined && !isSameVersion(stat, reply.stat)", to: "stat === null" }
  ],
  "an upload is aborted before its parts have settled": [{
    file: "writer.ts",
    from: "Effect.forkIn(outer, { startImmediately: true })",
    to: "Effect.forkDetach({ startImmediately: true })"
  }],
  "a completion is repeated although it may have been applied": [{
    file: "retryMatrix.ts",
    from: "const lost: RetryVerdicts = { ...again, conditional: \"verify\", complete: \"verify\"",
    to: "const lost: RetryVerdicts = { ...again, conditional: \"verify\", complete: \"retry\""
  }],
  "a request that failed keeps its share of the budget": [
    {
      file: "engine.ts",
      from: "engine.observer.requestEnded, engine.requests.release(1)",
      to:
        "engine.observer.requestEnded, Effect.suspend(() => \"failed\" in inner ? Effect.void : engine.requests.release(1))"
    },
    {
      file: "engine.ts",
      from: "Scope.close(inner, exit)",
      to: "Scope.close(Object.assign(inner, { failed: true }), exit)"
    }
  ],
  "a read that resumes asks for any version, and only compares the answer": [{
    file: "fill.ts",
    from: "{ range, conditions: pinTo(engine, stat) }",
    to: "{ range, conditions: {} }"
  }],
  "an upload is aborted although it was completed": [{
    file: "upload.ts",
    from: "(exit) => Effect.sync(() => completed = exit._tag === \"Success\")",
    to: "() => Effect.void"
  }],
  "a part that fails keeps its share of the bytes": [{
    file: "writer.ts",
    from: "Effect.andThen(ready.open, send)",
    to: "Effect.andThen(ready.open, Effect.tapError(send, () => Effect.forkDetach(engine.bytes.take(body.length))))"
  }],
  "a stream that reads ahead and a writer wait for the same budget": [
    {
      file: "stream.ts",
      from: "yield* engine.bytes.withShareNow(Math.min(partSize, span.length - start), read).pipe(\n" +
        "        Effect.flatMap((ran) =>",
      to: "yield* Effect.asSome(engine.bytes.withShare(Math.min(partSize, span.length - start), read)).pipe(\n" +
        "        Effect.flatMap((ran) =>"
    },
    {
      file: "writer.ts",
      from: "yield* engine.bytes.withShareNow(body.length, Effect.andThen(ready.open, send)).pipe(",
      to: "yield* Effect.asSome(engine.bytes.withShare(body.length, Effect.andThen(ready.open, send))).pipe("
    }
  ]
} as const satisfies Record<string, ReadonlyArray<Change>>

export type Bug = keyof typeof bugs

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Builds the engine with a bug, in a directory of the run's own. */
export const buggyEngine = async (directory: string, bug: Bug): Promise<Engine> => {
  const home = NodePath.join(directory, bug.replaceAll(/\W+/g, "-"))
  NodeFs.cpSync(NodePath.join(root, "src"), NodePath.join(home, "src"), {
    recursive: true,
    filter: (path) => !/[/\\](cli|testing|http|filesystem)$/.test(path)
  })
  for (const { file, from, to } of bugs[bug] as ReadonlyArray<Change>) {
    const path = NodePath.join(home, "src", "engine", file)
    const text = NodeFs.readFileSync(path, "utf8")
    if (text.split(from).length !== 2) throw new Error(`the bug "${bug}" does not fit ${file} any more`)
    NodeFs.writeFileSync(path, text.replace(from, () => to))
  }
  const load = async (file: string): Promise<object> =>
    await import(pathToFileURL(NodePath.join(home, "src", file)).href)
  const { fromBackend } = await load("ObjectStore.ts") as Pick<Engine, "fromBackend">
  const { defaultRetryPolicy } = await load("engine/retryPolicy.ts") as { defaultRetryPolicy: Engine["policy"] }
  return { fromBackend, policy: defaultRetryPolicy }
}
