import { noVersions } from "./S3Test.ts"

/** What versitygw refuses itself, folds into another key, or lists as another. */
export const versitygwRefusedKeys: ReadonlyArray<string> = [
  "double//slash",
  "triple///slash",
  "trailing/",
  "trailing-two//",
  "dots/../up",
  "dots/./here",
  "dots-end/..",
  "dot-end/.",
  "control\u0001\u001f\u007f",
  "\u0001",
  "/leading",
  "c/",
  "d//e",
  ".",
  "..",
  "a//b",
  "a/./b",
  "a/c/../b"
]

/** Cases that versitygw cannot pass, and why. */
export const versitygwDefects: Readonly<Record<string, string>> = {
  "conditional reads: an old version is read by its id": noVersions,
  "conditional reads: every read obeys every condition and their precedence":
    "versitygw: compares If-Modified-Since with fractions of a second that Last-Modified does not tell",
  "directories only through listDirectory: an object named like a directory marker is an ordinary key":
    "versitygw: a key that ends in a slash is a directory and holds no bytes",
  "a key and a key below it: cannot both exist: Conflict, and nothing is moved":
    "versitygw: completing an upload over a directory is a 500 InternalError"
}

/** Cases that it passes or not by chance, and why. */
export const versitygwSometimes: Readonly<Record<string, string>> = {
  "listUploads and abortUpload: an open upload is listed under its key, and gone after it is aborted":
    "versitygw: completing an upload that is gone is refused for its checksum, not as NoSuchUpload"
}
