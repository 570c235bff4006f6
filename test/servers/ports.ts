import { Effect } from "effect"
import { type AddressInfo, createServer } from "node:net"

/** A port of the loopback address that nobody listens on just now. Servers here cannot choose one and tell which. */
export const freePort = Effect.callback<number>((resume) => {
  const probe = createServer()
  probe.once("error", (error) => resume(Effect.die(error)))
  probe.listen(0, "127.0.0.1", () => {
    const { port } = probe.address() as AddressInfo
    probe.close(() => resume(Effect.succeed(port)))
  })
})
