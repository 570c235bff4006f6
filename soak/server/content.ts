/**
 * What the objects of the server hold: bytes that anybody can tell from their place, and that no two MiB have in common.
 */

export const MiB = 2 ** 20

const block = Buffer.from(Uint8Array.from({ length: MiB }, (_, index) => (index * 2_654_435_761) >>> 13))

/** Fills `target` with the bytes at `offset` of an object. Each MiB begins with its number. */
export const fillContent = (target: Uint8Array, offset: number): void => {
  let done = 0
  while (done < target.length) {
    const at = offset + done
    const inBlock = at % MiB
    const size = Math.min(MiB - inBlock, target.length - done)
    target.set(block.subarray(inBlock, inBlock + size), done)
    const number = Math.floor(at / MiB)
    for (let index = inBlock; index < Math.min(8, inBlock + size); index++) {
      target[done + index - inBlock] = Math.floor(number / 2 ** (8 * index)) & 0xff
    }
    done += size
  }
}

/** The bytes from `offset` on, as fresh memory. */
export const contentAt = (offset: number, length: number): Buffer => {
  const bytes = Buffer.allocUnsafe(length)
  fillContent(bytes, offset)
  return bytes
}
