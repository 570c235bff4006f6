/**
 * CRC-32, the checksum of zlib (RFC 1952 section 8) that S3 stores beside an object.
 *
 * @since 0.1.0
 */
import * as NodeZlib from "node:zlib"
import { type Crc, crcAddon } from "./crcAddon.ts"

let best: Crc | undefined

/** What takes the sums. @internal */
export const crc32Implementation = () => crcAddon() === undefined ? "node:zlib" : "@node-rs/crc32"

/**
 * The CRC-32 of bytes, as a number from 0 to 2^32 - 1. `previous` is the sum of all bytes before these, 0 if there are none.
 * The optional package `@node-rs/crc32` takes it at less than half of the cost of Node's own.
 *
 * @category checksums
 * @since 0.1.0
 */
export const crc32: Crc = (bytes, previous = 0) => {
  best ??= crcAddon()?.crc32 ?? NodeZlib.crc32
  return best(bytes, previous)
}
