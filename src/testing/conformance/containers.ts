/**
 * Cases of containers.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { byUtf8, failsWith, holds, refuses, same, utf8, wrong } from "./assertions.ts"
import { type Case, type CaseContext, flag, need, not, subject, test } from "./Case.ts"

const explicit = need("explicit containers", (c) => c.containers === "explicit")

const fresh = Effect.map(Random.next, (n) => `conformance-${Math.floor(n * 36 ** 8).toString(36).padStart(8, "0")}`)

const made = Effect.fnUntraced(function*(t: CaseContext) {
  const name = yield* fresh
  yield* t.store.createContainer(name)
  yield* Effect.addFinalizer(() => Effect.ignore(t.store.deleteContainer(name)))
  const all = yield* Stream.runCollect(t.store.listContainers())
  return all.find((one) => one.name === name) ?? wrong(`the container ${name} is not listed`)
})

const keyIn = (container: { readonly uri: string }, key: string): string =>
  `${container.uri}${container.uri.endsWith("/") ? "" : "/"}${key}`

/**
 * Cases of containers.
 *
 * @category testing
 * @since 0.1.0
 */
export const containers: ReadonlyArray<Case> = subject("containers", [
  test("a container is made, listed in order of names, and removed", function*(t) {
    const one = yield* made(t)
    const two = yield* made(t)
    const names = Effect.map(Stream.runCollect(t.store.listContainers()), (all) => all.map((info) => info.name))
    const listed = yield* names
    same(listed, byUtf8(listed), "order")
    yield* t.store.deleteContainer(one.name)
    const left = yield* names
    holds(!left.includes(one.name) && left.includes(two.name), "the wrong container was removed")
  }, { needs: [explicit] }),
  test("one that exists is AlreadyExists", function*(t) {
    const { name } = yield* made(t)
    const error = yield* refuses("AlreadyExists", t.store.createContainer(name))
    same(error.operation, "createContainer", "operation")
  }, { needs: [explicit] }),
  test("one that holds an object is NotEmpty, and keeps it", function*(t) {
    const container = yield* made(t)
    const at = keyIn(container, "dir/object")
    yield* t.store.put(at, "x")
    yield* Effect.addFinalizer(() => Effect.orDie(t.store.delete(at)))
    yield* refuses("NotEmpty", t.store.deleteContainer(container.name))
    same(Buffer.from(yield* t.store.get(at)), Buffer.from(utf8("x")))
  }, { needs: [explicit] }),
  test("one whose objects are all removed can be removed", function*(t) {
    const container = yield* made(t)
    const at = keyIn(container, "dir/object")
    yield* t.store.put(at, "x")
    yield* t.store.delete(at)
    yield* t.store.deleteContainer(container.name)
  }, { needs: [explicit] }),
  test("a missing one is ContainerNotFound", function*(t) {
    const error = yield* refuses("ContainerNotFound", t.store.deleteContainer(yield* fresh))
    same(error.operation, "deleteContainer", "operation")
  }, { needs: [explicit] }),
  test("a name that cannot be is InvalidRequest", function*(t) {
    for (const name of ["", "..", ".", "a/b", "\0", "\ud800"]) {
      yield* refuses("InvalidRequest", t.store.createContainer(name), JSON.stringify(name))
      yield* refuses("InvalidRequest", t.store.deleteContainer(name), JSON.stringify(name))
    }
  }),
  test("a location is refused where there is none", function*(t) {
    yield* refuses("Unsupported", t.store.createContainer(yield* fresh, { location: "somewhere" }))
  }, { needs: [not(flag("containerLocation"))] }),
  test("a signed URL is refused where URLs cannot be signed", function*(t) {
    yield* t.store.put(t.key("x"), "x")
    yield* failsWith("Unsupported", t.store.presign(t.key("x"), { method: "GET", expiresIn: "1 minute" }))
  }, { needs: [not(flag("presign"))] })
])
