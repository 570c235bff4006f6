/**
 * From a seed to a sequence of commands. The generator is fixed here, and not taken from a library, so that a seed that
 * was kept means the same sequence for ever.
 *
 * @since 0.1.0
 */
import type { Command, CommandMode, CommandRange } from "./Command.ts"

/** Few keys, so that they meet: nested, prefixes of each other, and hard to spell. */
const keys = [
  "a",
  "a/b",
  "a/b/c",
  "a/c",
  "ab",
  "a-b",
  "b",
  "b/",
  "b//c",
  "c/../d",
  "c/%2F",
  "é",
  "e\u0301",
  "\u{1f600}",
  "\uff5e"
]

/**
 * Keys of writers where a key and a key below it cannot both exist: an open upload may keep the directories of its key,
 * so they are ones that no other command wants to be an object.
 */
const apart = keys.filter((key) => !keys.some((other) => key.startsWith(`${other}/`)))

const prefixes = ["", "a", "a/", "a/b", "a/b/", "b", "b/", "b//", "c/", "q"]

const sizes = [0, 1, 7, 100, 999, 1000, 1001, 2000, 3007, 5000]

/** Mulberry32: 32 bits of state, the same on every platform. */
const makeRandom = (seed: number) => {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  const below = (n: number): number => Math.floor(next() * n)
  return {
    below,
    chance: (n: number, of: number): boolean => below(of) < n,
    one: <A>(values: ReadonlyArray<A>): A => values[below(values.length)]!
  }
}

type Draw = ReturnType<typeof makeRandom>

const mode = (draw: Draw): CommandMode => draw.one(["overwrite", "overwrite", "overwrite", "create", "right", "stale"])

const range = (draw: Draw): CommandRange => {
  if (draw.chance(1, 4)) return { suffix: draw.one([0, 1, 10, 1000, 10_000]) }
  const offset = draw.one([0, 1, 99, 100, 999, 1000, 2500, 5000, 5001])
  return draw.chance(1, 3) ? { offset } : { offset, length: draw.one([0, 1, 10, 1000, 10_000]) }
}

/**
 * What the store under test can do of what commands ask for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Abilities {
  readonly create: boolean
  readonly update: boolean
  readonly conditionalDelete: boolean
  readonly conditionalCopy: boolean
  readonly metadata: boolean
  readonly startAfter: boolean
  readonly hierarchical: boolean
  /** Uploads of one key do not disturb each other, or what is put under the key meanwhile. */
  readonly isolated: boolean
  /** Keys that the store refuses; others stand in for them. */
  readonly refusedKeys?: ReadonlySet<string> | undefined
  /** No key lies below another one. */
  readonly apart?: boolean | undefined
}

/** A key as the store can hold it. */
const held = ({ refusedKeys }: Abilities, key: string): string =>
  refusedKeys?.has(key) === true
    ? key.replaceAll("/../", "/up/").replaceAll("//", "/two/").replace(/\/$/, "/end")
    : key

const command = (draw: Draw, fill: number, can: Abilities): Command => {
  const one = (): string => held(can, draw.one(can.apart === true ? apart : keys))
  const key = one()
  const allowed = (wanted: CommandMode): CommandMode =>
    (wanted === "create" && !can.create) || ((wanted === "right" || wanted === "stale") && !can.update)
      ? "overwrite"
      : wanted
  const size = draw.one(sizes)
  const kind = draw.below(100)
  if (kind < 24) {
    const op = draw.one(["put", "put", "putMultipart", "putStream"] as const)
    return { op, key, size, fill, mode: allowed(mode(draw)), metadata: can.metadata && draw.chance(1, 3) }
  }
  if (kind < 27) return { op: draw.one(["failedPut", "stalledPut"] as const), key, size, fill }
  if (kind < 30) return { op: "interruptedPut", key, size, fill, turns: draw.below(40) }
  if (kind < 35) {
    const wanted = can.hierarchical ? held(can, draw.one(apart)) : key
    const slot = draw.below(2)
    return {
      op: "openWriter",
      slot,
      // A key that nobody else writes, where others would take the parts away.
      key: can.isolated ? wanted : `writer-${slot}`,
      mode: can.create && draw.chance(1, 4) ? "create" : "overwrite"
    }
  }
  if (kind < 41) return { op: "write", slot: draw.below(2), size, fill }
  if (kind < 46) {
    return { op: draw.one(["finishWriter", "finishWriter", "abandonWriter"] as const), slot: draw.below(2) }
  }
  if (kind < 56) return { op: draw.one(["get", "stat", "exists", "read"] as const), key }
  if (kind < 64) return { op: "getRange", key, range: range(draw) }
  if (kind < 74) {
    const prefix = draw.one(prefixes)
    const pageSize = draw.one([undefined, 1, 2, 3])
    if (draw.chance(1, 2)) return { op: "listDirectory", prefix, pageSize }
    return {
      op: "list",
      prefix,
      pageSize,
      startAfter: can.startAfter && draw.chance(1, 3) ? one() : undefined
    }
  }
  if (kind < 84) {
    const wanted = can.conditionalCopy ? mode(draw) : "overwrite"
    return { op: draw.one(["copy", "rename"] as const), key, to: one(), mode: wanted }
  }
  if (kind < 95) {
    return {
      op: "delete",
      key,
      mode: can.conditionalDelete ? draw.one(["always", "always", "right", "stale"] as const) : "always"
    }
  }
  if (kind < 98) return { op: "deleteMany", keys: Array.from({ length: draw.below(5) }, one) }
  return { op: "deletePrefix", prefix: draw.one(prefixes.slice(1)) }
}

/**
 * Generates the sequence of a seed.
 *
 * @category testing
 * @since 0.1.0
 */
export const generate = (seed: number, length: number, can: Abilities): ReadonlyArray<Command> => {
  const draw = makeRandom(seed)
  const count = 1 + draw.below(length)
  return Array.from({ length: count }, (_, i) => command(draw, i + 1, can))
}
