/**
 * The optional package `@node-rs/crc32`, which takes CRCs with the processor's own instructions.
 *
 * @internal
 */
import { createRequire } from "node:module"

/** The sum of bytes; `previous` is the sum of all bytes before these, 0 if there are none. */
export type Crc = (bytes: Uint8Array, previous?: number) => number

interface Addon {
  readonly crc32: Crc
  readonly crc32c: Crc
}

const check = new TextEncoder().encode("123456789")

/** Whether a function gives the check value, in one piece and in two. */
const gives = (sum: Crc, value: number): boolean =>
  sum(check) === value && sum(check.subarray(4), sum(check.subarray(0, 4))) === value

let loaded: Addon | "none" | undefined

const load = (): Addon | "none" => {
  try {
    const addon = createRequire(import.meta.url)("@node-rs/crc32") as Addon
    return gives(addon.crc32, 0xcbf43926) && gives(addon.crc32c, 0xe3069283) ? addon : "none"
  } catch {
    // It is optional: what takes its place gives the same sums.
    return "none"
  }
}

/** The package, if it is installed and right. */
export const crcAddon = (): Addon | undefined => {
  loaded ??= load()
  return loaded === "none" ? undefined : loaded
}
