import { assert, describe, it } from "@effect/vitest"
import { combineCrc32c } from "../../src/codec/combineCrc.ts"
import { crc32c, crc32cByModule, crc32cByTables, printCrc32c } from "../../src/codec/Crc32c.ts"

const random = (length: number, seed = 1): Uint8Array => {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** The definition, bit by bit. */
const bitByBit = (bytes: Uint8Array): number => {
  let sum = -1
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1
  }
  return ~sum >>> 0
}

// By the addon, if it is here, by WebAssembly, and by tables alone.
describe.each(
  [["crc32c", crc32c], ["crc32cByModule", crc32cByModule], ["crc32cByTables", crc32cByTables]] as const
)("CRC-32C by %s", (_, crc32c) => {
  it("has the values of RFC 3720 appendix B.4, and the check value", () => {
    const read10 = "01c00000 00000000 00000000 00000000 14000000 00000400 00000014 00000018" +
      " 28000000 00000000 02000000 00000000"
    const vectors: ReadonlyArray<readonly [Uint8Array, number]> = [
      [new Uint8Array(32), 0x8a9136aa],
      [new Uint8Array(32).fill(0xff), 0x62a8ab43],
      [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
      [Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
      [Buffer.from(read10.replaceAll(" ", ""), "hex"), 0xd9963a56],
      [new TextEncoder().encode("123456789"), 0xe3069283],
      [new Uint8Array(0), 0]
    ]
    for (const [bytes, sum] of vectors) assert.strictEqual(crc32c(bytes), sum)
  })

  it("is the definition's at every length and alignment", () => {
    const memory = random(700)
    for (let offset = 0; offset < 9; offset++) {
      for (let length = 0; length < 300; length += 1 + (length >> 4)) {
        const bytes = memory.subarray(offset, offset + length)
        assert.strictEqual(crc32c(bytes), bitByBit(bytes), `${length} bytes at ${offset}`)
        const aligned = new Uint8Array(new ArrayBuffer(length, { maxByteLength: 1000 }))
        aligned.set(bytes)
        assert.strictEqual(crc32c(aligned), bitByBit(bytes), `${length} bytes of resizable memory`)
      }
    }
  })

  it("is the same in one piece and in many", () => {
    const bytes = random(10_007)
    for (const piece of [1, 63, 64, 65, 511, 512, 513, 1000, 9999]) {
      let sum = 0
      for (let i = 0; i < bytes.length; i += piece) sum = crc32c(bytes.subarray(i, i + piece), sum)
      assert.strictEqual(sum, crc32c(bytes), `pieces of ${piece}`)
    }
  })

  it("of two runs is the sum of the whole", () => {
    const bytes = random(100_003)
    for (const at of [0, 1, 7, 4096, 65_537, 100_003]) {
      const [first, second] = [bytes.subarray(0, at), bytes.subarray(at)]
      assert.strictEqual(combineCrc32c(crc32c(first), crc32c(second), second.length), crc32c(bytes), `cut at ${at}`)
    }
    // Longer than 32 bits can count.
    const zeros = crc32c(new Uint8Array(1024))
    let sum = zeros
    let length = 1024
    for (let doubling = 0; doubling < 25; doubling++) {
      sum = combineCrc32c(sum, sum, length)
      length *= 2
    }
    let again = zeros
    for (let i = 0, size = 1024; i < 25; i++, size *= 2) again = combineCrc32c(again, again, size)
    assert.strictEqual(sum, again)
    assert.strictEqual(combineCrc32c(sum, 0, 0), sum)
  })

  it("is written as base64, most significant byte first", () => {
    assert.strictEqual(printCrc32c(crc32c(new TextEncoder().encode("123456789"))), "4waSgw==")
    assert.strictEqual(printCrc32c(0), "AAAAAA==")
  })
})
