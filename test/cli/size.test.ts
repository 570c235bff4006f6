import { assert, describe, it } from "@effect/vitest"
import { formatSize, parseAge, parseRange, parseSize } from "../../src/cli/size.ts"

describe("sizes, ages and ranges", () => {
  it("prints sizes with about three digits and a binary unit", () => {
    const cases: ReadonlyArray<readonly [number, string]> = [
      [0, "0 B"],
      [999, "999 B"],
      [1000, "0.98 KiB"],
      [1024, "1.00 KiB"],
      [12_345, "12.1 KiB"],
      [999_999, "977 KiB"],
      [5 * 2 ** 20, "5.00 MiB"],
      [2 ** 30, "1.00 GiB"],
      [Number.MAX_SAFE_INTEGER, "8.00 PiB"]
    ]
    for (const [bytes, text] of cases) assert.strictEqual(formatSize(bytes), text)
  })

  it("reads sizes in bytes, binary and decimal units", () => {
    const cases: ReadonlyArray<readonly [string, number | undefined]> = [
      ["65536", 65536],
      ["8MiB", 8388608],
      ["8M", 8388608],
      ["8m", 8388608],
      ["8MB", 8_000_000],
      ["5kB", 5000],
      ["7B", 7],
      ["1TiB", 2 ** 40],
      ["", undefined],
      ["MiB", undefined],
      ["1.5M", undefined],
      ["-1", undefined],
      ["8iB", undefined],
      ["8 MiB", 8388608],
      ["8X", undefined],
      ["99999999999T", undefined],
      ["1e3", undefined],
      ["0x10", undefined]
    ]
    for (const [text, size] of cases) assert.strictEqual(parseSize(text), size, text)
  })

  it("reads ages", () => {
    assert.strictEqual(parseAge("0s"), 0)
    assert.strictEqual(parseAge("30m"), 1_800_000)
    assert.strictEqual(parseAge("7d"), 604_800_000)
    for (const bad of ["", "7", "d", "-1d", "1.5h", "7 d", "99999999999999999w"]) assert.isUndefined(parseAge(bad), bad)
  })

  it("reads ranges with both ends included", () => {
    assert.deepStrictEqual(parseRange("0-0"), { offset: 0, length: 1 })
    assert.deepStrictEqual(parseRange("10-19"), { offset: 10, length: 10 })
    assert.deepStrictEqual(parseRange("10-"), { offset: 10 })
    assert.deepStrictEqual(parseRange("-10"), { suffix: 10 })
    for (const bad of ["", "-", "5-4", "a-b", "1", "1-2-3", "1.5-2", "9007199254740993-"]) {
      assert.isUndefined(parseRange(bad), bad)
    }
  })
})
