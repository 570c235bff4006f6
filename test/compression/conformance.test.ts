import { Effect, Layer } from "effect"
import { layerCompress } from "effect-objectstore"
import * as File from "effect-objectstore/layers/File"
import * as Memory from "effect-objectstore/layers/Memory"
import { describeObjectStore } from "effect-objectstore/testing"
import { temporaryRoot } from "../conformance/temporaryRoot.ts"

/** What the decorator cannot keep, and why. */
const small = "what the suite writes compresses to less than a part, so no upload is opened"

const limits: Readonly<Record<string, string>> = {
  "listUploads and abortUpload: an open upload is listed under its key, and gone after it is aborted": small,
  "listUploads and abortUpload: an open upload is listed under its key until it completes": small,
  "listUploads and abortUpload: aborting an upload that is gone is UploadNotFound": small
}

describeObjectStore("compress over memory", Layer.provide(layerCompress({ level: 1 }), Memory.layer()), {
  skip: limits
})

describeObjectStore(
  "compress over file",
  Layer.provide(
    layerCompress({ level: 1 }),
    Layer.unwrap(
      Effect.map(temporaryRoot, (root) => File.layer({ root, base: `file://${root}/`, durability: "none" }))
    )
  ),
  { skip: limits }
)
