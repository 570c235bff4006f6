import { Effect, type Scope } from "effect"
import { azurite, azuriteTls } from "./azurite.ts"
import { fakeGcs } from "./fakeGcs.ts"
import { gcpStorageEmulator } from "./gcpStorageEmulator.ts"
import { minio, minioTls } from "./minio.ts"
import { moto } from "./moto.ts"
import type { Program } from "./Program.ts"
import { type ServerDefinition, startServer } from "./Server.ts"
import type { ServerError } from "./ServerError.ts"
import { toxiproxy } from "./toxiproxy.ts"
import { versitygw } from "./versitygw.ts"

/** A server of any kind, for people. */
export interface AnyServer {
  readonly name: string
  readonly title: string
  readonly programs: readonly [Program, ...Array<Program>]
  /** Starts it, and answers its endpoint and the variables that lead clients to it. */
  readonly start: Effect.Effect<
    { readonly endpoint: string; readonly variables: Readonly<Record<string, string>> },
    ServerError,
    Scope.Scope
  >
}

const any = <Address extends { readonly endpoint: string }>(definition: ServerDefinition<Address>): AnyServer => ({
  name: definition.name,
  title: definition.title,
  programs: [definition.program, ...definition.needs ?? []],
  start: Effect.map(startServer(definition), (server) => ({
    endpoint: server.endpoint,
    variables: definition.variables(server)
  }))
})

/** All of them. */
export const servers: ReadonlyArray<AnyServer> = [
  any(minio),
  any(minioTls),
  any(versitygw),
  any(moto),
  any(azurite),
  any(azuriteTls),
  any(fakeGcs),
  any(gcpStorageEmulator),
  any(toxiproxy)
]
