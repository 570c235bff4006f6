/**
 * What holds of every store that a universal store can reach.
 *
 * @internal
 */
import type { Capabilities } from "../../src/Capabilities.ts"

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

/**
 * A flag is set only if every store has it, and a limit is the smallest of all. It is written down here, because no layer is
 * loaded before it is used; a test holds it against what the layers say of themselves.
 */
export const leastCapabilities: Capabilities = {
  io: "http",
  conditionalRead: true,
  conditionalCreate: false,
  conditionalUpdate: false,
  conditionalDelete: false,
  conditionalCopy: false,
  conditionalCopySource: false,
  suffixRange: false,
  versions: false,
  attributes: true,
  metadata: true,
  metadataNames: "identifier",
  metadataValues: "ascii",
  storageClass: false,
  tags: false,
  sortedList: false,
  listStartAfter: false,
  maxPageSize: 1000,
  maxDeleteBatch: 1,
  serverCopy: true,
  maxCopySize: 256 * MiB,
  atomicRename: false,
  hierarchical: true,
  containers: "explicit",
  containerLocation: false,
  presign: false,
  maxMetadataBytes: 2 * KiB,
  maxKeyBytes: 1 * KiB,
  maxSegmentBytes: 255,
  maxObjectSize: 4 * GiB,
  maxWriteSize: 4 * GiB,
  multipart: {
    minPartSize: 5 * MiB,
    maxPartSize: 4000 * MiB,
    maxParts: 10_000,
    partMultiple: 256 * KiB,
    ordered: true,
    conditionalComplete: false,
    listed: false,
    abort: "expires",
    isolated: false
  },
  tuning: {
    readPartSize: 8 * MiB,
    readConcurrency: 4,
    streamPartSize: 4 * MiB,
    streamConcurrency: 4,
    writePartSize: 8 * MiB,
    writeConcurrency: 4,
    multipartThreshold: 8 * MiB,
    bytesThreshold: 8 * MiB,
    alignedBuffers: false
  }
}
