/**
 * What a careful program would write by hand over undici's dispatch: the limit that the stores are held against.
 */
import { Stream } from "effect"
import * as NodeNet from "node:net"
import { Readable } from "node:stream"
import { Agent, type Dispatcher } from "undici"
import { touched } from "./harness.ts"
import { originIn } from "./stub/start.ts"

const agent = new Agent({ connections: 64, headersTimeout: 0, bodyTimeout: 0 })

/** Sends a request, sets its reply's body into `target`, and answers how many bytes it had. */
export const dispatch = (request: Dispatcher.DispatchOptions, target: Uint8Array): Promise<number> =>
  new Promise((resolve, reject) => {
    let size = 0
    agent.dispatch(request, {
      onRequestStart: () => {},
      onResponseStart: (_, status) => {
        if (status >= 300) reject(new Error(`status ${status}`))
      },
      onResponseData: (_, chunk) => {
        target.set(chunk, size)
        size += chunk.length
      },
      onResponseEnd: () => resolve(size),
      onResponseError: (_, error) => reject(error)
    })
  })

/** A PUT of bytes on a bare socket, in one write: the least that a program can do. The connection is kept for the next. */
export const bareUpload = (origin: string, head: (size: number) => string): (body: Uint8Array) => Promise<void> => {
  const { hostname, port } = new URL(origin)
  const socket = NodeNet.connect({ host: hostname, port: Number(port), noDelay: true })
  return (body) =>
    new Promise((resolve, reject) => {
      socket.removeAllListeners()
      // An idle connection must not keep the process of a case.
      socket.ref()
      socket.once("error", reject)
      socket.once("data", (data) => {
        socket.unref()
        if (data.toString("latin1", 0, 10).startsWith("HTTP/1.1 2")) resolve()
        else reject(new Error(data.toString("latin1", 0, 100)))
      })
      socket.write(head(body.length), "latin1")
      socket.write(body)
    })
}

/** Heads of uploads that each service's stub takes. */
export const bareHeads = {
  azure: (size: number): string =>
    `PUT /devstoreaccount1/container/put.bin HTTP/1.1\r\nhost: stub\r\nx-ms-version: 2021-12-02\r\n` +
    `x-ms-blob-type: BlockBlob\r\ncontent-length: ${size}\r\n\r\n`,
  gcs: (size: number): string =>
    `POST /upload/storage/v1/b/gcs/o?uploadType=media&name=put.bin HTTP/1.1\r\nhost: stub\r\n` +
    `content-length: ${size}\r\n\r\n`,
  s3: (size: number): string => `PUT /bucket/put.bin HTTP/1.1\r\nhost: stub\r\ncontent-length: ${size}\r\n\r\n`
}

/** A case: the same bytes on a bare socket, in one request, or in blocks some at a time. */
export const bareCase = (cloud: keyof typeof bareHeads, size: number, blockSize = size, concurrency = 1) => ({
  setup: (directory: string) => {
    const uploads = Array.from({ length: concurrency }, () => bareUpload(originIn(directory), bareHeads[cloud]))
    const memory = touched(new Uint8Array(size))
    return Promise.resolve(async () => {
      let at = 0
      await times(size / blockSize, concurrency, (slot) => {
        const offset = at
        at += blockSize
        return uploads[slot]!(memory.subarray(offset, offset + blockSize))
      })
      return { bytes: size }
    })
  }
})

/** Pieces of memory, as a program that reads a file or a socket has them. */
function* piecesOf(memory: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < memory.length; at += size) yield memory.subarray(at, at + size)
}

/** The same as a stream whose length nobody is told, some pieces at a time. */
export const streamOf = (memory: Uint8Array): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(piecesOf(memory, streamPiece), { chunkSize: 16 })

/** The same as a stream of Node's. */
export const readableOf = (memory: Uint8Array): Readable =>
  Readable.from(piecesOf(memory, streamPiece), { objectMode: false })

const streamPiece = 64 * 1024

/** Runs `one` so many times, some at a time. */
export const times = async (
  count: number,
  concurrency: number,
  one: (slot: number) => Promise<unknown>
): Promise<void> => {
  let begun = 0
  const worker = async (slot: number): Promise<void> => {
    while (begun++ < count) await one(slot)
  }
  await Promise.all(Array.from({ length: concurrency }, (_, slot) => worker(slot)))
}
