/**
 * Cases of locations.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as ObjectUri from "../../ObjectUri.ts"
import { byUtf8, failsWith, holds, keysOf, reads, refuses, same, utf8 } from "./assertions.ts"
import { type Case, subject, test } from "./Case.ts"

/** One location of every scheme, none of which a store under test is likely to own. */
const foreign = [
  "s3://no-such-bucket-of-ours/key",
  "gs://no-such-bucket-of-ours/key",
  "gcs://no-such-bucket-of-ours/key",
  "az://nosuchaccountofours/container/key",
  "https://nosuchaccountofours.blob.core.windows.net/container/key",
  "file:///no/such/root/of/ours/key",
  "direct:///no/such/root/of/ours/key",
  "mem://no-such-store-of-ours/key"
]

const malformed = [
  "nowhere://x/y",
  "ftp://host/key",
  "http://host/key",
  "S3://bucket/key",
  "s3:///key",
  "s3://UPPER/key",
  "s3://a/key",
  "gs://-bad-/key",
  "az://x/container/key",
  "https://example.org/container/key",
  "https://account.blob.core.windows.net/container/key?sig=secret",
  "https://account.blob.core.windows.net/container/%zz",
  "file://host/path",
  "direct://relative/path",
  "mem:///key",
  "mem://\ud800/key"
]

/**
 * Cases of locations.
 *
 * @category testing
 * @since 0.1.0
 */
export const uris: ReadonlyArray<Case> = subject("locations", [
  test("an absolute location and a relative key name the same object, in every operation", function*(t) {
    const { uri } = yield* t.store.put(t.key("x"), "first")
    const parsed = yield* ObjectUri.parse(uri)
    for (const at of [uri, parsed]) {
      yield* t.store.put(at, "0123456789")
      yield* reads(t, t.key("x"), utf8("0123456789"))
      same(Buffer.from(yield* t.store.get(at)).toString(), "0123456789")
      same(Buffer.from(yield* t.store.getRange(at, { offset: 3, length: 2 })).toString(), "34")
      same((yield* t.store.stat(at)).uri, uri, "location")
      same(yield* t.store.exists(at), true)
      same(Buffer.from(yield* Stream.mkUint8Array(t.store.stream(at))).toString(), "0123456789")
      if (!t.capabilities.serverCopy) continue
      const copied = yield* t.store.copy(at, t.key("copy"))
      yield* t.store.rename(copied.uri, t.key("moved"))
      yield* t.store.delete(t.key("moved"))
    }
    yield* t.store.delete(uri)
    same(yield* t.store.exists(t.key("x")), false)
  }),
  test("a listing answers in the form it was asked in", function*(t) {
    const names = ["a", "b/c", "b/d"]
    for (const name of names) yield* t.store.put(t.key(name), name)
    const anchor = yield* t.store.stat(t.key("a"))
    const root = anchor.uri.slice(0, -1)
    const [relative, absolute] = yield* Effect.all([
      Stream.runCollect(t.store.list(t.prefix)),
      Stream.runCollect(t.store.list(root))
    ])
    same(byUtf8(relative.map((info) => info.key)), byUtf8(names.map(t.key)))
    same(byUtf8(absolute.map((info) => info.uri)), byUtf8(names.map((name) => root + name)))
    same(byUtf8(relative.map((info) => info.uri)), byUtf8(absolute.map((info) => info.uri)))
    const level = yield* Stream.runCollect(t.store.listDirectory(root))
    same(byUtf8(level.map((one) => one.uri)), byUtf8([`${root}a`, `${root}b/`]))
    for (const info of absolute) {
      holds(info.uri.endsWith(info.key), `the location ${info.uri} does not end in ${info.key}`)
      yield* reads(t, info.uri, utf8(info.uri.slice(root.length)))
    }
    same(yield* t.store.deletePrefix(`${root}b/`), { deleted: 2 })
    same(yield* keysOf(t.store.list(t.prefix)), [t.key("a")])
  }),
  test("a location of another store is InvalidUri, never a guess", function*(t) {
    const { uri } = yield* t.store.put(t.key("x"), "x")
    const { scheme } = yield* ObjectUri.parse(uri)
    for (const at of foreign) {
      // Another container of the same service may belong to the store.
      const other = yield* ObjectUri.parse(at)
      if (other.scheme === scheme && scheme !== "file" && scheme !== "direct") continue
      yield* failsWith("InvalidUri", t.store.get(at), at)
      yield* refuses("InvalidUri", t.store.put(at, "x"), at)
      yield* refuses("InvalidUri", t.store.delete(at), at)
      yield* refuses("InvalidUri", t.store.copy(t.key("x"), at), at)
      yield* refuses("InvalidUri", t.store.copy(at, t.key("y")), at)
      yield* failsWith("InvalidUri", Stream.runDrain(t.store.list(at)), at)
      yield* failsWith("InvalidUri", Stream.runDrain(t.store.listUploads(at)), at)
      yield* refuses("InvalidUri", t.store.deletePrefix(at), at)
    }
    same(yield* keysOf(t.store.list(t.prefix)), [t.key("x")])
  }),
  test("a malformed location is InvalidUri, and no secret of it is told", function*(t) {
    for (const at of malformed) {
      const error = yield* failsWith("InvalidUri", t.store.get(at), at)
      holds(!error.message.includes("secret"), `the message tells a secret: ${error.message}`)
      yield* failsWith("InvalidUri", t.store.exists(at), at)
      yield* refuses("InvalidUri", t.store.put(at, "x"), at)
      yield* refuses("InvalidUri", Effect.scoped(t.store.writer(at)), at)
      yield* refuses("InvalidUri", Stream.run(Stream.empty, t.store.sink(at)), at)
      yield* failsWith("InvalidUri", Stream.runDrain(t.store.list(at)), at)
    }
  }),
  test("a store's own container or root is no object", function*(t) {
    const { uri } = yield* t.store.put(t.key("x"), "x")
    const { account, container, scheme } = yield* ObjectUri.parse(uri)
    if (scheme === "file" || scheme === "direct") return
    const root = ObjectUri.printPrefix({ scheme, account, container })
    yield* failsWith("InvalidKey", t.store.get(root))
    yield* refuses("InvalidKey", t.store.put(root, "x"))
    yield* refuses("InvalidRequest", t.store.deletePrefix(root))
    yield* reads(t, t.key("x"), utf8("x"))
  })
])
