/**
 * Which rooms of the house open to which others: an import through another door is found here.
 */
import { assert, describe, it } from "@effect/vitest"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

const files = ["src", "layers"].flatMap((home) =>
  NodeFs.readdirSync(NodePath.join(root, home), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => NodePath.join(home, name))
)

/** The files of the package that a file imports, also when it runs. */
const importsOf = (file: string): ReadonlyArray<string> => {
  const text = NodeFs.readFileSync(NodePath.join(root, file), "utf8").replaceAll(/^ \*.*$/gm, "")
  return Array.from(
    text.matchAll(/(?:from |import\()"(\.[^"]+)"/g),
    ([, path]) => NodePath.join(NodePath.dirname(file), path!)
  )
}

/** Where something is: the directory below `src` or `layers`, or the file itself. */
const roomOf = (file: string): string => file.split("/").slice(0, 2).join("/")

const clouds = ["layers/azure", "layers/gcs", "layers/s3"]
const paths = ["layers/File.ts", "layers/Direct.ts", "layers/direct"]

/** Who may come into a room from outside. */
const guests: Readonly<Record<string, ReadonlyArray<string>>> = {
  "src/engine": ["src/ObjectStore.ts", "src/index.ts"],
  "src/http": [...clouds, "layers/Azure.ts", "layers/Gcs.ts", "layers/S3.ts", "src/testing"],
  "src/filesystem": [...paths, "src/cli"],
  "src/compression": ["src/compress.ts"],
  "src/testing": [],
  "src/cli": [],
  // The command finds its layer by the location.
  "layers/Universal.ts": ["src/cli"],
  ...Object.fromEntries(
    files.map(roomOf).filter((room) => /^layers\/[a-z0-9]+$/.test(room)).map((room) => [
      room,
      files.filter((file) => file.toLowerCase() === `${room}.ts`)
    ])
  )
}

describe("the doors of the house", () => {
  it("are known: imports are found", () => {
    assert.include(importsOf("src/ObjectStore.ts"), "src/engine/store.ts")
    assert.include(Object.keys(guests), "layers/s3")
    assert.deepStrictEqual(guests["layers/s3"], ["layers/S3.ts"])
  })

  it("are the only way in", () => {
    const strangers = files.flatMap((file) =>
      importsOf(file).flatMap((target) => {
        const [from, to] = [roomOf(file), roomOf(target)]
        const allowed = guests[to]
        return from === to || allowed === undefined || allowed.includes(from) ? [] : [`${file} -> ${target}`]
      })
    )
    assert.deepStrictEqual(strangers, [])
  })

  it("lead from no source to a layer but from the command, and from no layer to another but by its name", () => {
    const strangers = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith("layers/") && roomOf(target) !== roomOf(file))
        .filter((target) =>
          file.startsWith("src/")
            ? !file.startsWith("src/cli/")
            : roomOf(target).toLowerCase() !== `${roomOf(file).toLowerCase()}`.replace(/\.ts$/, "") &&
              !file.startsWith("layers/universal/")
        )
        .map((target) => `${file} -> ${target}`)
    )
    assert.deepStrictEqual(strangers, [])
  })
})
