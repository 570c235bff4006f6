/**
 * What S3-compatible services do differently, as data: one profile a service.
 *
 * A profile says only what was seen or is documented; where a service is not known to keep a promise, its profile
 * does not make it. A service that ignores `If-None-Match` answers 200 and overwrites, so a wrong `true` here loses data.
 *
 * @since 0.1.0
 */
import type { S3Checksum } from "./checksum.ts"

const MiB = 1024 * 1024
const GiB = 1024 * MiB

/**
 * What an S3-compatible service does.
 *
 * @category models
 * @since 0.1.0
 */
export interface S3Profile {
  readonly name: string
  /** Checksums that the service checks on uploads; the first one is sent unless another is asked for. */
  readonly checksums: readonly [S3Checksum, ...Array<S3Checksum>]
  /** `If-None-Match: *` on a write. */
  readonly conditionalCreate: boolean
  /** `If-Match` on a write. */
  readonly conditionalUpdate: boolean
  /** Both, when an upload completes. */
  readonly conditionalComplete: boolean
  /** `If-Match` on the removal of one object. */
  readonly conditionalDelete: boolean
  /** Both, on the target of a copy. */
  readonly conditionalCopy: boolean
  /** `x-amz-copy-source-if-match`. */
  readonly conditionalCopySource: boolean
  /** `POST ?delete` removes up to 1,000 keys; without it each key is a request. */
  readonly batchDelete: boolean
  /** Listings with `encoding-type=url` carry every key; without it, those that XML can hold. */
  readonly encodedLists: boolean
  /** Open uploads are listed by any prefix. */
  readonly listedUploads: boolean
  /** `x-amz-mp-object-size` on completion is checked. */
  readonly objectSize: boolean
  /** Uploads in parts keep one checksum of the whole object (`x-amz-checksum-type: FULL_OBJECT`). */
  readonly wholeChecksum: boolean
  /** Parts that are copied have checksums too; without it an upload of such parts goes without. */
  readonly copiedChecksums: boolean
  /**
   * Pauses in milliseconds, after each of which an abort is said again, if a part was cut off on its way: it may bring its upload
   * back, or leave its bytes. Empty where an abort is the last word.
   */
  readonly abortAgain: ReadonlyArray<number>
  /** Old versions are read by id, in buckets that keep them. */
  readonly versions: boolean
  readonly tags: boolean
  readonly storageClass: boolean
  /** Objects encrypted with keys that come with the request (SSE-C) really are. */
  readonly customerKeys: boolean
  /** `LocationConstraint` when a bucket is made. */
  readonly containerLocation: boolean
  /** A key and keys below it cannot both exist. */
  readonly hierarchical: boolean
  /** Replies to reads are decompressed on the way, unless the request accepts gzip. */
  readonly transcodes: boolean
  readonly keys: S3KeyRules
  /** Largest object of one copy request; larger ones are copied in parts. */
  readonly maxCopySize: number
  /** Largest object of one write. */
  readonly maxWriteSize: number
  readonly maxObjectSize: number
}

/**
 * Keys that a service would refuse, rewrite or list wrongly: they are refused before anything is sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface S3KeyRules {
  /** `a//b`: two slashes in a row, or one at the beginning. */
  readonly emptySegments: boolean
  /** `a/./b`, `a/../b`, `.`, `..`. */
  readonly dotSegments: boolean
  /** Writes of `dir/`, with bytes in it. */
  readonly trailingSlash: boolean
  /** Characters that XML cannot hold (below U+0020 but tab and line ends; U+FFFE, U+FFFF). */
  readonly controls: boolean
  /** CR and LF. */
  readonly lineEnds: boolean
  /** Prefixes that belong to the service. */
  readonly reserved: ReadonlyArray<string>
  /** Most bytes between two slashes. */
  readonly maxSegmentBytes?: number | undefined
}

const anyKey: S3KeyRules = {
  emptySegments: true,
  dotSegments: true,
  trailingSlash: true,
  controls: true,
  lineEnds: true,
  reserved: []
}

/** Nothing is promised that a service of an unknown kind might not keep. */
const generic: S3Profile = {
  name: "generic",
  checksums: ["md5", "crc32", "crc32c", "crc64nvme"],
  conditionalCreate: false,
  conditionalUpdate: false,
  conditionalComplete: false,
  conditionalDelete: false,
  conditionalCopy: false,
  conditionalCopySource: false,
  batchDelete: true,
  encodedLists: true,
  listedUploads: false,
  objectSize: false,
  wholeChecksum: false,
  copiedChecksums: false,
  abortAgain: [],
  versions: false,
  tags: false,
  storageClass: false,
  customerKeys: false,
  containerLocation: false,
  hierarchical: false,
  transcodes: false,
  keys: anyKey,
  maxCopySize: 5 * GiB,
  maxWriteSize: 5 * GiB,
  maxObjectSize: 5 * 1024 * GiB
}

/**
 * The profiles by name. A profile of one's own is made from one of them: `{ ...profiles.generic, conditionalCreate: true }`.
 *
 * @category configuration
 * @since 0.1.0
 */
