import * as Memory from "effect-objectstore/layers/Memory"
import { describeProperty } from "effect-objectstore/testing"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { versitygw } from "../servers/versitygw.ts"
import { storeOf } from "./S3Test.ts"

onServer(minio, (server) =>
  describeProperty("S3 on MinIO", storeOf(server), {
    model: Memory.layer(),
    refusedKeys: ["b//c", "c/../d"],
    // What these servers do with a key and a key below it stands in the lists of the suite.
    apart: true,
    sequences: 120,
    timeout: 300_000
  }))

onServer(versitygw, (server) =>
  describeProperty("S3 on versitygw", storeOf(server), {
    model: Memory.layer({ capabilities: { hierarchical: true } }),
    refusedKeys: ["b/", "b//c", "c/../d"],
    // What these servers do with a key and a key below it stands in the lists of the suite.
    apart: true,
    sequences: 120,
    timeout: 300_000
  }))
