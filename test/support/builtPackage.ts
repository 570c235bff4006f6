import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/**
 * Builds the package into a directory of its own, so that its name resolves there to what was built: as it is published,
 * without what a bundler of tests would add.
 */
export const buildPackage = (directory: string): void => {
  NodeFs.mkdirSync(directory, { recursive: true })
  NodeFs.copyFileSync(NodePath.join(root, "package.json"), NodePath.join(directory, "package.json"))
  NodeChildProcess.execFileSync(process.execPath, [
    NodePath.join(root, "node_modules/typescript/bin/tsc"),
    "-p",
    NodePath.join(root, "tsconfig.build.json"),
    "--outDir",
    NodePath.join(directory, "dist"),
    "--noCheck",
    "--declaration",
    "false",
    "--declarationMap",
    "false"
  ], { cwd: root, stdio: "inherit" })
}
