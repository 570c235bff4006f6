import { assert, describe, it } from "@effect/vitest"
import * as NodeZlib from "node:zlib"
import { crc32 } from "../../src/codec/Crc32.ts"
import { crcAddon } from "../../src/codec/crcAddon.ts"

const bytes = Uint8Array.from({ length: 5000 }, (_, i) => Math.imul(i, 2654435761) >>> 24)

describe("CRC-32", () => {
  it("has the check value", () => assert.strictEqual(crc32(new TextEncoder().encode("123456789")), 0xcbf43926))

  // Without the addon this compares zlib with itself.
  it.skipIf(crcAddon() === undefined)("is zlib's at every length, alignment and split", () => {
    for (let offset = 0; offset < 9; offset++) {
      for (let length = 0; length < 4000; length += 1 + (length >> 4)) {
        const part = bytes.subarray(offset, offset + length)
        assert.strictEqual(crc32(part), NodeZlib.crc32(part))
        const half = length >> 1
        assert.strictEqual(crc32(part.subarray(half), crc32(part.subarray(0, half))), NodeZlib.crc32(part))
      }
    }
  })
})
