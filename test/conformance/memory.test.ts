import * as Memory from "effect-objectstore/layers/Memory"
import { describeObjectStore } from "effect-objectstore/testing"

const describeMemory = (name: string, options?: Memory.MemoryOptions): void =>
  describeObjectStore(name, Memory.layer(options), { backend: Memory.makeBackend(options) })

describeMemory("memory")

describeMemory("memory, where a key and a key below it cannot both exist", { capabilities: { hierarchical: true } })

describeMemory("memory that can do the least", {
  capabilities: {
    conditionalRead: false,
    conditionalCreate: false,
    conditionalUpdate: false,
    conditionalDelete: false,
    conditionalCopy: false,
    suffixRange: false,
    attributes: false,
    metadata: false,
    listStartAfter: false,
    maxPageSize: 3,
    maxDeleteBatch: 1,
    serverCopy: false,
    atomicRename: false,
    containers: "implicit",
    maxWriteSize: 20_000,
    multipart: { minPartSize: 2000, partMultiple: 250, ordered: true, conditionalComplete: false }
  }
})

describeMemory("memory with the limits of a cloud", {
  capabilities: {
    maxPageSize: 5,
    maxDeleteBatch: 7,
    maxCopySize: 3000,
    atomicRename: false,
    conditionalDelete: false,
    maxWriteSize: 50_000,
    multipart: { minPartSize: 1024, maxPartSize: 40_000, maxParts: 200 },
    tuning: {
      readPartSize: 3000,
      readConcurrency: 3,
      streamPartSize: 3000,
      streamConcurrency: 3,
      writePartSize: 4000,
      writeConcurrency: 3,
      multipartThreshold: 8000
    }
  }
})
