/**
 * Removals, writes, completions and copies.
 */
import { WireFault } from "effect-objectstore/testing"
import { body, type Lie, refused, S3, xmlClouds } from "./Lie.ts"

/** A key that an answer leaves out is asked for again, by itself. */
const healed = [...refused, "truth"]

/** What comes of an error's document whose end is lost. */
const cutErrors: Readonly<Record<string, string>> = {
  "the beginning of an error": "<Error><Code>InternalError</Code><Mess",
  "an error of which nothing comes": ""
}

const cutError = (status: number, text: string) =>
  WireFault.raw(`HTTP/1.1 ${status} OK\r\netag: "0123456789abcdef"\r\ncontent-length: 500\r\n\r\n${text}`)

export const changeLies: Readonly<Record<string, Lie>> = {
  "a batch that leaves a key out": {
    to: "deleteBatch",
    fault: body((text) =>
      text.replace(/<Deleted><Key>p\/2<\/Key><\/Deleted>/, "").replace(/--batch[^]*?(?=--batch)/, "")
    ),
    ask: "deleteMany",
    errors: healed
  },
  "a batch that answers another key, S3": {
    services: S3,
    to: "deleteBatch",
    fault: body((text) => text.replace("p/2", "p/9")),
    ask: "deleteMany",
    errors: healed
  },
  "a batch that answers nothing": { to: "deleteBatch", fault: body("", false), ask: "deleteMany", errors: refused },
  "a batch that answers an error": {
    to: "deleteBatch",
    fault: WireFault.errorInSuccess(),
    ask: "deleteMany",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "a removal that answers an error": {
    to: "delete",
    fault: WireFault.errorInSuccess(),
    ask: "delete",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "a removal that answers another status": {
    to: "delete",
    fault: WireFault.change({ status: 200, body: "<html>log in</html>" }, { applied: false }),
    ask: "delete",
    errors: refused
  },

  "a write that answers an error": {
    to: "write",
    fault: WireFault.errorInSuccess(),
    ask: "put",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "a write that answers nothing": { to: "write", fault: body("", false), ask: "put", errors: refused },
  "a create that answers an error": {
    to: "write",
    fault: WireFault.errorInSuccess(),
    ask: "create",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "a success before the bytes were read": {
    to: "write",
    fault: WireFault.early(200),
    ask: "put of much",
    errors: refused
  },
  "a completion that answers an error": {
    to: "completeUpload",
    fault: WireFault.errorInSuccess(),
    ask: "putMultipart",
    errors: ["ProtocolViolation", "Unavailable", "OutcomeUnknown"]
  },
  "a completion that answers nothing": {
    to: "completeUpload",
    fault: body("", false),
    ask: "putMultipart",
    errors: ["ProtocolViolation", "OutcomeUnknown"]
  },
  "a completion that answers another document": {
    services: S3,
    to: "completeUpload",
    fault: body("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>", false),
    ask: "putMultipart",
    errors: ["ProtocolViolation", "OutcomeUnknown"]
  },
  "a completion with the checksum of other bytes": {
    services: S3,
    to: "completeUpload",
    fault: body((text) => text.replace(/<ChecksumCRC32>.*?</, "<ChecksumCRC32>AAAAAA==<")),
    ask: "putMultipart",
    errors: ["IntegrityFailed"]
  },
  ...Object.fromEntries(
    Object.entries(cutErrors).flatMap(([name, text]): ReadonlyArray<readonly [string, Lie]> => [
      [`${name}, under the status of a success of a write`, {
        services: xmlClouds,
        to: "write",
        fault: cutError(201, text),
        ask: "put",
        errors: refused
      }],
      [`${name}, under the status of a success of a part`, {
        services: xmlClouds,
        to: "uploadPart",
        fault: cutError(201, text),
        ask: "putMultipart",
        errors: refused
      }],
      [`${name}, under the status of a success of a removal`, {
        to: "delete",
        fault: cutError(202, text),
        ask: "delete",
        errors: refused
      }]
    ])
  ),
  "a copy that answers an error": {
    to: "copy",
    fault: WireFault.errorInSuccess(),
    ask: "copy",
    errors: ["ProtocolViolation", "Unavailable", "OutcomeUnknown"]
  },
  "a copy that answers nothing": {
    to: "copy",
    fault: body("", false),
    ask: "copy",
    errors: ["ProtocolViolation", "OutcomeUnknown"]
  },
  "an upload without an id": {
    services: ["S3", "GCS"],
    to: "openUpload",
    fault: WireFault.change({ headers: { location: undefined }, body: "<InitiateMultipartUploadResult/>" }),
    ask: "putMultipart",
    errors: refused
  }
}