export const profiles = {
  // docs.aws.amazon.com/AmazonS3/latest/userguide/{conditional-requests,checking-object-integrity,qfacts}.html; for aborts
  // docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
  aws: {
    ...generic,
    name: "aws",
    checksums: ["crc32", "crc32c", "crc64nvme", "md5"],
    conditionalCreate: true,
    conditionalUpdate: true,
    conditionalComplete: true,
    conditionalDelete: true,
    conditionalCopy: true,
    conditionalCopySource: true,
    listedUploads: true,
    objectSize: true,
    wholeChecksum: true,
    copiedChecksums: true,
    abortAgain: [100],
    versions: true,
    tags: true,
    storageClass: true,
    customerKeys: true,
    containerLocation: true,
    maxObjectSize: 50_000 * GiB
  },
  // Measured: a delete ignores If-Match, a copy ignores conditions on its target, uploads are listed by exact keys only, and
  // a part cannot be copied into an upload with checksums.
  minio: {
    ...generic,
    name: "minio",
    checksums: ["crc32", "crc32c", "crc64nvme", "md5"],
    conditionalCreate: true,
    conditionalUpdate: true,
    conditionalComplete: true,
    conditionalCopySource: true,
    wholeChecksum: true,
    versions: true,
    tags: true,
    storageClass: true,
    customerKeys: true,
    containerLocation: true,
    keys: { ...anyKey, emptySegments: false, dotSegments: false, maxSegmentBytes: 255 }
  },
  // Measured: objects are files, so `a` and `a/b` collide; `//` and `..` are folded away; XML replaces control characters; a
  // delete with If-Match of what is not there succeeds.
  versitygw: {
    ...generic,
    name: "versitygw",
    checksums: ["crc32", "crc32c", "crc64nvme", "md5"],
    conditionalCreate: true,
    conditionalUpdate: true,
    conditionalComplete: true,
    conditionalCopySource: true,
    encodedLists: false,
    listedUploads: true,
    objectSize: true,
    wholeChecksum: true,
    copiedChecksums: true,
    // The request of a part that was cut off makes the upload's directory again, if the abort overtakes it.
    abortAgain: [20, 100, 400],
    versions: true,
    tags: true,
    containerLocation: true,
    hierarchical: true,
    keys: {
      ...anyKey,
      emptySegments: false,
      dotSegments: false,
      trailingSlash: false,
      controls: false,
      reserved: [".sgwtmp"],
      maxSegmentBytes: 255
    }
  },
  // docs.ceph.com/en/latest/radosgw/s3/objectops: conditions of a plain write, and of the source of a copy.
  ceph: {
    ...generic,
    name: "ceph",
    conditionalCreate: true,
    conditionalUpdate: true,
    conditionalCopySource: true,
    listedUploads: true,
    versions: true,
    tags: true,
    storageClass: true,
    customerKeys: true,
    containerLocation: true
  },
  // developers.cloudflare.com/r2/api/s3/api: conditions of PutObject, and of the source of CopyObject.
  r2: {
    ...generic,
    name: "r2",
    conditionalCreate: true,
    conditionalUpdate: true,
    conditionalCopySource: true,
    listedUploads: true,
    storageClass: true,
    customerKeys: true,
    containerLocation: true
  },
  // cloud.google.com/storage/docs/xml-api/overview: write conditions are generations, which this interface cannot carry;
  // names: cloud.google.com/storage/docs/objects#naming
  "gcs-xml": {
    ...generic,
    name: "gcs-xml",
    checksums: ["md5"],
    conditionalCopySource: true,
    batchDelete: false,
    listedUploads: true,
    storageClass: true,
    containerLocation: true,
    transcodes: true,
    keys: { ...anyKey, lineEnds: false, reserved: [".well-known/acme-challenge/"] }
  },
  generic
} as const satisfies Record<string, S3Profile>

/**
 * The names of the profiles.
 *
 * @category models
 * @since 0.1.0
 */
export type S3Vendor = keyof typeof profiles

/**
 * The service that answers at a host, where the host says it.
 */
export const vendorOfHost = (host: string): S3Vendor | undefined =>
  /\.amazonaws\.com(\.cn)?$/.test(host)
    ? "aws"
    : host.endsWith(".r2.cloudflarestorage.com")
    ? "r2"
    : host === "storage.googleapis.com" || host.endsWith(".storage.googleapis.com")
    ? "gcs-xml"
    : undefined

/** The service that calls itself so in the `Server` header of a reply. */
export const vendorOfServer = (server: string): S3Vendor => {
  const name = server.toLowerCase()
  return name.startsWith("amazons3")
    ? "aws"
    : name.startsWith("minio")
    ? "minio"
    : name.startsWith("versitygw")
    ? "versitygw"
    : name.startsWith("ceph")
    ? "ceph"
    : "generic"
}

/** What no document of XML can hold. */
// oxlint-disable-next-line no-control-regex
export const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/

/** What is wrong with a key, of an object that is to be written or of any other; length is checked elsewhere. */
export const checkKey = (rules: S3KeyRules, key: string, begins: boolean): string | undefined => {
  if (!rules.emptySegments && (key.startsWith("/") || key.includes("//"))) {
    return "the service folds two slashes, or one at the beginning, away"
  }
  if (!rules.dotSegments && /(^|\/)\.\.?(\/|$)/.test(key)) return "the service does not keep the segments . and .."
  if (!rules.trailingSlash && begins && key.endsWith("/")) {
    return "the service takes a key that ends in a slash for a directory"
  }
  if (!rules.controls && notXml.test(key)) return "the service lists control characters wrongly"
  if (!rules.lineEnds && /[\r\n]/.test(key)) return "the service takes no line ends in keys"
  const reserved = rules.reserved.find((prefix) => key.startsWith(prefix))
  return reserved === undefined ? undefined : `keys that begin with ${reserved} belong to the service`
}
