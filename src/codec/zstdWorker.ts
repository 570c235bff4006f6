/**
 * A thread of the pool: does one task after another and answers each.
 *
 * @internal
 */
import { createXXHash64, type IHasher } from "hash-wasm"
import { type MessagePort, parentPort, workerData } from "node:worker_threads"
import { crc32c } from "./Crc32c.ts"
import { type Decoder, isLibraryError, libraryError, loadNapi, loadZlib, type ZstdLibrary } from "./zstdLibrary.ts"
import type { Answers, Reply, Request, Task, TaskFailure, ThreadData } from "./zstdProtocol.ts"

type Bytes = Uint8Array<ArrayBuffer>

/** A frame that comes in pieces. */
interface Session {
  readonly decoder: Decoder
  readonly hasher: IHasher | undefined
  next: number
}

const port: MessagePort = parentPort!
const data = workerData as ThreadData
const abandoned = new Int32Array(data.abandoned)
const sessions = new Map<number, Session>()

let library: ZstdLibrary | undefined

const load = (): ZstdLibrary => {
  if (data.library === "node:zlib") return loadZlib()
  try {
    return loadNapi()
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error)
    if (data.library === "zstd-napi") throw libraryError("library", `zstd-napi cannot be loaded: ${why}`)
    return loadZlib()
  }
}

const libraryOf = (): ZstdLibrary => library ??= load()

const answer = <Tag extends Task["_tag"]>(id: number, value: Answers[Tag], given: ReadonlyArray<Bytes>): void =>
  port.postMessage({ id, answer: value } satisfies Reply, given.map(({ buffer }) => buffer))

const fail = (id: number, error: unknown): void => {
  const failure: TaskFailure = isLibraryError(error)
    ? { kind: error.kind, message: error.message }
    : { kind: error instanceof RangeError ? "memory" : "lost", message: String(error) }
  port.postMessage({ id, failure } satisfies Reply)
}

const digestOf = (hasher: IHasher): number => Buffer.from(hasher.digest("binary")).readUInt32BE(4)

const withHasher = (
  wanted: boolean,
  use: (hasher: IHasher | undefined) => void,
  failed: (error: unknown) => void
): void => {
  if (wanted) createXXHash64().then((hasher) => use(hasher.init()), failed)
  else use(undefined)
}

const compress = ({ id, input, length, level }: Request & { readonly _tag: "Compress" }): void => {
  const original = input.subarray(0, length)
  const output = libraryOf().compress(original, level, () => Atomics.load(abandoned, 0) === id)
  answer<"Compress">(
    id,
    { output, input, crc32c: crc32c(original), storedCrc32c: crc32c(output) },
    [output, input]
  )
}

const decompress = ({ frame, hash, id, size, windowLog }: Request & { readonly _tag: "Decompress" }): void => {
  const output = libraryOf().decompress(frame, size, windowLog)
  withHasher(
    hash,
    (hasher) =>
      answer<"Decompress">(
        id,
        {
          output,
          crc32c: crc32c(output),
          hash: hasher === undefined ? undefined : digestOf(hasher.update(output))
        },
        [output]
      ),
    (error) => fail(id, error)
  )
}

const close = (session: number): void => {
  sessions.get(session)?.decoder.close()
  sessions.delete(session)
}

const decode = (task: Request & { readonly _tag: "Blocks" }, session: Session): void => {
  const { blocks, id, last, most, sequence } = task
  if (session.next !== sequence) throw libraryError("lost", `piece ${sequence} came in place of ${session.next}`)
  session.next += 1
  session.decoder.decode(blocks, most, last, (result) => {
    if (isLibraryError(result)) {
      close(task.session)
      fail(id, result)
      return
    }
    session.hasher?.update(result)
    const hash = last && session.hasher !== undefined ? digestOf(session.hasher) : undefined
    if (last) close(task.session)
    answer<"Blocks">(id, { output: result, crc32c: crc32c(result), hash }, [result])
  })
}

const blocks = (task: Request & { readonly _tag: "Blocks" }): void => {
  const open = sessions.get(task.session)
  if (open !== undefined) return decode(task, open)
  withHasher(
    task.hash,
    (hasher) =>
      attempt(task.id, () => {
        const session: Session = { decoder: libraryOf().decoder(task.windowLog), hasher, next: 0 }
        sessions.set(task.session, session)
        decode(task, session)
      }),
    (error) => fail(task.id, error)
  )
}

const perform = (request: Request): void => {
  switch (request._tag) {
    case "Hello": {
      const { name, version } = libraryOf()
      return answer<"Hello">(request.id, { library: name, version }, [])
    }
    case "Compress":
      return compress(request)
    case "Decompress":
      return decompress(request)
    case "Blocks":
      return blocks(request)
    case "Close":
      close(request.session)
      return answer<"Close">(request.id, undefined, [])
  }
}

const attempt = (id: number, run: () => void): void => {
  try {
    run()
  } catch (error) {
    fail(id, error)
  }
}

port.on("message", (request: Request) => attempt(request.id, () => perform(request)))
