import { assert, describe, it } from "@effect/vitest"
import { combineCrc64 } from "../../src/codec/combineCrc.ts"
import { crc64nvme, crc64nvmeByTables, crc64nvmeImplementation } from "../../src/codec/Crc64nvme.ts"

const random = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  let state = 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** The definition, bit by bit. */
const bitByBit = (bytes: Uint8Array): bigint => {
  let sum = 2n ** 64n - 1n
  for (const byte of bytes) {
    sum ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) sum = (sum & 1n) === 1n ? (sum >> 1n) ^ 0x9a6c9329ac4bc9b5n : sum >> 1n
  }
  return sum ^ (2n ** 64n - 1n)
}

const large = random(200_003)

describe("CRC-64/NVME", () => {
  it("has the check value, and the values of NVMe's specification", () => {
    // NVM Command Set Specification 1.0b, figure 121.
    const vectors: ReadonlyArray<readonly [Uint8Array, bigint]> = [
      [new TextEncoder().encode("123456789"), 0xae8b14860a799888n],
      [new Uint8Array(4096), 0x6482d367eb22b64en],
      [new Uint8Array(4096).fill(0xff), 0xc0ddba7302eca3acn],
      [new Uint8Array(0), 0n]
    ]
    for (const [bytes, sum] of vectors) assert.strictEqual(crc64nvmeByTables(bytes), sum)
  })

  it("is the definition's at every length", () => {
    for (let length = 0; length < 80; length++) {
      assert.strictEqual(crc64nvmeByTables(large.subarray(3, 3 + length)), bitByBit(large.subarray(3, 3 + length)))
    }
  })

  it("is the same by WebAssembly, in one piece and in many, at every length and alignment", () => {
    assert.strictEqual(crc64nvmeImplementation(), "WebAssembly")
    const sum = bitByBit(large)
    for (const piece of [48, 511, 512, 513, 1000, 131_040, 131_041, 131_072, 150_000, 200_003]) {
      let running = 0n
      for (let at = 0; at < large.length; at += piece) running = crc64nvme(large.subarray(at, at + piece), running)
      assert.strictEqual(running, sum, `pieces of ${piece}`)
    }
    for (let length = 512; length < 700; length++) {
      const bytes = large.subarray(length % 9, (length % 9) + length)
      assert.strictEqual(crc64nvme(bytes, 5n), crc64nvmeByTables(bytes, 5n), `${length}`)
    }
    const [first, second] = [large.subarray(0, 100_000), large.subarray(100_000)]
    assert.strictEqual(combineCrc64(crc64nvme(first), crc64nvme(second), second.length), sum)
  })
})
