/**
 * What a careful program would write by hand over undici's dispatch: the limit that the stores are held against.
 */
import { Agent, type Dispatcher } from "undici"

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
