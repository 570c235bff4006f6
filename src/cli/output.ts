/**
 * Everything that is printed: lines for people or JSON objects on standard output, failures on standard error.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import type { ObjectInfo } from "../ObjectInfo.ts"
import { type ObjectStoreError, printable } from "../ObjectStoreError.ts"
import { OutputClosed, OutputFailed } from "./exit.ts"
import { formatSize } from "./size.ts"

/** How results are printed. */
export interface Format {
  readonly json: boolean
  readonly exact?: boolean | undefined
}

/** One result: what a program reads, and what a person reads, if anything. */
export interface Line {
  readonly json: { readonly type: string; readonly [name: string]: unknown }
  readonly text?: string | undefined
}

/** Why standard output could not be written. */
export type OutputError = OutputClosed | OutputFailed

/** Writes to standard output, and waits until it has been taken. */
export const write = (chunk: string | Uint8Array): Effect.Effect<void, OutputError> =>
  Effect.callback((resume) => {
    process.stdout.write(chunk, (error) => {
      if (error === null || error === undefined) return resume(Effect.void)
      const { code } = error as NodeJS.ErrnoException
      resume(Effect.fail(
        code === "EPIPE" || code === "ERR_STREAM_DESTROYED"
          ? new OutputClosed({ cause: error })
          : new OutputFailed({ message: error.message })
      ))
    })
  })

/** Prints results; one call writes at once. */
export const print = (format: Format, lines: ReadonlyArray<Line>): Effect.Effect<void, OutputError> => {
  const text = lines.map(({ json, text }) => {
    // Escapes are the same in JSON, and every control character that JSON leaves as it is stands inside a string.
    if (format.json) return `${printable(JSON.stringify(json))}\n`
    return text === undefined ? "" : `${printable(text)}\n`
  }).join("")
  return text === "" ? Effect.void : write(text)
}

/** Prints one line on standard error. A standard error that is closed is nobody's loss. */
export const complain = (text: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    process.stderr.write(`objectstore: ${printable(text)}\n`, () => resume(Effect.void))
  })

/** What stores warn of, one line each on standard error. */
export const logger = Logger.make<unknown, void>(({ logLevel, message }) => {
  const text = (Array.isArray(message) ? message : [message]).map(String).join(" ")
  process.stderr.write(`objectstore: ${logLevel === "Warn" ? "Warning" : logLevel}: ${printable(text)}\n`)
})

/** Lets writes to a closed pipe fail by their callbacks only. */
export const guardStreams: Effect.Effect<void> = Effect.sync(() => {
  process.stdout.on("error", () => undefined)
  process.stderr.on("error", () => undefined)
})

/** A failure of one of many objects. */
export const failureLine = (fields: { readonly [name: string]: unknown }, error: ObjectStoreError): Line => ({
  json: { type: "failed", ...fields, reason: error.reason._tag, message: error.message }
})

/** A size as the format wants it. */
export const sizeText = (format: Format, bytes: number): string =>
  format.exact === true ? String(bytes) : formatSize(bytes)

/** A time as the format wants it. */
export const timeText = (format: Format, time: DateTime.Utc | undefined): string => {
  if (time === undefined) return "-"
  const iso = DateTime.formatIso(time)
  return format.exact === true ? iso : iso.slice(0, 16).replace("T", " ")
}

/** Numbers of things, for people. */
export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`

/** An object in JSON, with what is known of it. */
export const infoJson = (info: ObjectInfo, shown: string): Line["json"] => ({
  type: "object",
  uri: shown,
  key: info.key,
  size: info.size,
  etag: info.etag,
  version: info.version,
  lastModified: info.lastModified === undefined ? undefined : DateTime.formatIso(info.lastModified),
  storageClass: info.storageClass
})
