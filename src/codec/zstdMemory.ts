/**
 * What a frame costs in memory while it is compressed: the tables of zstd's levels grow up to hundreds of MiB.
 *
 * @internal
 */

/**
 * Window, chain and hash logarithms of levels 1 to 22 for inputs above 256 KiB (`ZSTD_defaultCParameters` of zstd 1.5); those
 * of smaller inputs are not larger.
 */
const levels: ReadonlyArray<readonly [window: number, chain: number, hash: number]> = [
  [19, 13, 14],
  [20, 15, 16],
  [21, 16, 17],
  [21, 18, 18],
  [21, 18, 19],
  [21, 18, 19],
  [21, 19, 20],
  [21, 19, 20],
  [22, 20, 21],
  [22, 21, 22],
  [22, 21, 22],
  [22, 22, 23],
  [22, 22, 22],
  [22, 22, 23],
  [22, 23, 23],
  [22, 22, 22],
  [23, 23, 22],
  [23, 23, 22],
  [23, 24, 22],
  [25, 25, 23],
  [26, 26, 24],
  [27, 27, 25]
]

/** What zstd needs beside its tables: the state of the optimal parser, blocks in the making. */
const rest = 4 * 1024 * 1024

/** Bytes that compressing a frame of `length` bytes takes at most, its input and output with it. */
export const compressMemory = (level: number, length: number): number => {
  const [window, chain, hash] = levels[level - 1]!
  const log = Math.max(10, Math.ceil(Math.log2(Math.max(length, 2))))
  const windowLog = Math.min(window, log)
  // The tables are cut down to what the window can fill; a binary tree has two links a position.
  const tables = 4 * (2 ** Math.min(chain, windowLog + 1) + 2 ** Math.min(hash, windowLog + 1))
  return tables + 2 ** windowLog + 3 * length + rest
}
