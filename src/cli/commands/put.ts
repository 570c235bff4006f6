/**
 * `objectstore put`: a file or standard input to one object.
 *
 * @internal
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import { copiedLine, singleSummary } from "../batch.ts"
import { keyOf, targetOf } from "../compression.ts"
import { UsageError } from "../exit.ts"
import * as Options from "../options.ts"
import { print } from "../output.ts"
import { takesPartSize } from "../partSize.ts"
import { isDirectory, nameOf } from "../places.ts"
import { findObject } from "../sources.ts"
import { at, show, Stores, withStores } from "../stores.ts"
import { copyObject, putStream } from "../transfer.ts"

export const put = Command.make(
  "put",
  {
    ...Options.connection,
    compress: Options.compress,
    concurrency: Options.concurrency,
    json: Options.json,
    partSize: Options.partSize,
    verify: Options.verify,
    file: Argument.String("FILE|-"),
    place: Argument.String("LOCATION")
  },
  Effect.fnUntraced(function*(options) {
    const stores = yield* Stores
    if (options.file === "-") {
      const [target] = yield* stores.places([options.place])
      if (yield* isDirectory(target)) {
        return yield* new UsageError({ message: `standard input has no name; ${target.text} is a directory` })
      }
      const to = targetOf(yield* stores.object(target), options)
      yield* takesPartSize(to.tree, options.partSize)
      const copied = yield* putStream((yield* Stdio.Stdio).stdin, to, options)
      return yield* print(options, [copiedLine("-", show(to), copied), singleSummary("put", copied)])
    }
    const [source, target] = yield* stores.places([options.file, options.place])
    const from = yield* findObject(source)
    const to = (yield* isDirectory(target))
      ? { tree: yield* stores.tree(target), key: keyOf(nameOf(source), options) }
      : targetOf(yield* stores.object(target), options)
    if (at(from) === at(to)) {
      return yield* new UsageError({ message: `${show(from)} and ${show(to)} are the same object` })
    }
    yield* takesPartSize(to.tree, options.partSize)
    const copied = yield* copyObject(from, to, options)
    yield* print(options, [copiedLine(show(from), show(to), copied), singleSummary("put", copied)])
  })
).pipe(withStores, Command.withDescription(Options.summary("put")))
