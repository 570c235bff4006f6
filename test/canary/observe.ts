/**
 * Watches all that a process says: errors of the library in every form, logs of every level, spans, metrics, and what the
 * processes that it starts print; and learns the secrets that it has, from where they are made.
 */
import { Cause, Context, Effect, Logger, Metric, References, Tracer } from "effect"
import mutableProcesses from "node:child_process"
import mutableCrypto from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import { inspect } from "node:util"
import { errorHook } from "./hook.ts"
import { makeSecrets, type Secrets } from "./secrets.ts"

export interface Observed {
  readonly secrets: Secrets
  /** How much was looked at, by what it was. */
  readonly looked: Record<string, number>
  /** Looks at what is left: the metrics. */
  readonly end: () => void
}

type Report = (where: string, form: string, excerpt: string) => void

const cacheKey = "~effect/Context/defaultValue"

/** Names of variables that hold secrets, where a process is started with them. */
const secretName = /SECRET|TOKEN|PASSWORD|CONNECTION_STRING|(?:STORAGE|ACCOUNT)_KEY|SAS/i

/** Watches this process for good. */
export const observe = (report: Report): Observed => {
  const secrets = makeSecrets()
  const looked: Record<string, number> = {}
  const look = (what: string, text: string): void => {
    looked[what] = (looked[what] ?? 0) + 1
    for (const { excerpt, form } of secrets.find(text)) report(what, form, excerpt)
  }
  learnSecrets(secrets)
  watchErrors(look)
  watchLogs(look)
  watchSpans(look)
  watchProcesses(look, secrets)
  return {
    secrets,
    looked,
    end: () => look("metrics", Effect.runSync(Metric.dump))
  }
}

type Look = (what: string, text: string) => void

const learnSecrets = ({ register }: Secrets): void => {
  // Effect keeps what is redacted in a WeakMap, by the object that stands for it.
  const set = WeakMap.prototype.set
  // oxlint-disable-next-line no-extend-native
  WeakMap.prototype.set = function(this: WeakMap<WeakKey, unknown>, key, value) {
    if (typeof value === "string" && "~effect/Redacted" in (key as object)) register(value)
    return set.call(this, key, value)
  }
  const { createPrivateKey } = mutableCrypto
  mutableCrypto.createPrivateKey = ((key: Parameters<typeof createPrivateKey>[0]) => {
    if (typeof key === "string") register(key)
    return createPrivateKey(key)
  }) as typeof createPrivateKey
  syncBuiltinESMExports()
}

const watchErrors = (look: Look): void => {
  const seen = new Set<string>()
  Object.assign(globalThis, {
    [errorHook]: (error: Error & { readonly reason: { readonly _tag: string; readonly code?: unknown } }) => {
      const json = JSON.stringify(error)
      look("error", `${error.message}\n${json}`)
      // The other forms take long, and differ only between errors of different kinds and places.
      const kind = json.replaceAll(/\d+/g, "#")
      if (seen.has(kind)) return
      seen.add(kind)
      const forms = [
        String(error),
        error.stack,
        inspect(error, { depth: 12, showHidden: true }),
        inspect(error.reason, { depth: 12 })
      ]
      look("error, in full", [...forms, Cause.pretty(Cause.fail(error))].join("\n"))
    }
  })
}

/** Gives a reference another default: the one that all programs have which say nothing. */
const setDefault = <A, B extends A>(reference: Context.Reference<A>, change: (before: A) => B): void => {
  const before = Context.get(Context.empty(), reference)
  Reflect.set(reference, cacheKey, change(before))
}

const watchLogs = (look: Look): void => {
  setDefault(References.MinimumLogLevel, () => "All" as const)
  const observer = Logger.make(({ cause, logLevel, message }) => {
    look(`log ${logLevel}`, `${inspect(message, { depth: 8 })}\n${Cause.pretty(cause)}`)
  })
  setDefault(Logger.CurrentLoggers, (before) => {
    // What programs print stays as it was.
    const quiet = new Set(["All", "Trace", "Debug", "None"])
    const printers = [...before].map((logger) =>
      logger === Logger.tracerLogger
        ? logger
        : Logger.make((entry: Logger.Options<unknown>) => quiet.has(entry.logLevel) ? undefined : logger.log(entry))
    )
    return new Set([...printers, observer])
  })
}

const watchSpans = (look: Look): void => {
  const { end } = Tracer.NativeSpan.prototype
  Tracer.NativeSpan.prototype.end = function(this: Tracer.NativeSpan, time, exit) {
    const attributes = [...this.attributes].map(([name, value]) => `${name}=${String(value)}`).join(" ")
    const failure = exit._tag === "Failure" ? Cause.pretty(exit.cause) : ""
    const events = this.events.length === 0 ? "" : inspect(this.events, { depth: 6 })
    look("span", `${this.name} ${attributes} ${failure} ${events}`)
    end.call(this, time, exit)
  }
}

const watchProcesses = (look: Look, { register }: Secrets): void => {
  const { spawn } = mutableProcesses
  const watched = (...args: Parameters<typeof spawn>) => {
    const [command, parameters, options] = args as unknown as [
      string,
      ReadonlyArray<string>?,
      { readonly env?: NodeJS.ProcessEnv }?
    ]
    for (const [name, value] of Object.entries(options?.env ?? {})) {
      if (secretName.test(name) && value !== undefined) register(value)
    }
    const child = spawn(...args)
    // A URL is what `presign` is for.
    const all = [command, ...(Array.isArray(parameters) ? parameters : [])].map(String)
    const isAsked = all.includes("presign")
    for (const [name, stream] of [["stdout", child.stdout], ["stderr", child.stderr]] as const) {
      if (stream === null || (isAsked && name === "stdout")) continue
      let text = ""
      const keep = (chunk: Buffer) => {
        if (text.length < 1_000_000) text += chunk.toString("latin1")
      }
      // Listens without making the stream flow, which is the test's own affair.
      const push = stream.push.bind(stream)
      stream.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
        if (chunk === null) look(`a process's ${name}`, text)
        else keep(chunk)
        return push(chunk, encoding)
      }
    }
    return child
  }
  Object.assign(mutableProcesses, { spawn: watched })
  syncBuiltinESMExports()
}
