import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Checksum } from "effect-objectstore"
import { beginSum } from "../../src/codec/partSums.ts"
import { content, pieces } from "./content.ts"

const check = new TextEncoder().encode("123456789")
const ascii = new TextEncoder().encode("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
const hex = (value: string): string => Buffer.from(value, "hex").toString("base64")

const combinable = ["crc32", "crc32c", "crc64nvme"] as const

describe("checksums", () => {
  it("have the values of the RFCs and vendors", () => {
    const vectors: ReadonlyArray<readonly [Checksum.ChecksumName, Uint8Array, string]> = [
      // The check value of zlib's CRC (RFC 1952), that of RFC 3720 and its appendix B.4.
      ["crc32", check, hex("cbf43926")],
      ["crc32c", check, hex("e3069283")],
      ["crc32c", new Uint8Array(32), hex("8a9136aa")],
      ["crc32c", new Uint8Array(32).fill(0xff), hex("62a8ab43")],
      // NVM Command Set Specification 1.0b, figure 121.
      ["crc64nvme", check, hex("ae8b14860a799888")],
      ["crc64nvme", new Uint8Array(4096), hex("6482d367eb22b64e")],
      // FIPS 180-2, appendix B; RFC 1321, appendix A.5.
      [
        "sha256",
        new TextEncoder().encode("abc"),
        hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
      ],
      ["sha256", ascii, hex("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")],
      ["sha256", new Uint8Array(0), hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")],
      ["md5", new TextEncoder().encode("abc"), hex("900150983cd24fb0d6963f7d28e17f72")]
    ]
    for (const [name, bytes, sum] of vectors) {
      assert.strictEqual(Checksum.of(name, bytes), sum, name)
      assert.strictEqual(Checksum.sizeOf(name), Buffer.from(sum, "base64").length)
    }
    for (const name of combinable) assert.match(Checksum.of(name, new Uint8Array(0)), /^A+=*$/)
  })

  it.effect("are the same in one piece, in many, of a stream, and of parts in any order", () =>
    Effect.gen(function*() {
      const bytes = content(5_000_000)
      for (const name of Checksum.names) {
        const whole = Checksum.of(name, bytes)
        for (const size of [100_000, 4_999_999]) {
          const running = Checksum.make(name)
          for (let at = 0; at < bytes.length; at += size) running.update(bytes.subarray(at, at + size))
          assert.strictEqual(running.digest(), whole, name)
          const streamed = yield* Checksum.ofStream(name, pieces(bytes, size))
          assert.deepStrictEqual(streamed, { checksum: whole, size: bytes.length })
        }
        assert.strictEqual((yield* Checksum.ofStream(name, Stream.succeed(bytes))).checksum, whole)
        const parts = beginSum(name)
        for (const start of [2_000_000, 0, 4_000_000, 1_000_000, 3_000_000]) {
          parts.add(start, bytes.subarray(start, start + 1_000_000))
        }
        assert.strictEqual(parts.digest(), whole, name)
      }
    }))

  it("of parts give that of the whole", () => {
    const bytes = content(100_000)
    for (const name of combinable) {
      for (const cuts of [[0, 100_000], [0, 1, 100_000], [0, 0, 30_000, 30_000, 99_999, 100_000]]) {
        const parts = cuts.slice(1).map((end, index) => {
          const part = bytes.subarray(cuts[index], end)
          return { checksum: Checksum.of(name, part), size: part.length }
        })
        assert.strictEqual(Checksum.combine(name, parts), Checksum.of(name, bytes), `${name} of ${cuts.join()}`)
      }
      assert.strictEqual(Checksum.combine(name, []), Checksum.of(name, new Uint8Array(0)))
      for (const wrong of ["", "AAAA", "AAAAAA", "AAAAAAAAAAAAAAAA", "AA*AAAA=", Checksum.of("sha256", bytes)]) {
        assert.isUndefined(Checksum.combine(name, [{ checksum: wrong, size: 1 }]), `${name} ${wrong}`)
      }
    }
  })

  it("are not taken by another name, of what is no bytes, or of sizes that are none", () => {
    const wrong = /^Checksum: (there is no checksum "crc33"|.* is no Uint8Array|.* cannot be combined|.* is no size)$/
    const checksum = Checksum.of("crc32", new Uint8Array(1))
    const takes: ReadonlyArray<() => unknown> = [
      () => Checksum.of("crc33" as never, new Uint8Array(1)),
      () => Checksum.make("crc33" as never),
      () => Checksum.implementation("crc33" as never),
      () => Checksum.of("crc32", "text" as never),
      () => Checksum.of("sha256", "text" as never),
      () => Checksum.combine("crc33" as never, []),
      () => Checksum.combine("sha256" as never, []),
      ...[-1, 0.5, Number.NaN, 2 ** 53].map((size) => () => Checksum.combine("crc32", [{ checksum, size }]))
    ]
    for (const [index, take] of takes.entries()) assert.throws(take, wrong, String(index))
  })

  it("say what takes them", () => {
    for (const name of ["sha256", "md5"] as const) assert.strictEqual(Checksum.implementation(name), "node:crypto")
    assert.strictEqual(Checksum.implementation("crc64nvme"), "WebAssembly")
    assert.include(["@node-rs/crc32", "node:zlib"], Checksum.implementation("crc32"))
    assert.include(["@node-rs/crc32", "WebAssembly"], Checksum.implementation("crc32c"))
    assert.isUndefined(Checksum.sizeOf("toString"))
    assert.isUndefined(Checksum.sizeOf("crc"))
  })
})
