/**
 * zstd at level 3: our streams on one and two threads, beside the library's own calls on one thread.
 */
import { Effect, ManagedRuntime, Stream } from "effect"
import * as NodeFs from "node:fs"
import { createRequire } from "node:module"
import * as NodePath from "node:path"
import type * as Napi from "zstd-napi/binding.js"
import * as Zstd from "../../src/codec/Zstd.ts"
import { makeText, timed } from "../codecText.ts"
import { type Case, type Median, MiB, speed, type Workload } from "../harness.ts"

const size = 64 * MiB
const frameSize = 4 * MiB
const fileIn = (directory: string): string => NodePath.join(directory, "text")

const chunksOf = (bytes: Uint8Array): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / MiB) }, (_, index) => bytes.subarray(index * MiB, (index + 1) * MiB))
  ).pipe(Stream.rechunk(1))

/** The library itself, as a careful program would call it: one context, one target, frame by frame, with checksums. */
const library = (way: "compress" | "decompress"): Case => ({
  setup: async (directory) => {
    const zstd = createRequire(import.meta.url)("zstd-napi/binding.js") as typeof Napi
    const original = NodeFs.readFileSync(fileIn(directory))
    const [compressor, decompressor] = [new zstd.CCtx(), new zstd.DCtx()]
    compressor.setParameter(zstd.CParameter.compressionLevel, 3)
    compressor.setParameter(zstd.CParameter.checksumFlag, 1)
    const target = new Uint8Array(zstd.compressBound(frameSize))
    const compressAll = (each: (frame: Uint8Array, at: number) => void): void => {
      for (let at = 0; at < original.length; at += frameSize) {
        each(target.subarray(0, compressor.compress2(target, original.subarray(at, at + frameSize))), at)
      }
    }
    const frames: Array<Uint8Array> = []
    compressAll((frame) => frames.push(frame.slice()))
    return async () => {
      if (way === "compress") compressAll(() => undefined)
      else for (const frame of frames) decompressor.decompress(target, frame)
      return { bytes: original.length, figures: { "stop ms": 0, "stop CPU-ms": 0 } }
    }
  }
})

const ours = (way: "compress" | "decompress", options: Zstd.ZstdPoolOptions): Case => ({
  setup: async (directory) => {
    const original = NodeFs.readFileSync(fileIn(directory))
    const runtime = ManagedRuntime.make(Zstd.layer(options))
    const stored = await runtime.runPromise(Zstd.compress(original))
    const services = await runtime.context()
    const run = way === "compress"
      ? chunksOf(original).pipe(Zstd.compressStream(), Stream.runDrain)
      : chunksOf(stored).pipe(Zstd.decompressStream(), Stream.runDrain)
    return () => timed(run.pipe(Effect.as(original.length), Effect.orDie, Effect.provideContext(services)))
  }
})

const stopOf = (name: string) => (medians: Readonly<Record<string, Median>>): number | undefined =>
  medians[name]?.figures["stop CPU-ms"]

export const workload: Workload = {
  title: "zstd, level 3: 64 MiB of text",
  prepare: (directory) => makeText(fileIn(directory), size),
  rounds: 5,
  warmups: 2,
  cases: {
    "library": library("compress"),
    "1 thread": ours("compress", { threads: 1, library: "zstd-napi" }),
    "2 threads": ours("compress", { threads: 2, library: "zstd-napi" }),
    "1 thread, zlib": ours("compress", { threads: 1, library: "node:zlib" }),
    "2 threads, zlib": ours("compress", { threads: 2, library: "node:zlib" }),
    "library, back": library("decompress"),
    "1 thread, back": ours("decompress", { threads: 1, library: "zstd-napi" }),
    "2 threads, back": ours("decompress", { threads: 2, library: "zstd-napi" }),
    "2 threads, zlib, back": ours("decompress", { threads: 2, library: "node:zlib" })
  },
  targets: [
    { name: "one thread : library", value: speed("1 thread", "library"), atLeast: 0.9 },
    { name: "two threads : library", value: speed("2 threads", "library"), atLeast: 1.5 },
    { name: "one thread with zlib : library", value: speed("1 thread, zlib", "library") },
    { name: "two threads with zlib : library", value: speed("2 threads, zlib", "library") },
    { name: "back, one thread : library", value: speed("1 thread, back", "library, back") },
    { name: "back, two threads : library", value: speed("2 threads, back", "library, back") },
    { name: "the loop stops", value: stopOf("2 threads"), atMost: 15, unit: "ms" },
    { name: "the loop stops, back", value: stopOf("2 threads, back"), atMost: 15, unit: "ms" }
  ]
}
