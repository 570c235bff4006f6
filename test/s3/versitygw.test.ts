import { describeObjectStore } from "effect-objectstore/testing"
import { onServer } from "../servers/onServer.ts"
import { versitygw } from "../servers/versitygw.ts"
import { backendOf, storeOf } from "./S3Test.ts"
import { versitygwDefects, versitygwRefusedKeys, versitygwSometimes } from "./versitygwDefects.ts"

onServer(versitygw, (server) => {
  describeObjectStore("S3 on versitygw", storeOf(server), {
    backend: backendOf(server),
    refusedKeys: versitygwRefusedKeys,
    skip: versitygwDefects,
    sometimes: versitygwSometimes
  })
})
