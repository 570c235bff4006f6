/**
 * What a careful program would write by hand with `node:fs`: the limits that the stores are held against.
 */
import * as NodeFs from "node:fs"
import * as NodeUtil from "node:util"

const read = NodeUtil.promisify(NodeFs.read)
const write = NodeUtil.promisify(NodeFs.write)
const fdatasync = NodeUtil.promisify(NodeFs.fdatasync)

/** Runs `step` on each offset of `size`, some at a time. */
const inParts = async (
  size: number,
  partSize: number,
  concurrency: number,
  step: (offset: number, length: number) => Promise<unknown>
): Promise<void> => {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < size) {
      const offset = next
      next += partSize
      await step(offset, Math.min(partSize, size - offset))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

/** Reads a file into memory by ranges. */
export const readRanges = async (
  path: string,
  target: Uint8Array,
  options: { readonly partSize: number; readonly concurrency: number; readonly flags?: number }
): Promise<number> => {
  const fd = NodeFs.openSync(path, NodeFs.constants.O_RDONLY | (options.flags ?? 0))
  const { size } = NodeFs.fstatSync(fd)
  await inParts(
    size,
    options.partSize,
    options.concurrency,
    (offset, length) => read(fd, target, offset, length, offset)
  )
  NodeFs.closeSync(fd)
  return size
}

/** Writes a temporary file by ranges, forces its bytes to the disk and gives it its name. */
export const writeAndRename = async (
  path: string,
  body: Uint8Array,
  options: { readonly partSize: number; readonly concurrency: number; readonly flags?: number }
): Promise<number> => {
  const { O_CREAT, O_EXCL, O_WRONLY } = NodeFs.constants
  const temporary = `${path}.tmp`
  const fd = NodeFs.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | (options.flags ?? 0), 0o600)
  await inParts(
    body.length,
    options.partSize,
    options.concurrency,
    (offset, length) => write(fd, body, offset, length, offset)
  )
  await fdatasync(fd)
  NodeFs.closeSync(fd)
  NodeFs.renameSync(temporary, path)
  return body.length
}

/** Reads a file by `createReadStream` into memory, as most programs do. */
export const readStream = async (path: string, target: Uint8Array, highWaterMark: number): Promise<number> => {
  let offset = 0
  for await (const chunk of NodeFs.createReadStream(path, { highWaterMark }) as AsyncIterable<Uint8Array>) {
    target.set(chunk, offset)
    offset += chunk.length
  }
  return offset
}
