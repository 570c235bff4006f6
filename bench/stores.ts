/**
 * Stores for cases: opened once, for as long as the process lives.
 */
import { Effect, Scope } from "effect"
import * as Direct from "../layers/Direct.ts"
import * as File from "../layers/File.ts"

export const openFile = (options: File.FileOptions) =>
  Effect.runPromise(Scope.provide(File.make(options), Scope.makeUnsafe()))

export const openDirect = (options: Direct.DirectOptions) =>
  Effect.runPromise(Scope.provide(Direct.make(options), Scope.makeUnsafe()))
