/**
 * What a request asks the model of GCS for.
 *
 * @internal
 */
import type { ServerRequest } from "../protocol/Server.ts"
import type { Refusal } from "./replies.ts"
import type { Chosen, Conditions } from "./state.ts"

/** An object, or one version of it. */
export interface Target {
  readonly bucket: string
  readonly key: string
  readonly generation?: number | undefined
}

/** Bytes that are to become an object, and what is said of them. */
export interface Upload {
  readonly bucket: string
  readonly key: string
  readonly chosen: Chosen
  readonly crc32c?: string | undefined
  readonly md5?: string | undefined
  readonly conditions: Conditions
}

/** Which bytes a request of a session brings; without `first` it brings none, without `total` more will come. */
export interface ChunkRange {
  readonly first?: number | undefined
  readonly total?: number | undefined
}

/** A range of bytes that is asked for. */
export type ByteRange = { readonly first: number; readonly last?: number | undefined } | { readonly suffix: number }

/** One request, understood. */
export type Operation =
  | {
    readonly _tag: "InsertBucket"
    readonly name: string
    readonly project: string
    readonly location: string
    readonly versioning: boolean
  }
  | { readonly _tag: "GetBucket"; readonly bucket: string }
  | { readonly _tag: "PatchBucket"; readonly bucket: string; readonly versioning: boolean | undefined }
  | { readonly _tag: "DeleteBucket"; readonly bucket: string }
  | {
    readonly _tag: "ListBuckets"
    readonly project: string
    readonly prefix: string
    readonly pageToken: string | undefined
    readonly maxResults: number
  }
  | { readonly _tag: "GetObject"; readonly target: Target; readonly conditions: Conditions }
  | {
    readonly _tag: "GetMedia"
    readonly api: "json" | "xml"
    readonly target: Target
    readonly conditions: Conditions
    readonly range: ByteRange | undefined
    readonly headers: ServerRequest["headers"]
    readonly head: boolean
  }
  | {
    readonly _tag: "InsertObject"
    readonly api: "json" | "xml"
    readonly upload: Upload
    readonly media: Uint8Array
  }
  | { readonly _tag: "StartSession"; readonly upload: Upload; readonly origin: string }
  | {
    readonly _tag: "PutSession"
    readonly id: string
    readonly range: ChunkRange
    readonly media: Uint8Array
    readonly crc32c: string | undefined
    readonly md5: string | undefined
  }
  | { readonly _tag: "DeleteSession"; readonly id: string }
  | {
    readonly _tag: "PatchObject"
    readonly target: Target
    readonly conditions: Conditions
    readonly change: Readonly<Record<string, unknown>>
    /** Whether what is not named goes. */
    readonly replace: boolean
  }
  | {
    readonly _tag: "DeleteObject"
    readonly api: "json" | "xml"
    readonly target: Target
    readonly conditions: Conditions
  }
  | {
    readonly _tag: "ListObjects"
    readonly bucket: string
    readonly prefix: string
    readonly delimiter: string
    readonly startOffset: string
    readonly endOffset: string | undefined
    readonly includeTrailingDelimiter: boolean
    readonly versions: boolean
    readonly pageToken: string | undefined
    readonly maxResults: number
  }
  | {
    readonly _tag: "Rewrite"
    readonly source: Target
    readonly sourceConditions: Conditions
    readonly to: Upload
    /** Whether the request describes the target; else it is described as the source is. */
    readonly described: boolean
    readonly token: string | undefined
    readonly atMost: number | undefined
    /** `copyTo` answers the object alone, and is always done. */
    readonly whole: boolean
  }
  | {
    readonly _tag: "Compose"
    readonly to: Upload
    readonly sources: ReadonlyArray<{ readonly target: Target; readonly conditions: Conditions }>
  }
  | { readonly _tag: "Batch"; readonly parts: ReadonlyArray<BatchPart> }
  | { readonly _tag: "Refused"; readonly api: "json" | "xml"; readonly refusal: Refusal }

/** One request of a batch. */
export interface BatchPart {
  readonly id: string
  readonly request: ServerRequest
}
