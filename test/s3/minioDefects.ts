import { noVersions } from "./S3Test.ts"

const hidden =
  "MinIO: a key that is the prefix of a listing hides the keys after it from the next page, or those below it"

/** Keys of the suite that MinIO refuses itself, or folds into another key. */
export const minioRefusedKeys: ReadonlyArray<string> = [
  "double//slash",
  "triple///slash",
  "trailing-two//",
  "dots/../up",
  "dots/./here",
  "dots-end/..",
  "dot-end/.",
  "/leading",
  "d//e",
  ".",
  "..",
  "a//b",
  "a/./b",
  "a/c/../b"
]

/** Cases of the suite that MinIO fails, and why: each is asked again, and fails the suite when it passes. */
export const minioDefects: Readonly<Record<string, string>> = {
  "conditional reads: an old version is read by its id": noVersions,
  "the prefix in `list` is a string prefix: lists exactly the keys that begin with it": hidden,
  "the prefix in `list` is a string prefix: a key and a key below it coexist, and both are listed": hidden,
  "directories only through listDirectory: gives the objects of one level, and each prefix of deeper ones once": hidden
}
