import { Effect, type Scope } from "effect"
import type { Backend, ObjectStoreError } from "effect-objectstore"
import * as Direct from "effect-objectstore/layers/Direct"
import * as File from "effect-objectstore/layers/File"
import * as Memory from "effect-objectstore/layers/Memory"
import { memoryDirectory } from "../filesystem/TempDirectory.ts"

/** A backend, and what operations over it are relative to. */
export interface Place {
  readonly backend: Backend
  readonly base: string
  /** Where its files are, if it has some. */
  readonly root?: string | undefined
}

/** Stores without a wire. */
export const places: Readonly<Record<string, Effect.Effect<Place, ObjectStoreError, Scope.Scope>>> = {
  memory: Effect.map(Memory.makeBackend({ capabilities: { multipart: { minPartSize: 4096 } } }), (backend) => ({
    backend,
    base: "mem://memory/"
  })),
  file: Effect.flatMap(
    memoryDirectory,
    (root) =>
      Effect.map(
        File.makeBackend({ root, durability: "none" }),
        (backend) => ({ backend, base: `file://${root}/`, root })
      )
  ),
  direct: Effect.flatMap(memoryDirectory, (root) =>
    Effect.map(
      Direct.makeBackend({ root, durability: "none", fallback: "buffered", slots: 2, slotSize: 64 * 1024 }),
      (backend) => ({ backend, base: `direct://${root}/`, root })
    ))
}
