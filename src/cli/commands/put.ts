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
import { UsageError } from "../exit.ts"
import * as Options from "../options.ts"
import { print } from "../output.ts"
import { findObject } from "../sources.ts"
import { at, isDirectory, nameOf, parsePlace, show, Stores } from "../stores.ts"
import { copyObject, putStream } from "../transfer.ts"

export const put = Command.make(
  "put",
  {
    concurrency: Options.concurrency,
    json: Options.json,
    partSize: Options.partSize,
    verify: Options.verify,
    file: Argument.String("FILE|-"),
    place: Argument.String("LOCATION")
  },
  Effect.fnUntraced(function*(options) {
    const target = yield* parsePlace(options.place)
    const stores = yield* Stores
    const inside = yield* isDirectory(target)
    if (options.file === "-") {
      if (inside) return yield* new UsageError({ message: `standard input has no name; ${target.text} is a directory` })
      const to = yield* stores.object(target)
      const copied = yield* putStream((yield* Stdio.Stdio).stdin, to, options)
      return yield* print(options, [copiedLine("-", show(to), copied), singleSummary("put", copied)])
    }
    const source = yield* parsePlace(options.file)
    const from = yield* findObject(source)
    const to = inside
      ? { tree: yield* stores.tree(target), key: nameOf(source) }
      : yield* stores.object(target)
    if (at(from) === at(to)) {
      return yield* new UsageError({ message: `${show(from)} and ${show(to)} are the same object` })
    }
    const copied = yield* copyObject(from, to, options)
    yield* print(options, [copiedLine(show(from), show(to), copied), singleSummary("put", copied)])
  })
).pipe(Command.withDescription(Options.summary("put")))
