/**
 * What workloads of the three clouds have in common: the stub, and bytes up and down by a store of ours.
 */
import { Effect } from "effect"
import type { ObjectStore } from "../src/ObjectStore.ts"
import { streamOf } from "./handwrittenHttp.ts"
import { touched } from "./harness.ts"
import { originIn, startStub, stopStub } from "./stub/start.ts"

type Store = ObjectStore["Service"]
type Open = (origin: string) => Promise<Store>

/** The stub, and how often large bodies are moved. */
export const largeOverStub = { prepare: startStub, finish: stopStub, rounds: 3, runs: 2, warmups: 1 } as const

/** A case: `size` bytes of memory that has been used before, and what a store does with them. */
const withStore =
  (open: Open, size: number) => (move: (store: Store, memory: Uint8Array) => Effect.Effect<number, unknown>) => ({
    setup: async (directory: string) => {
      const store = await open(originIn(directory))
      const memory = touched(new Uint8Array(size))
      return () => Effect.runPromise(Effect.map(move(store, memory), (bytes) => ({ bytes })))
    }
  })

/** An object into memory of one's own. */
export const intoMemory = (open: Open, size: number, options?: Parameters<Store["getInto"]>[2]) =>
  withStore(open, size)((store, memory) =>
    Effect.map(store.getInto(`${size}.bin`, memory, options), ({ bytes }) => bytes)
  )

/** Bytes out of memory. */
export const ofMemory = (open: Open, size: number, options?: { readonly partSize?: number }) =>
  withStore(open, size)((store, memory) => Effect.map(store.put("put.bin", memory, options), (put) => put.size))

/** A stream of pieces of 64 KiB, whose length nobody is told. */
export const ofStream = (open: Open, size: number) =>
  withStore(open, size)((store, memory) => Effect.map(store.put("put.bin", streamOf(memory)), (put) => put.size))
