/**
 * What a service of a profile can do, in the words of all backends.
 *
 * @since 0.1.0
 */
import type { Capabilities } from "../../src/Capabilities.ts"
import type { S3Profile } from "./vendors.ts"

const KiB = 1024
const MiB = 1024 * KiB
const GiB = 1024 * MiB

/** docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const minPartSize = 5 * MiB
const maxPartSize = 5 * GiB
const maxParts = 10_000

/** Capabilities of a profile; `signs` is whether there are credentials to sign a URL with. */
export const capabilitiesOf = (profile: S3Profile, signs: boolean): Capabilities => ({
  io: "http",
  conditionalRead: true,
  conditionalCreate: profile.conditionalCreate,
  conditionalUpdate: profile.conditionalUpdate,
  conditionalDelete: profile.conditionalDelete,
  conditionalCopy: profile.conditionalCopy,
  conditionalCopySource: profile.conditionalCopySource,
  suffixRange: true,
  versions: profile.versions,
  attributes: true,
  metadata: true,
  metadataNames: "token",
  metadataValues: "text",
  storageClass: profile.storageClass,
  tags: profile.tags,
  sortedList: true,
  listStartAfter: true,
  maxPageSize: 1000,
  maxDeleteBatch: profile.batchDelete ? 1000 : 1,
  serverCopy: true,
  maxCopySize: profile.maxCopySize,
  atomicRename: false,
  hierarchical: profile.hierarchical,
  containers: "explicit",
  containerLocation: profile.containerLocation,
  presign: signs,
  maxMetadataBytes: 2 * KiB,
  maxKeyBytes: KiB,
  maxSegmentBytes: profile.keys.maxSegmentBytes,
  maxObjectSize: Math.min(profile.maxObjectSize, maxParts * maxPartSize),
  maxWriteSize: profile.maxWriteSize,
  multipart: {
    minPartSize,
    maxPartSize,
    maxParts,
    partMultiple: 1,
    ordered: false,
    conditionalComplete: profile.conditionalComplete,
    listed: profile.listedUploads,
    abort: "removes",
    isolated: true
  },
  tuning: {
    readPartSize: 8 * MiB,
    readConcurrency: 8,
    streamPartSize: 4 * MiB,
    streamConcurrency: 6,
    writePartSize: 16 * MiB,
    writeConcurrency: 4,
    multipartThreshold: 16 * MiB,
    bytesThreshold: 32 * MiB,
    alignedBuffers: false
  }
})
