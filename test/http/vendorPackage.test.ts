import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { importVendorPackage } from "../../src/http/vendorPackage.ts"

const messageOf = (name: string, load: () => Promise<unknown>) =>
  Effect.map(
    Effect.flip(importVendorPackage({ backend: "b", name, need: "the default credential", load })),
    ({ message, reason }) => `${reason._tag} ${message}`
  )

const absent: string = "@effect-objectstore/no-such-package"

it.effect("a package that is not there is named, with the command that installs it", () =>
  Effect.gen(function*() {
    assert.match(
      yield* messageOf(absent, () => import(absent)),
      /^Configuration .*the default credential needs the package @effect-objectstore\/no-such-package, which is not installed: npm install @effect-objectstore\/no-such-package$/
    )
  }))

it.effect("a package that is there and lacks something else is not called missing", () =>
  Effect.gen(function*() {
    assert.match(
      yield* messageOf("vendor", () => import(absent)),
      /the package vendor, which cannot be loaded: .*no-such-package/
    )
    assert.match(
      yield* messageOf("vendor", () => Promise.reject(new Error("bad magic\nstack"))),
      /the package vendor, which cannot be loaded: bad magic$/
    )
  }))

it.effect("what was imported is handed on", () =>
  Effect.gen(function*() {
    const load = () => Promise.resolve({ answer: 42 })
    assert.strictEqual((yield* importVendorPackage({ backend: "b", name: "vendor", need: "it", load })).answer, 42)
  }))
