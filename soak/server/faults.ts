/**
 * A model of S3 with objects, in a process of its own, that does harm to some of the requests: `--percent=1` of them are reset (before or
 * after they are done), as many are refused with 503, as many are done and never answered (or only half), and as many answers are
 * cut short. `POST /_/calm` ends the harm, `/_/` answers what was done.
 *
 * It prints its port and ends with its parent.
 */
import { Clock, Effect, Scope } from "effect"
import * as NodeUtil from "node:util"
import { serve, type ServerRequest } from "../../src/testing/protocol/Server.ts"
import { printReply, replySteps, type WireReply } from "../../src/testing/protocol/wire.ts"
import { answer } from "../../src/testing/s3/answer.ts"
import { makeS3State } from "../../src/testing/s3/S3Model.ts"

const { values } = NodeUtil.parseArgs({ options: { percent: { type: "string" } } })
let percent = Number(values.percent ?? 0)

const counted = { requests: 0, reset: 0, refused: 0, stalled: 0, cut: 0, uploads: 0 }

const date = new Date().toUTCString()

const slowDown = "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"

const handle = (request: ServerRequest): Effect.Effect<WireReply> =>
  Effect.map(Clock.currentTimeMillis, (now): WireReply => {
    if (request.rawPath.startsWith("/_/")) {
      if (request.method === "POST") percent = 0
      counted.uploads = [...state.buckets.values()].reduce((sum, { uploads }) => sum + uploads.size, 0)
      return { steps: replySteps(printReply(request.method, { status: 200, body: JSON.stringify(counted) }, date)) }
    }
    counted.requests++
    const chance = Math.random() * 100 / Math.max(percent, Number.MIN_VALUE)
    const half = Math.random() < 0.5
    if (chance < 0.5) {
      counted.reset++
      return { steps: [{ _tag: "Reset" }] }
    }
    if (chance >= 1 && chance < 2) {
      counted.refused++
      return { steps: replySteps(printReply(request.method, { status: 503, body: slowDown }, date)) }
    }
    const reply = answer(state, request, now)
    if (chance < 1) {
      counted.reset++
      return { steps: [{ _tag: "Reset" }] }
    }
    const steps = replySteps(printReply(request.method, reply, date))
    if (chance >= 4) return { steps }
    const bytes = Buffer.concat(steps.flatMap((step) => step._tag === "Bytes" ? [step.bytes] : []))
    const body = bytes.indexOf("\r\n\r\n") + 4
    if (chance < 3) {
      counted.stalled++
      const sent = half ? 0 : body + (bytes.length - body >> 1)
      return {
        steps: [{ _tag: "Bytes", bytes: bytes.subarray(0, sent === bytes.length ? 0 : sent) }, { _tag: "Stall" }]
      }
    }
    counted.cut++
    // An answer without a body is cut in its head.
    const end = bytes.length > body ? body + (bytes.length - body >> 1) : bytes.length >> 1
    return { steps: [{ _tag: "Bytes", bytes: bytes.subarray(0, end) }, { _tag: half ? "End" : "Reset" }] }
  })

const state = makeS3State({
  buckets: ["bucket"],
  minPartSize: 65_536,
  credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" }
}, Date.now())

const { port } = await Effect.runPromise(Scope.provide(serve(handle), Scope.makeUnsafe()))
process.stdout.write(`${port}\n`)
process.stdin.on("end", () => process.exit()).resume()
