import type { Toxic } from "../servers/toxiproxy.ts"

/** Something that a network does. */
export interface Trouble {
  readonly name: string
  readonly toxic: Toxic
  /** It lasts so many milliseconds, and is away for as many; all the time without it. */
  readonly lasts?: number | undefined
  /** Requests fail of it. */
  readonly breaks: boolean
}

/** What is tried, all on real connections. */
export const troubles: ReadonlyArray<Trouble> = [
  {
    name: "connections are reset, before the answer comes",
    breaks: true,
    toxic: { type: "reset_peer", stream: "downstream", attributes: { timeout: 15 }, toxicity: 0.6 }
  },
  {
    name: "connections are reset, while the request is sent",
    breaks: true,
    toxic: { type: "reset_peer", stream: "upstream", attributes: { timeout: 10 }, toxicity: 0.6 }
  },
  {
    name: "answers come late",
    breaks: false,
    toxic: { type: "latency", stream: "downstream", attributes: { latency: 60, jitter: 50 } }
  },
  {
    name: "answers are cut",
    breaks: true,
    toxic: { type: "limit_data", stream: "downstream", attributes: { bytes: 40_000 }, toxicity: 0.6 }
  },
  {
    name: "requests are cut",
    breaks: true,
    toxic: { type: "limit_data", stream: "upstream", attributes: { bytes: 150_000 }, toxicity: 0.6 }
  },
  {
    name: "connections swallow everything for a time",
    breaks: true,
    toxic: { type: "timeout", stream: "downstream", attributes: { timeout: 0 }, toxicity: 0.5 },
    lasts: 250
  },
  {
    name: "answers come in crumbs",
    breaks: false,
    toxic: {
      type: "slicer",
      stream: "downstream",
      attributes: { average_size: 20_000, size_variation: 10_000, delay: 50 }
    }
  },
  {
    name: "the line is thin",
    breaks: false,
    toxic: { type: "bandwidth", stream: "upstream", attributes: { rate: 30_000 } }
  },
  {
    name: "connections close slowly",
    breaks: false,
    toxic: { type: "slow_close", stream: "downstream", attributes: { delay: 200 } }
  }
]
