/**
 * Replies of a model of Azure Blob.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import { toImfFixdate } from "../../http/conditionHeaders.ts"
import { xmlDocument, xmlElement, xmlText } from "../../http/Xml.ts"
import type { ServerReply } from "../protocol/Server.ts"
import type { Blob } from "./state.ts"

/** A time as HTTP writes it. */
export const httpDate = (millis: number): string => toImfFixdate(DateTime.makeUnsafe(millis))

/** A document. */
export const document = (root: string): ServerReply => ({
  status: 200,
  headers: { "content-type": "application/xml" },
  body: xmlDocument(root)
})

// learn.microsoft.com/rest/api/storageservices/blob-service-error-codes, with the messages of that page.
const messages: Readonly<Record<string, string>> = {
  AuthenticationFailed:
    "Server failed to authenticate the request. Make sure the value of the Authorization header is formed correctly including the signature.",
  AuthorizationPermissionMismatch: "This request is not authorized to perform this operation using this permission.",
  BlobAlreadyExists: "The specified blob already exists.",
  BlobNotFound: "The specified blob does not exist.",
  BothCrc64AndMd5HeaderPresent: "Both x-ms-content-crc64 header and Content-MD5 header are present.",
  CannotVerifyCopySource: "The source of the copy cannot be read.",
  ConditionNotMet: "The condition specified using HTTP conditional header(s) is not met.",
  ContainerAlreadyExists: "The specified container already exists.",
  ContainerNotFound: "The specified container does not exist.",
  Crc64Mismatch:
    "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server.",
  InvalidAuthenticationInfo:
    "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
  InvalidBlobOrBlock: "The specified blob or block content is invalid.",
  InvalidBlockList: "The specified block list is invalid.",
  InvalidHeaderValue: "The value for one of the HTTP headers is not in the correct format.",
  InvalidRange: "The range specified is invalid for the current size of the resource.",
  InvalidResourceName: "The specified resource name contains invalid characters.",
  Md5Mismatch: "The MD5 value specified in the request did not match with the MD5 value calculated by the server.",
  NoAuthenticationInformation:
    "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
  NoPendingCopyOperation: "There is currently no pending copy operation.",
  OutOfRangeInput: "One of the request inputs is out of range.",
  RequestBodyTooLarge: "The request body is too large and exceeds the maximum permissible limit.",
  ResourceNotFound: "The specified resource does not exist.",
  SourceConditionNotMet: "The source condition specified using HTTP conditional header(s) is not met.",
  UnsupportedHttpVerb: "The resource doesn't support specified Http Verb."
}

/** A reply that says no. */
export const refuse = (
  status: number,
  code: string,
  more: { readonly headers?: Readonly<Record<string, string>>; readonly detail?: string } = {}
): ServerReply => {
  const detail = more.detail === undefined ? [] : [xmlText("AuthenticationErrorDetail", more.detail)]
  const text = `${messages[code] ?? code}\nRequestId:model\nTime:model`
  return {
    status,
    headers: { "x-ms-error-code": code, "content-type": "application/xml", ...more.headers },
    body: status === 304
      ? ""
      : xmlDocument(xmlElement("Error", xmlText("Code", code), xmlText("Message", text), ...detail))
  }
}

/** The headers that tell of a blob. */
export const blobHeaders = (blob: Blob): Record<string, string | undefined> => ({
  ...Object.fromEntries(blob.attributes),
  ...Object.fromEntries([...blob.metadata].map(([name, value]) => [`x-ms-meta-${name}`, value])),
  "accept-ranges": "bytes",
  "etag": blob.etag,
  "last-modified": httpDate(blob.lastModified),
  "x-ms-blob-type": "BlockBlob",
  "x-ms-access-tier": blob.tier,
  "x-ms-server-encrypted": "true",
  "x-ms-version-id": blob.versionId,
  "x-ms-tag-count": blob.tags === undefined ? undefined : String(blob.tags.split("&").length),
  "x-ms-copy-id": blob.copy?.id,
  "x-ms-copy-status": blob.copy?.status
})

/** The reply to what made a version. */
export const stored = (blob: Blob, more: Readonly<Record<string, string | undefined>> = {}): ServerReply => ({
  status: 201,
  headers: {
    "etag": blob.etag,
    "last-modified": httpDate(blob.lastModified),
    "x-ms-version-id": blob.versionId,
    "x-ms-request-server-encrypted": "true",
    ...more
  }
})
