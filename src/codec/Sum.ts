/**
 * Checksums that services keep, taken of bytes as they pass and compared.
 *
 * @internal
 */
import * as Stream from "effect/Stream"
import type { Checksums } from "../ObjectInfo.ts"
import { make, names, type Running } from "./Checksum.ts"

/** The quickest checksum that is known of an object. */
const sumFor = (known: Checksums): Running | undefined => {
  const name = names.find((one) => known[one] !== undefined)
  return name === undefined ? undefined : make(name)
}

/**
 * Lets the bytes of an object pass; at their end, a checksum that is not the one known of it fails the stream, so that
 * what is written of it is not published.
 */
export const compared = <E>(
  body: Stream.Stream<Uint8Array, E>,
  known: Checksums,
  differs: (description: string) => E
): Stream.Stream<Uint8Array, E> =>
  Stream.suspend(() => {
    const sum = sumFor(known)
    if (sum === undefined) return body
    const { digest, name, update } = sum
    const passed = Stream.map(body, (chunk) => {
      update(chunk)
      return chunk
    })
    const end = Stream.suspend(() => {
      const read = digest()
      return read === known[name]
        ? Stream.empty
        : Stream.fail(differs(`the ${name} of what was read is ${read}, the object's is ${known[name]}`))
    })
    return Stream.concat(passed, end)
  })

/** Whether two sets of checksums agree; `undefined` if they have none in common. */
export const agree = (one: Checksums, other: Checksums): boolean | undefined => {
  const shared = Object.entries(one).filter(([name, value]) =>
    value !== undefined && other[name as keyof Checksums] !== undefined
  )
  return shared.length === 0
    ? undefined
    : shared.every(([name, value]) => other[name as keyof Checksums] === value)
}
