/**
 * What the pool and its threads say to each other. Bytes are transferred, never copied: whoever sends them has them no more.
 *
 * @internal
 */

/** The library that compresses: the addon, or what Node itself has. Frames of one are read by the other. */
export type ZstdLibraryName = "zstd-napi" | "node:zlib"

/** What a thread is started with. */
export interface ThreadData {
  /** `"auto"`: the addon where it can be loaded. */
  readonly library: ZstdLibraryName | "auto"
  /** One 32-bit word: the id of the task that nobody waits for any more. */
  readonly abandoned: SharedArrayBuffer
}

type Bytes = Uint8Array<ArrayBuffer>

/** What a thread is asked. */
export type Task =
  | { readonly _tag: "Hello" }
  /** One frame of the first `length` bytes of `input`. */
  | { readonly _tag: "Compress"; readonly input: Bytes; readonly length: number; readonly level: number }
  /** A whole frame whose content has `size` bytes. */
  | {
    readonly _tag: "Decompress"
    readonly frame: Bytes
    readonly size: number
    readonly windowLog: number
    /** Whether XXH64 of the content is wanted, since the frame has it not. */
    readonly hash: boolean
  }
  /** The next whole blocks of a frame; the first bring its header, the last its checksum. */
  | {
    readonly _tag: "Blocks"
    readonly session: number
    /** From 0: pieces of a session come in order. */
    readonly sequence: number
    readonly blocks: Bytes
    /** The blocks cannot hold more than that. */
    readonly most: number
    readonly windowLog: number
    readonly last: boolean
    readonly hash: boolean
  }
  /** A frame is given up before its last blocks. */
  | { readonly _tag: "Close"; readonly session: number }

/** What a thread answers, by the tag of what it was asked. */
export interface Answers {
  readonly Hello: { readonly library: ZstdLibraryName; readonly version: string }
  readonly Compress: {
    readonly output: Bytes
    /** The memory of the input, to be used again. */
    readonly input: Bytes
    readonly crc32c: number
    readonly storedCrc32c: number
  }
  readonly Decompress: DecompressAnswer
  readonly Blocks: DecompressAnswer
  readonly Close: undefined
}

export interface DecompressAnswer {
  readonly output: Bytes
  readonly crc32c: number
  /** The low 32 bits of XXH64 of the frame's content, with its last bytes, if it was asked for. */
  readonly hash?: number | undefined
}

/** Why a task failed. */
export type FailureKind = "corrupt" | "memory" | "window" | "library" | "abandoned" | "lost"

export interface TaskFailure {
  readonly kind: FailureKind
  readonly message: string
}

export type Request = { readonly id: number } & Task
export type Reply =
  & { readonly id: number }
  & ({ readonly answer: Answers[Task["_tag"]] } | { readonly failure: TaskFailure })
