/**
 * Page-aligned memory in a bounded number of slots: what O_DIRECT asks of the memory that it moves.
 *
 * The bytes of a resizable `ArrayBuffer` begin at a page, because its memory is reserved as pages; ordinary buffers begin
 * anywhere. This is an observation about V8 and not a promise, so the probe of `DirectData.ts` verifies it before a store
 * relies on it.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { Errno } from "./calls.ts"

/** What memory, offsets and lengths are multiples of, at least: the largest logical block size of today's disks. */
export const minAlignment = 4096

/** The largest page size in use. */
export const maxAlignment = 64 * 1024

/** Reserves `bytes` of page-aligned memory. */
export const allocate = (bytes: number): Effect.Effect<Uint8Array<ArrayBuffer>, Errno> =>
  Effect.try({
    try: () => new Uint8Array(new ArrayBuffer(bytes, { maxByteLength: bytes }), 0, bytes),
    catch: (cause) =>
      Object.assign(new Error(`no memory for a slot of ${bytes} bytes`, { cause }), { code: "ENOMEM", syscall: "mmap" })
  })

/** Whether the bytes of `memory` can be handed to an O_DIRECT call that begins `shift` bytes after their start. */
export const isAligned = (memory: Uint8Array, shift: number, alignment: number): boolean =>
  (memory.byteOffset + shift) % alignment === 0 &&
  (memory.buffer instanceof ArrayBuffer ? memory.buffer.resizable : memory.buffer.growable)

/** A bounded number of slots, reserved when first needed and reused. */
export interface SlotPool {
  /** Bytes of a slot. */
  readonly slotSize: number
  /**
   * Lends a slot to `f`. Waits while all are lent, which can be interrupted; the slot comes back when the effect has
   * ended, and so no earlier than the system calls in it.
   */
  readonly use: <A, E, R>(f: (slot: Uint8Array) => Effect.Effect<A, E, R>) => Effect.Effect<A, E | Errno, R>
  /** Slots that were reserved so far. */
  readonly reserved: Effect.Effect<number>
}

/** Makes a pool of at most `slots` slots of `slotSize` bytes, a multiple of the alignment. */
export const makeSlotPool = (options: { readonly slots: number; readonly slotSize: number }): SlotPool => {
  const permits = Semaphore.makeUnsafe(options.slots)
  const free: Array<Uint8Array> = []
  let reserved = 0
  const reserve = Effect.tap(allocate(options.slotSize), () =>
    Effect.sync(() => {
      reserved++
    }))
  const take = Effect.suspend(() => {
    const slot = free.pop()
    return slot === undefined ? reserve : Effect.succeed(slot)
  })
  return {
    slotSize: options.slotSize,
    use: (f) =>
      permits.withPermits(1)(
        Effect.acquireUseRelease(take, f, (slot) =>
          Effect.sync(() => {
            free.push(slot)
          }))
      ),
    reserved: Effect.sync(() => reserved)
  }
}
