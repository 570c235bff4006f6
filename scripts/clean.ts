/**
 * Removes what the build made.
 */
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"

NodeFs.rmSync(fileURLToPath(new URL("../dist", import.meta.url)), { recursive: true, force: true })
