import { Effect } from "effect"
import * as NodePath from "node:path"
import type { AzureAddress } from "./address.ts"
import type { Program } from "./Program.ts"
import type { ServerDefinition } from "./Server.ts"
import { makeCertificate, openssl } from "./tls.ts"

const program: Program = {
  name: "azurite",
  version: "3.37.0",
  from: { _tag: "Npm", script: "azurite/dist/src/blob/main.js" }
}

// Published by Microsoft for every emulator: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
const account = "devstoreaccount1"
const accountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

const makeAzurite = (name: string, title: string, tls: boolean): ServerDefinition<AzureAddress> => ({
  name,
  title,
  program,
  needs: tls ? [openssl] : [],
  launch: Effect.fnUntraced(function*({ directory, port }) {
    const certificate = tls ? yield* makeCertificate(NodePath.join(directory, "certificates")) : undefined
    const scheme = tls ? "https" : "http"
    const origin = `${scheme}://127.0.0.1:${port}`
    const endpoint = `${origin}/${account}`
    const secure = certificate === undefined
      ? []
      : ["--oauth=basic", `--cert=${certificate.certificateFile}`, `--key=${certificate.keyFile}`]
    return {
      // Without `--skipApiVersionCheck` it refuses the service versions of today's clients.
      args: [
        "--blobHost=127.0.0.1",
        `--blobPort=${port}`,
        "--inMemoryPersistence",
        "--silent",
        "--disableTelemetry",
        "--skipApiVersionCheck",
        ...secure
      ],
      ready: `${origin}/`,
      anyAnswer: true,
      ca: certificate?.ca,
      address: {
        endpoint,
        account,
        accountKey,
        connectionString:
          `DefaultEndpointsProtocol=${scheme};AccountName=${account};AccountKey=${accountKey};BlobEndpoint=${endpoint};`,
        ca: certificate?.ca,
        caFile: certificate?.certificateFile
      }
    }
  }),
  variables: ({ caFile, connectionString }) => ({
    AZURE_STORAGE_CONNECTION_STRING: connectionString,
    ...(caFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: caFile })
  })
})

/** The Azure server. */
export const azurite = makeAzurite("azurite", "Azurite", false)

/**
 * Azurite over https, which takes bearer tokens too: it checks their claims (audience `https://storage.azure.com`, issuer
 * `https://sts.windows.net/ANY-GUID/`, `nbf`, `iat`, `exp`), not their signature.
 */
export const azuriteTls = makeAzurite("azurite-tls", "Azurite over https", true)
