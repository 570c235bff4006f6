/**
 * Listings.
 */
import { WireFault } from "effect-objectstore/testing"
import { Azure, body, GCS, type Lie, refused, S3 } from "./Lie.ts"

export const listingLies: Readonly<Record<string, Lie>> = {
  "more without a place to go on from, S3": {
    services: S3,
    to: "listPage",
    fault: body((text) => text.replace(/<NextContinuationToken>.*?<\/NextContinuationToken>/, "")),
    ask: "list",
    errors: refused
  },
  "the same place again, S3": {
    services: S3,
    to: "listPage",
    fault: body((text) =>
      text.replace(/<IsTruncated>.*?<\/IsTruncated>/, "<IsTruncated>true</IsTruncated>").replace(
        /<NextContinuationToken>.*?<\/NextContinuationToken>/,
        ""
      ).replace("</ListBucketResult>", "<NextContinuationToken>same</NextContinuationToken></ListBucketResult>")
    ),
    ask: "list",
    errors: [...refused, "InvalidRequest"]
  },
  "empty pages in a circle, S3": {
    services: S3,
    to: "listPage",
    fault: {
      _tag: "Change",
      applied: false,
      change: {
        headers: { "content-type": "application/xml" },
        body:
          "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken></ListBucketResult>"
      }
    },
    ask: "list",
    errors: refused
  },
  "empty pages in a circle, Azure": {
    services: Azure,
    to: "listPage",
    fault: body("<EnumerationResults><Blobs></Blobs><NextMarker>same</NextMarker></EnumerationResults>", false),
    ask: "list",
    errors: refused
  },
  "empty pages in a circle, GCS": {
    services: GCS,
    to: "listPage",
    fault: body("{\"nextPageToken\":\"same\"}", false),
    ask: "list",
    errors: refused
  },
  "keys that do not begin with the prefix": {
    to: "listPage",
    fault: body((text) => text.replaceAll("p/1", "q/1")),
    ask: "list",
    errors: refused
  },
  "keys that do not begin with the prefix, to be removed": {
    to: "listPage",
    fault: body((text) => text.replaceAll("p/1", "a")),
    ask: "deletePrefix",
    errors: refused
  },
  "keys in a wrong order": {
    services: ["S3", "GCS"],
    to: "listPage",
    fault: body((text) => text.replaceAll("p/3", "p/0")),
    ask: "list",
    errors: refused
  },
  "a listed size past 2^53": {
    to: "listPage",
    fault: body((text) => text.replaceAll(/(<Size>|<Content-Length>|"size":")\d+/g, "$19007199254740993")),
    ask: "list all",
    errors: refused
  },
  "a listed size that is none": {
    to: "listPage",
    fault: body((text) => text.replaceAll(/(<Size>|<Content-Length>|"size":")\d+/g, "$1-1")),
    ask: "list all",
    errors: refused
  },
  "an object without a name": {
    to: "listPage",
    fault: body((text) => text.replaceAll(/<Key>.*?<\/Key>|<Name>.*?<\/Name>|"name":"[^"]*",?/g, "")),
    ask: "list all",
    errors: refused
  },
  "an error for a page": {
    to: "listPage",
    fault: WireFault.errorInSuccess(),
    ask: "list",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "an error for a page of uploads": {
    services: S3,
    to: "listUploads",
    fault: WireFault.errorInSuccess(),
    ask: "listUploads",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "uploads in a circle": {
    services: S3,
    to: "listUploads",
    fault: body(
      "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>b</NextUploadIdMarker></ListMultipartUploadsResult>",
      false
    ),
    ask: "listUploads",
    errors: refused
  },
  "uploads that do not begin with the prefix, S3": {
    services: S3,
    to: "listUploads",
    fault: body(
      "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><Upload><Key>q</Key><UploadId>1</UploadId></Upload></ListMultipartUploadsResult>",
      false
    ),
    ask: "listUploads of a prefix",
    errors: refused
  },
  "an error for the containers": {
    to: "listContainers",
    fault: WireFault.errorInSuccess(),
    ask: "listContainers",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "containers in a circle, S3": {
    services: S3,
    to: "listContainers",
    fault: body((text) =>
      text.replace("</ListAllMyBucketsResult>", "<ContinuationToken>same</ContinuationToken></ListAllMyBucketsResult>")
    ),
    ask: "listContainers",
    errors: refused
  },
  "containers in a circle, Azure": {
    services: Azure,
    to: "listContainers",
    fault: body((text) => text.replace(/<NextMarker>.*<\/NextMarker>|<NextMarker\/>/, "<NextMarker>same</NextMarker>")),
    ask: "listContainers",
    errors: refused
  },
  "containers in a circle, GCS": {
    services: GCS,
    to: "listContainers",
    fault: body((text) => text.replace(/\}$/, ",\"nextPageToken\":\"same\"}")),
    ask: "listContainers",
    errors: refused
  }
}
