import { describeObjectStore } from "effect-objectstore/testing"
import { minio } from "../servers/minio.ts"
import { onServer } from "../servers/onServer.ts"
import { minioDefects, minioRefusedKeys } from "./minioDefects.ts"
import { backendOf, storeOf } from "./S3Test.ts"

onServer(minio, (server) => {
  describeObjectStore("S3 on MinIO", storeOf(server), {
    backend: backendOf(server),
    refusedKeys: minioRefusedKeys,
    skip: minioDefects
  })
})
