/**
 * Sizes and ages as people write them.
 *
 * @internal
 */
const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]

/** A size for people: three digits and a binary unit. */
export const formatSize = (bytes: number): string => {
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ${
    units[unit]
  }`
}

const powers: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }
const binary: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** A size such as `65536`, `64KiB`, `64K` (both 65536) or `64kB` (64000); `undefined` if it is none. */
export const parseSize = (text: string): number | undefined => {
  const match = /^([0-9]+)\s*([kmgt]?)(i?b?)$/i.exec(text)
  if (match === null) return undefined
  const [, digits = "", letter = "", rest = ""] = match
  const lower = letter.toLowerCase()
  if (lower === "" && rest.toLowerCase().startsWith("i")) return undefined
  const unit = lower !== "" && rest.toLowerCase() !== "b" ? binary[lower] : powers[lower]
  const size = Number(digits) * (unit ?? Number.NaN)
  return Number.isSafeInteger(size) ? size : undefined
}

const ages: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3, w: 604_800e3 }

/** An age such as `30m`, `12h` or `7d` in milliseconds; `undefined` if it is none. */
export const parseAge = (text: string): number | undefined => {
  const match = /^([0-9]+)([smhdw])$/.exec(text)
  if (match === null) return undefined
  const age = Number(match[1]) * (ages[match[2] ?? ""] ?? Number.NaN)
  return Number.isSafeInteger(age) ? age : undefined
}

/** A range of bytes such as `0-99`, `100-` or `-100`; `undefined` if it is none. */
export const parseRange = (
  text: string
): { readonly offset: number; readonly length?: number } | { readonly suffix: number } | undefined => {
  const match = /^([0-9]*)-([0-9]*)$/.exec(text)
  if (match === null) return undefined
  const [, from = "", to = ""] = match
  if (from === "" && to === "") return undefined
  if (![Number(from), Number(to)].every(Number.isSafeInteger)) return undefined
  if (from === "") return { suffix: Number(to) }
  if (to === "") return { offset: Number(from) }
  return Number(to) < Number(from) ? undefined : { offset: Number(from), length: Number(to) - Number(from) + 1 }
}
