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

const revived = "versitygw: a part whose connection was reset may bring its upload back after the abort"

/** Cases of writes that end while a part is on its way, and that ask whether an upload is left. */
const mayRevive = [
  "putMultipart: a source that fails is SourceFailed and its upload is aborted",
  "writer: whose scope closes unfinished publishes nothing and leaves no upload",
  "writer: leaves the version before it when its scope closes unfinished",
  "sink: whose stream fails publishes nothing and leaves no upload",
  "a source that fails: is SourceFailed, publishes nothing and leaves no upload",
  "a source that fails: a stream shorter or longer than its promised size is SourceFailed and publishes nothing",
  "a source that fails: a source that dies kills the write, publishes nothing and leaves no upload",
  "interruption leaves nothing behind: a write that is interrupted while its source stalls publishes nothing and leaves no upload",
  "interruption leaves nothing behind: a write that is interrupted leaves the version before it as it was",
  "interruption leaves nothing behind: a put interrupted at any turn has happened wholly or not at all",
  "interruption leaves nothing behind: a multipart put interrupted at any turn has happened wholly or not at all",
  "interruption leaves nothing behind: a copy or rename interrupted at any turn has happened wholly or not at all"
]

/** Cases that it passes or not by chance, and why. */
export const versitygwSometimes: Readonly<Record<string, string>> = {
  "listUploads and abortUpload: an open upload is listed under its key, and gone after it is aborted":
    "versitygw: completing an upload that is gone is refused for its checksum, not as NoSuchUpload",
  ...Object.fromEntries(mayRevive.map((name) => [name, revived]))
}
