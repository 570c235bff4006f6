/**
 * Replies of the model of S3.
 *
 * @internal
 */
import * as DateTime from "effect/DateTime"
import { toImfFixdate } from "../../http/conditionHeaders.ts"
import { xmlDocument, xmlElement, xmlText } from "../../http/Xml.ts"
import type { ServerReply } from "../protocol/Server.ts"
import type { Version } from "./state.ts"

/** A time as HTTP writes it. */
export const httpDate = (millis: number): string => toImfFixdate(DateTime.makeUnsafe(millis))

/** A time as documents have it. */
export const isoDate = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

/** A document. */
export const document = (root: string, headers: Readonly<Record<string, string | undefined>> = {}): ServerReply => ({
  status: 200,
  headers: { "content-type": "application/xml", ...headers },
  body: xmlDocument(root)
})

/** The namespace of documents. */
export const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

/** The root of a document. */
export const rootElement = (name: string, ...children: ReadonlyArray<string>): string =>
  `<${name} xmlns="${namespace}">${children.join("")}</${name}>`

// docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, with the messages of that page.
const messages: Readonly<Record<string, string>> = {
  AccessDenied: "Access Denied",
  BadDigest: "The Content-MD5 or checksum value that you specified did not match what the server received.",
  BucketAlreadyExists: "The requested bucket name is not available.",
  BucketAlreadyOwnedByYou: "The bucket that you tried to create already exists, and you own it.",
  BucketNotEmpty: "The bucket that you tried to delete is not empty.",
  EntityTooSmall: "Your proposed upload is smaller than the minimum allowed object size.",
  ExpiredToken: "The provided token has expired.",
  InternalError: "We encountered an internal error. Please try again.",
  InvalidAccessKeyId: "The AWS access key ID that you provided does not exist in our records.",
  InvalidArgument: "Invalid Argument",
  InvalidBucketName: "The specified bucket is not valid.",
  InvalidDigest: "The Content-MD5 or checksum value that you specified is not valid.",
  InvalidPart: "One or more of the specified parts could not be found.",
  InvalidPartOrder: "The list of parts was not in ascending order.",
  InvalidRange: "The requested range is not satisfiable",
  InvalidToken: "The provided token is malformed or otherwise not valid.",
  MalformedXML: "The XML that you provided was not well formed or did not validate against our published schema.",
  MethodNotAllowed: "The specified method is not allowed against this resource.",
  NoSuchBucket: "The specified bucket does not exist.",
  NoSuchKey: "The specified key does not exist.",
  NoSuchUpload: "The specified multipart upload does not exist.",
  NoSuchVersion: "The version ID specified in the request does not match an existing version.",
  NotImplemented: "A header that you provided implies functionality that is not implemented.",
  PreconditionFailed: "At least one of the preconditions that you specified did not hold.",
  RequestTimeTooSkewed: "The difference between the request time and the server's time is too large.",
  SignatureDoesNotMatch:
    "The request signature that the server calculated does not match the signature that you provided.",
  SlowDown: "Please reduce your request rate.",
  XAmzContentSHA256Mismatch: "The provided 'x-amz-content-sha256' header does not match what was computed."
}

/** An `<Error>`. */
export const errorDocument = (code: string, more: ReadonlyArray<string> = []): string =>
  xmlDocument(xmlElement(
    "Error",
    xmlText("Code", code),
    xmlText("Message", messages[code] ?? code),
    ...more,
    xmlText("RequestId", "model")
  ))

/** A reply that says no. */
export const refuse = (
  status: number,
  code: string,
  more: { readonly headers?: Readonly<Record<string, string>>; readonly elements?: ReadonlyArray<string> } = {}
): ServerReply => ({
  status,
  headers: { "content-type": "application/xml", ...more.headers },
  body: status === 304 ? "" : errorDocument(code, more.elements)
})

/** A reply that says no more than its status. */
export const nothing = (
  status: number,
  headers: Readonly<Record<string, string | undefined>> = {}
): ServerReply => ({ status, headers })

/** The headers that tell of an object. */
export const objectHeaders = ({ described, etag, id, lastModified }: Version): Record<string, string | undefined> => ({
  ...Object.fromEntries(described.attributes),
  ...Object.fromEntries([...described.metadata].map(([name, value]) => [`x-amz-meta-${name}`, value])),
  "accept-ranges": "bytes",
  etag,
  "last-modified": httpDate(lastModified),
  "x-amz-version-id": id,
  "x-amz-storage-class": described.storageClass,
  "x-amz-server-side-encryption": "AES256",
  "x-amz-tagging-count": described.tags === undefined ? undefined : String(described.tags.split("&").length)
})
