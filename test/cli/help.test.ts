import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { CliOutput, Command } from "effect/cli"
import * as NodeFs from "node:fs"
import { type CommandName, commands, flags, helpFor, isCommand } from "../../src/cli/help.ts"
import { objectstore } from "../../src/cli/run.ts"

const names = Object.keys(commands).filter(isCommand)

const docOf = (name: CommandName) =>
  Effect.gen(function*() {
    const events: Array<CliOutput.Presenter.Event> = []
    const presenter = CliOutput.layerPresenter({ present: (event) => Effect.sync(() => events.push(event)) })
    yield* Command.runWith(objectstore, { version: "0" })([...name.split(" "), "--help"]).pipe(
      Effect.provide(Layer.mergeAll(NodeServices.layer, presenter))
    )
    const [event] = events
    return event?._tag === "Help" ? event.helpDoc : assert.fail("no help")
  })

describe("help", () => {
  for (const name of names) {
    it.effect(`says of ${name} what the parser knows of it`, () =>
      Effect.gen(function*() {
        const doc = yield* docOf(name)
        const known = doc.flags.map((flag) => flag.name).sort()
        assert.deepStrictEqual(known, [...commands[name].flags].sort())
        for (const flag of doc.flags) {
          const described = flags[flag.name as keyof typeof flags]
          assert.deepStrictEqual(flag.aliases, described.alias === "" ? [] : [`-${described.alias}`], flag.name)
        }
        assert.strictEqual(doc.description, commands[name].summary)
      }))
  }

  it("lists commands and flags in alphabetical order", () => {
    assert.deepStrictEqual(names, [...names].sort())
    for (const name of names) assert.deepStrictEqual([...commands[name].flags], [...commands[name].flags].sort())
  })

  it("is asked for by help, -h and --help, but not behind --", () => {
    for (const args of [["--help"], ["-h"], ["help"]]) assert.include(helpFor(args), "Commands:")
    for (const args of [["cp", "-h"], ["cp", "a", "--help"], ["help", "cp"]]) {
      assert.include(helpFor(args), "cp SRC... DST")
    }
    for (const args of [["uploads", "ls", "-h"], ["uploads", "ls", "a", "--help"], ["help", "uploads", "ls"]]) {
      assert.include(helpFor(args), "uploads ls LOCATION...")
    }
    for (const args of [["uploads", "-h"], ["help", "uploads"]]) assert.include(helpFor(args), "uploads COMMAND")
    for (const args of [[], ["cat", "--", "--help"], ["nope", "--help"], ["help", "nope"], ["help", "cp", "nope"]]) {
      assert.isUndefined(helpFor(args))
    }
  })

  it("loads nothing but Node's own modules", () => {
    const source = (name: string): string =>
      NodeFs.readFileSync(new URL(`../../src/cli/${name}`, import.meta.url), "utf8")
    const imports = (text: string) => [...text.matchAll(/^import .*from "(.*)"$/gm)].map(([, from]) => from)
    assert.deepStrictEqual(imports(source("main.ts")), ["node:fs", "node:module", "./help.ts"])
    assert.deepStrictEqual(imports(source("help.ts")), [])
  })

  it("fits a terminal", () => {
    for (const name of names) {
      for (const line of helpFor([...name.split(" "), "--help"])!.split("\n")) assert.isAtMost(line.length, 120, line)
    }
  })
})
