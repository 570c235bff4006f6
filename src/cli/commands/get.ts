/**
 * `objectstore get`: one object to a file or to standard output.
 *
 * @internal
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { makeError } from "../../ObjectStoreError.ts"
import { copiedLine, singleSummary } from "../batch.ts"
import { keyOf, readingOf } from "../compression.ts"
import { UsageError } from "../exit.ts"
import { toLocalPath } from "../localPath.ts"
import * as Options from "../options.ts"
import { print, write } from "../output.ts"
import { isDirectory, nameOf } from "../places.ts"
import { findObject } from "../sources.ts"
import { at, show, Stores, withStores } from "../stores.ts"
import { copyObject } from "../transfer.ts"

export const get = Command.make(
  "get",
  {
    ...Options.connection,
    concurrency: Options.concurrency,
    decompress: Options.decompress,
    json: Options.json,
    names: Options.names,
    partSize: Options.partSize,
    verify: Options.verify,
    place: Argument.String("LOCATION"),
    file: Argument.String("FILE|-")
  },
  Effect.fnUntraced(function*(options) {
    const stores = yield* Stores
    if (options.file === "-") {
      if (options.json) return yield* new UsageError({ message: "--json and - both want standard output" })
      const [source] = yield* stores.places([options.place])
      const from = yield* findObject(source)
      return yield* Stream.runForEach(
        from.tree.store.stream(at(from), {
          concurrency: options.concurrency,
          partSize: options.partSize,
          ...readingOf(from.key, options)
        }),
        write
      )
    }
    const [source, target] = yield* stores.places([options.place, options.file])
    const from = yield* findObject(source)
    const key = keyOf(nameOf(source), options)
    const inside = yield* isDirectory(target)
    const to = inside ? { tree: yield* stores.tree(target), key } : yield* stores.object(target)
    const checked = toLocalPath(key, options.names)
    if (inside && to.tree.local && Result.isFailure(checked)) {
      return yield* makeError("InvalidKey", {
        operation: "get",
        backend: "cli",
        uri: at(from),
        description: `the key ${checked.failure}`,
        outcome: "not-applied"
      })
    }
    if (at(from) === at(to)) {
      return yield* new UsageError({ message: `${show(from)} and ${show(to)} are the same object` })
    }
    const copied = yield* copyObject(from, to, options)
    yield* print(options, [copiedLine(show(from), show(to), copied), singleSummary("get", copied)])
  })
).pipe(withStores, Command.withDescription(Options.summary("get")))
