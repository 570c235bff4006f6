import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as NodePath from "node:path"
import { type LocalNames, makeLocalPaths, toLocalPath } from "../../src/cli/localPath.ts"

const refused = (key: string, rules: LocalNames = "portable"): string => {
  const result = toLocalPath(key, rules)
  return Result.isFailure(result) ? result.failure : assert.fail(`${JSON.stringify(key)} was let through`)
}

/** Deterministic numbers (mulberry32). */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

const atoms = [
  "a",
  "A",
  "b",
  "é",
  "e\u0301",
  "ß",
  "SS",
  "ı",
  "i",
  "I",
  "/",
  "/",
  "/",
  "//",
  ".",
  "..",
  "../",
  "/..",
  "\\",
  ":",
  "C:",
  "\0",
  "\u0001",
  "\u007f",
  "\u0085",
  "\n",
  " ",
  "con",
  "CON",
  "nul.txt",
  "NUL",
  "com1",
  "lpt9.x",
  "COM¹",
  "aux ",
  "prn.",
  "%=..",
  "%2e%2e",
  ".objectstore~tmp~x",
  ".OBJECTSTORE~",
  "\ud800",
  "\u202e",
  "x".repeat(254),
  "😀",
  "-",
  "~",
  "$",
  "*",
  "?",
  "|"
]

const key = (next: () => number): string => {
  let text = ""
  for (let i = Math.floor(next() * 7); i >= 0; i--) text += atoms[Math.floor(next() * atoms.length)]
  return text
}

const windowsDevices = new Set([
  "CON",
  "PRN",
  "AUX",
  "NUL",
  "CONIN$",
  "CONOUT$",
  ...["COM", "LPT"].flatMap((name) => [..."0123456789¹²³"].map((n) => name + n))
])

describe("toLocalPath", () => {
  it("keeps ordinary keys as they are", () => {
    for (
      const plain of [
        "a",
        "a/b/c.txt",
        "...a",
        ".hidden",
        "console",
        "com10",
        "a b",
        "%2e%2e/x",
        "ünï/😀",
        "a..b",
        "-rf",
        "~"
      ]
    ) {
      assert.deepStrictEqual(toLocalPath(plain, "portable"), Result.succeed(plain))
    }
  })

  it("refuses what leaves the directory, on any system", () => {
    for (const rules of ["portable", "native"] as const) {
      for (
        const bad of [
          "..",
          "a/../b",
          "../x",
          "/etc/passwd",
          "//host/share",
          ".",
          "a/./b",
          "",
          "a//b",
          "a/",
          "a\0b",
          "\ud800"
        ]
      ) {
        assert.isString(refused(bad, rules))
      }
    }
  })

  it("refuses drives, UNC, streams, backslashes, devices, trailing dots and spaces, controls, and long and reserved names", () => {
    const bad = [
      "C:/x",
      "c:x",
      "\\\\host\\share",
      "a\\b",
      "a:b",
      "CON",
      "con.txt",
      "x/NUL.tar.gz",
      "aux",
      "COM1",
      "lpt9.log",
      "COM².x",
      "CONIN$",
      "nul .txt",
      "a.",
      "a ",
      "a/b./c",
      "a\nb",
      "a\u007f",
      "a\u0085",
      "x".repeat(256),
      "é".repeat(128),
      ".objectstore~tmp~0",
      ".ObjectStore~x"
    ]
    for (const one of bad) assert.isString(refused(one))
  })

  it("lets everything through under native rules that Linux can hold", () => {
    if (process.platform !== "linux") return
    for (const odd of ["a:b", "CON", "a\\b", "a.", "a\nb"]) {
      assert.deepStrictEqual(toLocalPath(odd, "native"), Result.succeed(odd))
    }
  })

  it("says what is wrong without control characters", () => {
    assert.notInclude(refused("nul\u0001/../con"), "\u0001")
    assert.include(refused("a/../con"), "\"..\"")
  })

  it("lets only harmless relative paths through: 100,000 keys", () => {
    const next = random(1)
    let passed = 0
    for (let i = 0; i < 100_000; i++) {
      const path = toLocalPath(key(next), "portable")
      if (Result.isFailure(path)) continue
      passed++
      const text = path.success
      assert.isTrue(NodePath.posix.resolve("/root", text).startsWith("/root/"), text)
      assert.isTrue(NodePath.win32.resolve("C:\\root", text).startsWith("C:\\root\\"), text)
      assert.strictEqual(NodePath.posix.normalize(text), text)
      for (const segment of text.split("/")) {
        assert.isAtMost(Buffer.byteLength(segment), 255)
        assert.isFalse(windowsDevices.has(segment.split(".")[0]!.trimEnd().toUpperCase()), segment)
        assert.strictEqual(segment, segment.replace(/[. ]+$/, ""))
        // oxlint-disable-next-line no-control-regex
        assert.notMatch(segment, /[\u0000-\u001f\\:]/)
      }
    }
    assert.isAbove(passed, 5000)
  })
})

describe("makeLocalPaths", () => {
  const claims = (keys: ReadonlyArray<string>, rules: LocalNames = "portable"): ReadonlyArray<boolean> => {
    const paths = makeLocalPaths(rules)
    return keys.map((one) => Result.isSuccess(paths.claim(one)))
  }

  it("gives a file to the first of keys that differ by case or normalisation only", () => {
    assert.deepStrictEqual(claims(["a/Readme", "A/README", "b"]), [true, false, true])
    assert.deepStrictEqual(claims(["é", "e\u0301", "É"]), [true, false, false])
    assert.deepStrictEqual(claims(["straße", "STRASSE"]), [true, false])
  })

  it("keeps files and directories apart, whichever comes first", () => {
    assert.deepStrictEqual(claims(["a", "a/b", "A/c/d"]), [true, false, false])
    assert.deepStrictEqual(claims(["a/b", "a/c", "A"]), [true, true, false])
  })

  it("names the key that has the file", () => {
    const paths = makeLocalPaths("portable")
    paths.claim("Readme")
    const result = paths.claim("README")
    assert.isTrue(Result.isFailure(result) && result.failure.includes("\"Readme\""))
  })

  it("tells case apart under native rules on Linux, but never gives one path twice", () => {
    if (process.platform !== "linux") return
    assert.deepStrictEqual(claims(["a", "A", "a"], "native"), [true, true, false])
  })

  it("never gives two of 100,000 keys one file, whatever the file system folds", () => {
    const next = random(2)
    const paths = makeLocalPaths("portable")
    const given: Array<string> = []
    for (let i = 0; i < 100_000; i++) {
      const claimed = paths.claim(key(next))
      if (Result.isSuccess(claimed)) given.push(claimed.success)
    }
    assert.isAbove(given.length, 1000)
    for (const form of ["NFC", "NFD"] as const) {
      for (const fold of [(s: string) => s.toLowerCase(), (s: string) => s.toUpperCase(), (s: string) => s]) {
        const folded = given.map((path) => fold(path.normalize(form)))
        const files = new Set(folded)
        assert.strictEqual(files.size, given.length)
        for (const path of folded) {
          for (let i = path.indexOf("/"); i !== -1; i = path.indexOf("/", i + 1)) {
            assert.isFalse(files.has(path.slice(0, i)), path)
          }
        }
      }
    }
  })
})
