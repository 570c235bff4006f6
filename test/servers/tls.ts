import { Effect } from "effect"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { locate } from "./locate.ts"
import type { Program } from "./Program.ts"
import { ServerError } from "./ServerError.ts"

/** Makes the certificates of servers that speak TLS. */
export const openssl: Program = { name: "openssl", version: "3", from: { _tag: "System" } }

/** The domain of virtual hosts: of two labels, since clients refuse a wildcard below only one. */
export const virtualDomain = "s3.localhost"

/** A certificate that is its own authority, and lives as long as the directory. */
export interface Certificate {
  readonly certificateFile: string
  readonly keyFile: string
  /** PEM, for clients. */
  readonly ca: string
}

/** Makes a certificate for the loopback address, `localhost` and virtual hosts, named as MinIO wants its files, once. */
export const makeCertificate = (directory: string): Effect.Effect<Certificate, ServerError> => {
  const location = locate(openssl)
  if (location._tag === "Missing") return Effect.fail(new ServerError({ message: `no openssl: ${location.how}` }))
  const [command] = location.command
  const certificateFile = NodePath.join(directory, "public.crt")
  const keyFile = NodePath.join(directory, "private.key")
  const names = `DNS:localhost,DNS:${virtualDomain},DNS:*.${virtualDomain},IP:127.0.0.1`
  const read = Effect.sync(() => ({ certificateFile, keyFile, ca: NodeFs.readFileSync(certificateFile, "utf8") }))
  if (NodeFs.existsSync(certificateFile)) return read
  return Effect.callback((resume) => {
    NodeFs.mkdirSync(directory, { recursive: true })
    const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    const subject = ["-subj", "/CN=localhost", "-addext", `subjectAltName=${names}`]
    NodeChildProcess.execFile(
      command,
      [...args, ...subject, "-keyout", keyFile, "-out", certificateFile],
      (error, _, stderr) =>
        resume(
          error === null
            ? read
            : Effect.fail(new ServerError({ message: `openssl made no certificate: ${stderr}` }))
        )
    )
  })
}
