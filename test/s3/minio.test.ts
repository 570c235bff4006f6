import { describeObjectStore } from "effect-objectstore/testing"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { backendOf, noVersions, storeOf } from "./S3Test.ts"

const hidden =
  "MinIO: a key that is the prefix of a listing hides the keys after it from the next page, or those below it"

onServer(minio, (server) => {
  describeObjectStore("S3 on MinIO", storeOf(server), {
    backend: backendOf(server),
    // What MinIO refuses itself, or folds into another key.
    refusedKeys: [
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
    ],
    skip: {
      "conditional reads: an old version is read by its id": noVersions,
      "the prefix in `list` is a string prefix: lists exactly the keys that begin with it": hidden,
      "the prefix in `list` is a string prefix: a key and a key below it coexist, and both are listed": hidden,
      "directories only through listDirectory: gives the objects of one level, and each prefix of deeper ones once":
        hidden
    }
  })
})
