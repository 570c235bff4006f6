/**
 * CRCs by WebAssembly: a module of one function, put together here. It takes the bytes as words of 64 bits and keeps several
 * sums side by side, each of every `lanes`-th word, as zlib does ("braided", `crc32.c` of zlib 1.2.12): the lookups of one
 * lane do not wait for those of another, so it is more than twice as quick as one sum alone. At the end the lanes are joined
 * as if they were one more word each.
 *
 * Node's CRC-32 and the addon `@node-rs/crc32` use instructions of the processor that WebAssembly has not, and are quicker.
 *
 * @internal
 */
import { makeCrcTables, type Polynomial } from "./crcTables.ts"

/** Words taken in a step; more were no quicker. */
const lanes = 6
/** Bytes of a word. */
const word = 8
const step = lanes * word

// The memory: the rows of a byte in a word when a whole step follows, those when nothing follows, and the bytes.
const rowSize = 256 * word
const stepRows = 0
const lastRows = word * rowSize
const windowStart = 2 * word * rowSize
const windowSize = 128 * 1024 - (128 * 1024) % step
const pageSize = 65_536

type Code = ReadonlyArray<number>

/** A number in the format's variable length: seven bits a byte, the lowest first. */
const unsigned = (value: number): Code => value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)]
const signed = (value: number): Code =>
  value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)]

const sized = (body: Code): Code => [...unsigned(body.length), ...body]
const section = (id: number, body: Code): Code => [id, ...sized(body)]

const i32 = 0x7f
const i64 = 0x7e

const get = (local: number): Code => [0x20, ...unsigned(local)]
const set = (local: number): Code => [0x21, ...unsigned(local)]
const i32Const = (value: number): Code => [0x41, ...signed(value)]
const i64Const = (value: number): Code => [0x42, ...signed(value)]
/** Loads 64 bits at the address on the stack, plus a constant. */
const load = (offset: number): Code => [0x29, 3, ...unsigned(offset)]
const i32GreaterUnsigned = [0x4b]
const i32Add = [0x6a]
const i32And = [0x71]
const i64Xor = [0x85]
const i64ShiftLeft = [0x86]
const i64ShiftRight = [0x88]
const wrap = [0xa7]
const block = [0x02, 0x40]
const loop = [0x03, 0x40]
const end = [0x0b]
const branch = (depth: number): Code => [0x0c, depth]
const branchIf = (depth: number): Code => [0x0d, depth]

// The function: (pointer, end of the bytes, sum) -> sum. The bytes are whole steps, one at least.
const pointer = 0
const limit = 1
const sum = 2
const lane = (index: number): number => 3 + index

const times = (count: number, code: (index: number) => Code): Code =>
  Array.from({ length: count }, (_, index) => code(index)).flat()

/** The row entry for byte `index` of a word: eight times the byte, as an address. */
const entry = (local: number, index: number, rows: number): Code => [
  ...get(local),
  ...(index === 0 ? [...i64Const(3), ...i64ShiftLeft] : [...i64Const(8 * index - 3), ...i64ShiftRight]),
  ...wrap,
  ...i32Const(255 * word),
  ...i32And,
  ...load(rows + (word - 1 - index) * rowSize)
]

/** What a word in `local` does to the sum. */
const lookUp = (local: number, rows: number): Code =>
  times(word, (index) => [...entry(local, index, rows), ...(index === 0 ? [] : i64Xor)])

const loadWord = (index: number): Code => [...get(pointer), ...load(word * index)]

const body: Code = [
  ...get(sum),
  ...set(lane(0)),
  // All steps but the last.
  ...block,
  ...loop,
  ...get(pointer),
  ...i32Const(2 * step),
  ...i32Add,
  ...get(limit),
  ...i32GreaterUnsigned,
  ...branchIf(1),
  ...times(lanes, (index) => [...get(lane(index)), ...loadWord(index), ...i64Xor, ...set(lane(index))]),
  ...times(lanes, (index) => [...lookUp(lane(index), stepRows), ...set(lane(index))]),
  ...get(pointer),
  ...i32Const(step),
  ...i32Add,
  ...set(pointer),
  ...branch(0),
  ...end,
  ...end,
  // The last step joins the lanes.
  ...i64Const(0),
  ...set(sum),
  ...times(lanes, (index) => [
    ...get(lane(index)),
    ...loadWord(index),
    ...i64Xor,
    ...get(sum),
    ...i64Xor,
    ...set(sum),
    ...lookUp(sum, lastRows),
    ...set(sum)
  ]),
  ...get(sum),
  ...end
]

/** The magic number and the version. */
const preamble = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

/** `(import "a" "m" (memory)) (func (export "f") (param i32 i32 i64) (result i64) (local i64 …))` */
const binary = (): Uint8Array =>
  Uint8Array.from([
    ...preamble,
    ...section(1, [1, 0x60, 3, i32, i32, i64, 1, i64]),
    ...section(2, [1, 1, 0x61, 1, 0x6d, 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, 1, 0x66, 0, 0]),
    ...section(10, [1, ...sized([1, lanes, i64, ...body])])
  ])

type Run = (pointer: number, end: number, sum: bigint) => bigint

/** What of WebAssembly is used; Node's types leave it out, and Node may run without it. */
interface WebAssemblyLike {
  readonly Memory: new(descriptor: { readonly initial: number }) => { readonly buffer: ArrayBuffer }
  readonly Module: new(bytes: Uint8Array) => object
  readonly Instance: new(module: object, imports: object) => { readonly exports: { readonly f: Run } }
}

export interface CrcModule {
  /** The bare sum (not inverted) of whole steps at the start of `bytes`, and how many bytes that were. */
  readonly take: (bytes: Uint8Array, sum: bigint) => { readonly sum: bigint; readonly taken: number }
}

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1

/** The module for a polynomial; `undefined` where there is no WebAssembly, or bytes of a word lie the other way round. */
export const makeCrcModule = (polynomial: Polynomial): CrcModule | undefined => {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyLike }
  if (WebAssembly === undefined || !littleEndian) return undefined
  const memory = new WebAssembly.Memory({ initial: Math.ceil((windowStart + windowSize) / pageSize) })
  const { high, low } = makeCrcTables(polynomial, step)
  const words = new Int32Array(memory.buffer, 0, windowStart / 4)
  const write = (at: number, firstRow: number): void => {
    for (let index = 0; index < 256 * word; index++) {
      words[at / 4 + 2 * index] = low[256 * firstRow + index]!
      words[at / 4 + 2 * index + 1] = high[256 * firstRow + index]!
    }
  }
  write(stepRows, step - word)
  write(lastRows, 0)
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(binary()), { a: { m: memory } }).exports
  const window = new Uint8Array(memory.buffer, windowStart, windowSize)
  return {
    take: (bytes, start) => {
      const taken = bytes.length - (bytes.length % step)
      let running = start
      for (let at = 0; at < taken; at += windowSize) {
        const piece = bytes.subarray(at, Math.min(at + windowSize, taken))
        window.set(piece)
        running = BigInt.asUintN(64, f(windowStart, windowStart + piece.length, running))
      }
      return { sum: running, taken }
    }
  }
}
