/** Content that is made again from the same seed, of a kind that compresses so or so. */
export type Kind = "text" | "random" | "zeros" | "mixed"

export const kinds: ReadonlyArray<Kind> = ["text", "random", "zeros", "mixed"]

/** Numbers of 32 bits that look like chance (mulberry32). */
const numbers = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
}

const line = Buffer.from(
  "2026-11-26T12:31:07Z INFO service=store op=put key=model/weights.bin status=200 bytes=8388608\n"
)

export const content = (kind: Kind, length: number, seed = 1): Uint8Array => {
  const bytes = new Uint8Array(length)
  const next = numbers(seed)
  if (kind === "zeros") return bytes
  for (let at = 0; at < length;) {
    if (kind === "text" || (kind === "mixed" && next() % 2 === 0)) {
      const piece = line.subarray(0, Math.min(line.length, length - at))
      bytes.set(piece, at)
      if (at + 4 < length) bytes[at + next() % piece.length % 4] = 48 + next() % 10
      at += piece.length
    } else {
      const end = Math.min(length, at + 1024)
      for (; at < end; at++) bytes[at] = next()
    }
  }
  return bytes
}
