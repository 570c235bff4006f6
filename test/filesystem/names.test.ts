import { assert, describe, it } from "@effect/vitest"
import { decodeSegment, encodeSegment, isId, reserved, toKey, toPath, uploadId } from "../../src/filesystem/names.ts"

const pieces = [
  "%",
  "%",
  "=",
  ".",
  "..",
  "\0",
  "25",
  "00",
  "2",
  "0",
  reserved,
  "~",
  "a",
  "B",
  " ",
  "\n",
  "é",
  "e\u0301",
  "😀",
  "\\"
]

// Numerical Recipes' generator: the same segments every time.
const makeRandom = (seed: number) => (below: number): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return Math.floor(seed / 2 ** 32 * below)
}

const makeText = (random: (below: number) => number): string =>
  Array.from({ length: random(7) }, () => pieces[random(pieces.length)]!).join("")

const isFileName = (name: string): boolean =>
  name !== "" && name !== "." && name !== ".." && !/[/\0]/.test(name) && !name.startsWith(reserved)

describe("names of segments", () => {
  it("every segment has a file name that leads back to it, and no other segment has it (100,000 generated)", () => {
    const random = makeRandom(1)
    const owners = new Map<string, string>()
    for (let i = 0; i < 100_000; i++) {
      const segment = makeText(random)
      const name = encodeSegment(segment)
      if (!isFileName(name)) assert.fail(`${JSON.stringify(segment)} gives ${JSON.stringify(name)}`)
      if (decodeSegment(name) !== segment) assert.fail(`${JSON.stringify(name)} does not lead back`)
      const owner = owners.get(name) ?? segment
      if (owner !== segment) assert.fail(`${JSON.stringify(segment)} and ${JSON.stringify(owner)} share a name`)
      owners.set(name, segment)
    }
  })

  it("every file name belongs to a segment that leads back to it (100,000 generated)", () => {
    const random = makeRandom(2)
    for (let i = 0; i < 100_000; i++) {
      const name = makeText(random)
      if (!isFileName(name)) continue
      if (encodeSegment(decodeSegment(name)) !== name) assert.fail(`${JSON.stringify(name)} is not reachable`)
    }
  })

  it("keys and paths lead to each other (100,000 generated)", () => {
    const random = makeRandom(3)
    for (let i = 0; i < 100_000; i++) {
      const key = Array.from({ length: 1 + random(4) }, () => makeText(random)).join("/")
      const path = toPath(key)
      if (typeof path === "string") assert.fail(`${JSON.stringify(key)}: ${path}`)
      if (toKey(path.directory, path.name) !== key) assert.fail(`${JSON.stringify(key)} does not come back`)
    }
  })

  it.each([
    ["a", "a"],
    ["100%", "100%"],
    ["%20", "%20"],
    ["...", "..."],
    ["", "%="],
    [".", "%=."],
    ["..", "%=.."],
    ["a\0%", "%=a%00%25"],
    [".objectstore~tmp~0", "%=.objectstore~tmp~0"],
    ["%=", "%%="],
    ["%=..", "%%=.."],
    ["%%=..", "%%%=.."],
    ["%=a", "%=a"],
    ["%=a%00", "%%=a%00"],
    ["%=%2F", "%=%2F"]
  ])("%j is the file name %j", (segment, name) => {
    assert.strictEqual(encodeSegment(segment), name)
    assert.strictEqual(decodeSegment(name), segment)
  })

  it("a segment of more than 255 bytes as a file name has no path", () => {
    assert.isObject(toPath("x".repeat(255)))
    assert.isString(toPath("x".repeat(256)))
    assert.isObject(toPath(`${"é".repeat(127)}/${"x".repeat(255)}`))
    assert.isString(toPath("é".repeat(128)))
    assert.isString(toPath(`${"x".repeat(254)}\0`))
  })
})

describe("ids", () => {
  it.each(["", "../../etc/passwd", "x".repeat(32), "0".repeat(31), `${"0".repeat(32)}\n`, "0".repeat(33)])(
    "%j never becomes part of a path",
    (text) => {
      assert.isFalse(isId(text))
      assert.isUndefined(uploadId(`${reserved}up~${text}`))
    }
  )
})
