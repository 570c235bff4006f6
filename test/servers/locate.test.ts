import { afterAll, assert, describe, it } from "@effect/vitest"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import { stripVTControlCharacters } from "node:util"
import { cachedFile, locate, stampOf } from "./locate.ts"
import { minio } from "./minio.ts"

const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "objectstore-locate-"))
afterAll(() => NodeFs.rmSync(directory, { recursive: true }))

const write = (file: string): string => {
  NodeFs.mkdirSync(NodePath.dirname(file), { recursive: true })
  NodeFs.writeFileSync(file, "#!/bin/sh\n", { mode: 0o755 })
  return file
}

describe("a program is looked for", () => {
  const { program } = minio
  const empty = {
    OBJECTSTORE_SERVERS_CACHE: NodePath.join(directory, "empty"),
    PATH: NodePath.join(directory, "empty")
  }
  const filled = {
    OBJECTSTORE_SERVERS_CACHE: NodePath.join(directory, "cache"),
    PATH: NodePath.join(directory, "path")
  }
  const cached = write(cachedFile(program, filled)!)
  const onPath = write(NodePath.join(directory, "path", "minio"))
  const named = write(NodePath.join(directory, "named"))

  it("nowhere else: it is missing, and says how to get it", () => {
    assert.deepStrictEqual(locate(program, empty), { _tag: "Missing", how: "npm run servers -- install minio" })
  })

  it("on PATH, while the cache holds what an interrupted installation left", () => {
    assert.deepStrictEqual(locate(program, filled), { _tag: "Found", command: [onPath], by: "PATH" })
  })

  it("in the cache before PATH, once it is installed", () => {
    NodeFs.writeFileSync(stampOf(program, filled), "")
    assert.deepStrictEqual(locate(program, filled), { _tag: "Found", command: [cached], by: "cache" })
    const newer = locate({ ...program, version: "v1" }, { ...filled, PATH: "" })
    assert.strictEqual(newer._tag, "Missing", "another version is no substitute")
  })

  it("where its variable says, and then nowhere else", () => {
    const variable = "OBJECTSTORE_SERVER_MINIO"
    assert.deepStrictEqual(locate(program, { ...filled, [variable]: named }), {
      _tag: "Found",
      command: [named],
      by: variable
    })
    assert.deepStrictEqual(locate(program, { ...filled, [variable]: "/nowhere" }), {
      _tag: "Missing",
      how: `${variable} names /nowhere, which does not exist`
    })
  })
})

describe("tests of a server that is not here", () => {
  const root = fileURLToPath(new URL("../..", import.meta.url))
  const run = (variables: Readonly<Record<string, string>>) => {
    const { PATH: path = "", ...inherited } = process.env
    const { status, stderr, stdout } = NodeChildProcess.spawnSync(
      process.execPath,
      [
        NodePath.join(root, "node_modules/vitest/vitest.mjs"),
        "run",
        "--reporter=verbose",
        "test/servers/servers.test.ts",
        "-t=versitygw is not here"
      ],
      {
        cwd: root,
        encoding: "utf8",
        env: { ...inherited, PATH: path, OBJECTSTORE_SERVER_VERSITYGW: "/nowhere", NO_COLOR: "1", CI: "", ...variables }
      }
    )
    return { status, printed: stripVTControlCharacters(stdout + stderr) }
  }
  const text = "versitygw is not here; to get it: OBJECTSTORE_SERVER_VERSITYGW names /nowhere, which does not exist"

  it("are skipped, and the reason is printed", () => {
    const { printed, status } = run({})
    assert.strictEqual(status, 0, printed)
    assert.include(printed, `skipped: ${text}`)
  })

  it("fail on CI", () => {
    const { printed, status } = run({ CI: "true" })
    assert.strictEqual(status, 1, printed)
    assert.include(printed, text)
    assert.include(printed, "1 failed")
  })
})
