/**
 * Which parts a store takes.
 *
 * @internal
 */
import type { MultipartCapabilities } from "./Capabilities.ts"

/** What is wrong with a part size that was given, in one line. */
export const checkPartSize = (
  multipart: MultipartCapabilities,
  partSize: number,
  size: number | undefined
): string | undefined => {
  if (partSize < multipart.minPartSize) return `partSize ${partSize} is less than ${multipart.minPartSize}`
  if (partSize > multipart.maxPartSize) return `partSize ${partSize} is more than ${multipart.maxPartSize}`
  if (partSize % multipart.partMultiple !== 0) return `partSize ${partSize} is no multiple of ${multipart.partMultiple}`
  if (size !== undefined && size > partSize * multipart.maxParts) {
    return `partSize ${partSize} cuts ${size} bytes into more than ${multipart.maxParts} parts`
  }
  return undefined
}
