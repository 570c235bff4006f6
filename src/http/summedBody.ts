/**
 * The body of a whole object, held to the checksum that the service tells of it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { ReadReply } from "../Backend.ts"
import { beginSum } from "../codec/partSums.ts"
import { makeError } from "../ObjectStoreError.ts"
import type { Asked } from "./violation.ts"

/** Sums the bytes as they are delivered, and fails with the last of them if they do not have the sum that is expected. */
export const summed = (
  { backend, operation }: Asked,
  into: ReadReply["into"],
  length: number,
  name: "crc32" | "crc32c" | "crc64nvme",
  expected: string
): ReadReply["into"] => {
  const sum = beginSum(name)
  let done = 0
  return (target) =>
    Effect.flatMap(into(target), (count) => {
      sum.add(done, target.subarray(0, count))
      done += count
      return count > 0 && done === length && sum.digest() !== expected
        ? Effect.fail(makeError("IntegrityFailed", {
          operation,
          backend,
          description: `the bytes do not have the object's ${name}`
        }))
        : Effect.succeed(count)
    })
}
