import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  defaultMatrix,
  makeError,
  type ReasonFields,
  type RetryMatrix,
  type RetryVerdicts,
  verdictsOf
} from "effect-objectstore"
import { readFileSync } from "node:fs"
import { isDeepStrictEqual } from "node:util"
import { matrixMarkers, matrixPage, renderMatrix } from "../../scripts/matrix.ts"
import { failureOf } from "../../src/engine/retryMatrix.ts"
import { type Cell, cells, errorOf, expected, observe, trials } from "./MatrixTest.ts"

const withCell = ({ failure, kind, verdict }: Cell): RetryMatrix => ({
  ...defaultMatrix,
  [failure]: { ...defaultMatrix[failure], [kind]: verdict } as RetryVerdicts
})

/** Whether a matrix treats a cell otherwise than it was decided, in any trial. */
const differs = Effect.fnUntraced(function*(cell: Cell, matrix: RetryMatrix) {
  for (const trial of trials) {
    if (!isDeepStrictEqual(yield* observe(cell, trial, matrix), expected(cell, trial))) return true
  }
  return false
})

/** What OpenSSL and Node say of certificates (nodejs.org/api/tls.html#x509-certificate-error-codes), and of names. */
const certificateCodes = [
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_CRL",
  "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
  "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
  "CERT_SIGNATURE_FAILURE",
  "CRL_SIGNATURE_FAILURE",
  "CERT_NOT_YET_VALID",
  "CERT_HAS_EXPIRED",
  "CRL_NOT_YET_VALID",
  "CRL_HAS_EXPIRED",
  "ERROR_IN_CERT_NOT_BEFORE_FIELD",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_CHAIN_TOO_LONG",
  "CERT_REVOKED",
  "INVALID_CA",
  "PATH_LENGTH_EXCEEDED",
  "INVALID_PURPOSE",
  "CERT_UNTRUSTED",
  "CERT_REJECTED",
  "HOSTNAME_MISMATCH",
  "ERR_TLS_CERT_ALTNAME_INVALID"
]

type ConnectPhase = ReasonFields<"ConnectionFailed">["phase"]

const figures: Array<string> = []

afterAll(() => console.log(`retry matrix: ${figures.join(", ")}`))

describe("the retry matrix", () => {
  it("tells all of its failures apart", () => {
    for (const failure of new Set(cells.map((cell) => cell.failure))) {
      assert.strictEqual(failureOf(errorOf(failure).reason), failure)
    }
    assert.deepStrictEqual(Object.keys(defaultMatrix), [...new Set(cells.map((cell) => cell.failure))])
  })

  it("takes a failure for a special one only where its code means that", () => {
    const reasonOf = (tag: "ConnectionFailed" | "Unavailable", phase: ConnectPhase, code: string | undefined) =>
      failureOf(makeError(tag, { operation: "test", backend: "test", phase, code }).reason)
    for (const code of certificateCodes) {
      assert.strictEqual(reasonOf("ConnectionFailed", "tls", code), "ConnectionFailed.certificate", code)
      // What a service says, once it is connected, is its own.
      assert.strictEqual(reasonOf("ConnectionFailed", "request", code), "ConnectionFailed.request", code)
    }
    for (const code of [undefined, "ECONNRESET", "EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER", "NO_CERT_"]) {
      assert.strictEqual(reasonOf("ConnectionFailed", "tls", code), "ConnectionFailed.tls", code)
    }
    for (const code of [undefined, "EAI_AGAIN", "ESERVFAIL"]) {
      assert.strictEqual(reasonOf("ConnectionFailed", "dns", code), "ConnectionFailed.dns", code)
    }
    assert.strictEqual(reasonOf("ConnectionFailed", "connect", "ENOTFOUND"), "ConnectionFailed.connect")
    for (const code of [undefined, "EBUSY", "SlowDown", "ENOTFOUND"]) {
      assert.strictEqual(reasonOf("Unavailable", "connect", code), "Unavailable", code)
    }
  })

  it("leaves each kind of request the verdicts that mean something for it", () => {
    const harmless = ["retry", "once", "twice"] as const
    const meant: typeof verdictsOf = {
      read: [...harmless, "fail"],
      body: ["resume", "once", "twice", "fail"],
      put: [...harmless, "fail"],
      conditional: [...harmless, "verify", "recheck", "fail"],
      part: [...harmless, "fail"],
      complete: [...harmless, "verify", "recheck", "fail"],
      initiate: [...harmless, "fail"],
      abort: [...harmless, "done", "fail"],
      delete: [...harmless, "fail"],
      copy: [...harmless, "verify", "recheck", "fail"]
    }
    assert.deepStrictEqual(verdictsOf, meant)
  })

  it.effect("does in every cell what was decided, at the times that the policy says", () =>
    Effect.gen(function*() {
      let exercised = 0
      for (const cell of cells) {
        for (const trial of trials) {
          const name = `${cell.failure} of ${cell.kind}: ${trial.name}`
          assert.deepStrictEqual(yield* observe(cell, trial, defaultMatrix), expected(cell, trial), name)
        }
        exercised++
      }
      const all = Object.values(defaultMatrix).reduce((sum, row) => sum + Object.keys(row).length, 0)
      figures.push(`${exercised} of ${all} cells exercised`)
      assert.strictEqual(exercised, all)
    }))

  it.effect("shows every change of any cell", () =>
    Effect.gen(function*() {
      let mutants = 0
      const survivors: Array<string> = []
      for (const cell of cells) {
        for (const verdict of verdictsOf[cell.kind]) {
          if (verdict === cell.verdict) continue
          mutants++
          if (!(yield* differs(cell, withCell({ ...cell, verdict })))) {
            survivors.push(`${cell.failure} of ${cell.kind}: ${cell.verdict} as ${verdict}`)
          }
        }
      }
      figures.push(`${mutants - survivors.length} of ${mutants} changed cells noticed`)
      assert.deepStrictEqual(survivors, [])
    }))
})

describe("docs/reliability.md", () => {
  it("shows the matrix that the engine runs by; `npm run matrix` writes it", () => {
    const [start, end] = matrixMarkers
    const text = readFileSync(matrixPage, "utf8")
    const shown = text.slice(text.indexOf(start) + start.length, text.indexOf(end)).trim()
    assert.strictEqual(shown, renderMatrix())
  })
})
