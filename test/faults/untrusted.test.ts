import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { defaultRetryPolicy, type ObjectStoreError, type ObjectStoreOperations, RetryPolicy } from "effect-objectstore"
import { type FaultServer, WireFault } from "effect-objectstore/testing"
import { inspect } from "node:util"
import { bytesOf } from "./operations.ts"
import { type ServiceName, services } from "./services.ts"

// Nothing stalls here; the processor may be busy elsewhere.
const patient = { headersTimeout: 5000, stallTimeout: 5000, connectTimeout: 5000 }

const policy = { ...defaultRetryPolicy, baseDelay: 1, throttleDelay: 1, maxAttempts: 3 }

const small = bytesOf(1, 600)
const objects = { "a": small, "p/1": small, "p/2": small, "p/3": small }

type Operation = FaultServer.WireOperation

/** One lie, told every time, and what may come of it: one of these errors, or else nothing but the truth. */
interface Lie {
  readonly services?: ReadonlyArray<ServiceName>
  readonly to: Operation | ReadonlyArray<Operation>
  readonly fault: WireFault.WireFault
  readonly ask: keyof typeof questions
  readonly errors: ReadonlyArray<string>
}

/** What is asked, with answers that can be compared with the truth. */
const questions = {
  "get": (store) => store.get("a"),
  "get in parts": (store) => store.get("a", { partSize: 256, concurrency: 1 }),
  "getRange": (store) => store.getRange("a", { offset: 100, length: 200 }),
  "getRange of the end": (store) => store.getRange("a", { suffix: 50 }),
  "stat": (store) => Effect.map(store.stat("a"), ({ key, size }) => [key, size]),
  "list": (store) =>
    Effect.map(Stream.runCollect(store.list("p/", { pageSize: 2 })), (found) => found.map(({ key }) => key)),
  "list all": (store) =>
    Effect.map(
      Stream.runCollect(store.list("", { pageSize: 2 })),
      (found) => found.map(({ key, size }) => [key, size])
    ),
  "listUploads": (store) => Effect.as(Stream.runDrain(store.listUploads()), "none"),
  "listContainers": (store) =>
    Effect.map(Stream.runCollect(store.listContainers()), (found) => found.map(({ name }) => name)),
  "deleteMany": (store) =>
    Effect.flatMap(Stream.runCollect(store.deleteMany(["p/1", "p/2", "p/3"])), (results) => {
      const failed = results.find(({ error }) => error !== undefined)?.error
      return failed === undefined ? Effect.succeed(results.length) : Effect.fail(failed)
    }),
  "deletePrefix": (store) => store.deletePrefix("p/"),
  "delete": (store) => store.delete("a"),
  "put": (store) => Effect.map(store.put("new", small), ({ size }) => size),
  "put of much": (store) => Effect.map(store.put("new", new Uint8Array(12 * 1024 * 1024)), ({ size }) => size),
  "create": (store) => Effect.map(store.put("new", small, { mode: "create" }), ({ size }) => size),
  "putMultipart": (store) => Effect.map(store.putMultipart("new", small), ({ size }) => size),
  "copy": (store) => Effect.map(store.copy("a", "new"), ({ size }) => size)
} satisfies Record<string, (store: ObjectStoreOperations) => Effect.Effect<unknown, ObjectStoreError>>

const range = (value: string | undefined) => WireFault.contentRange(value)
const header = (headers: Record<string, string | undefined>) => WireFault.change({ headers })
const body = (body: string | ((body: string) => string), applied = true) => WireFault.change({ body }, { applied })
const xmlClouds: ReadonlyArray<ServiceName> = ["S3", "Azure"]
const refused = ["ProtocolViolation"]
const anyBody = ["ProtocolViolation", "BodyInterrupted", "ObjectChanged", "IntegrityFailed", "RangeNotSatisfiable"]
const S3: ReadonlyArray<ServiceName> = ["S3"]
const Azure: ReadonlyArray<ServiceName> = ["Azure"]
const GCS: ReadonlyArray<ServiceName> = ["GCS"]

const deep = (depth: number): string => "<a>".repeat(depth) + "</a>".repeat(depth)

/** Documents that are no listing. */
const hostileXml: Readonly<Record<string, string>> = {
  "a document type": "<!DOCTYPE a [<!ENTITY b \"c\">]><ListBucketResult>&b;</ListBucketResult>",
  "entities that grow": `<!DOCTYPE a [<!ENTITY b "${"x".repeat(1000)}">${
    Array.from({ length: 20 }, (_, i) => `<!ENTITY c${i} "&b;&b;&b;">`).join("")
  }]><a>&c19;</a>`,
  "a document of many levels": deep(100_000),
  "a name of a million letters": `<${"n".repeat(1_000_000)}></${"n".repeat(1_000_000)}>`,
  "an entity that nobody knows": "<ListBucketResult><Name>&nobody;</Name></ListBucketResult>",
  "half a document": "<ListBucketResult><IsTruncated>false</IsTrunc",
  "a page that asks to log in": "<html><body>log in</body></html>",
  "nothing": "",
  "no text": "\xff\xfe\x00"
}

const lies: Readonly<Record<string, Lie>> = {
  "a range that begins one byte too early": {
    to: "read",
    fault: range("bytes 99-298/600"),
    ask: "getRange",
    errors: refused
  },
  "a range that begins one byte too late": {
    to: "read",
    fault: range("bytes 101-300/600"),
    ask: "getRange",
    errors: refused
  },
  "a range that ends one byte too early": {
    to: "read",
    fault: range("bytes 100-298/600"),
    ask: "getRange",
    errors: refused
  },
  "a range that ends one byte too late": {
    to: "read",
    fault: range("bytes 100-300/600"),
    ask: "getRange",
    errors: refused
  },
  "a range of an object of another size": {
    to: "read",
    fault: range("bytes 0-255/601"),
    ask: "get in parts",
    errors: anyBody
  },
  "a range of an object of a smaller size": {
    to: "read",
    fault: range("bytes 0-255/599"),
    ask: "get in parts",
    errors: anyBody
  },
  "a range without a size": { to: "read", fault: range("bytes 100-299/*"), ask: "getRange", errors: refused },
  "no range": { to: "read", fault: range(undefined), ask: "getRange", errors: refused },
  "a range that is none": { to: "read", fault: range("bytes all"), ask: "getRange", errors: refused },
  "a range in other units": { to: "read", fault: range("lines 100-299/600"), ask: "getRange", errors: refused },
  "a size past 2^53": {
    to: "read",
    fault: range("bytes 100-299/9007199254740993"),
    ask: "getRange",
    errors: [...refused, "LimitExceeded"]
  },
  "a size past 2^53 of a whole object": {
    to: ["head", "read"],
    fault: range("bytes 0-599/9007199254740993"),
    ask: "get",
    errors: [...refused, "LimitExceeded"]
  },
  "the end of another object": {
    to: "read",
    fault: range("bytes 549-598/599"),
    ask: "getRange of the end",
    errors: [...anyBody, "truth"]
  },
  "the whole under the status of a part": {
    to: "read",
    fault: WireFault.change({
      headers: { "content-range": undefined, "content-length": "600" },
      body: Buffer.from(small)
    }),
    ask: "getRange",
    errors: refused
  },
  "a part under the status of the whole": {
    to: "read",
    fault: WireFault.change({ status: 200 }),
    ask: "getRange",
    errors: [...refused, "IntegrityFailed"]
  },
  "a status that is no object, 204": {
    to: "read",
    fault: WireFault.change({ status: 204 }),
    ask: "get",
    errors: refused
  },
  "a status that is no object, 203": {
    to: "read",
    fault: WireFault.change({ status: 203 }),
    ask: "get",
    errors: refused
  },
  "a status that is no object, 299": {
    to: "read",
    fault: WireFault.change({ status: 299 }),
    ask: "get",
    errors: refused
  },
  "a redirect": {
    to: "read",
    fault: WireFault.redirect("http://127.0.0.1:1/a"),
    ask: "get",
    errors: ["ProtocolViolation", "Configuration"]
  },
  "no etag": {
    to: ["read", "head"],
    fault: header({ "etag": undefined, "x-goog-generation": undefined }),
    ask: "get",
    errors: refused
  },
  "a body that is cut": { to: "read", fault: WireFault.cutBody(), ask: "getRange", errors: anyBody },
  "a body that is cut and says so": {
    to: "read",
    fault: WireFault.change({ body: "short" }),
    ask: "getRange",
    errors: anyBody
  },
  "surplus bytes": { to: "read", fault: WireFault.surplus(5), ask: "getRange", errors: anyBody },
  "surplus bytes in chunks": {
    to: "read",
    fault: WireFault.raw(
      `HTTP/1.1 206 Partial Content\r\netag: "e"\r\nx-goog-generation: 5\r\ncontent-range: bytes 100-299/600\r\ntransfer-encoding: chunked\r\n\r\nc8\r\n${
        "x".repeat(200)
      }\r\n5\r\nextra\r\n0\r\n\r\n`
    ),
    ask: "getRange",
    errors: anyBody
  },
  "two lengths": {
    to: "read",
    fault: WireFault.raw(
      "HTTP/1.1 206 OK\r\ncontent-length: 200\r\ncontent-length: 3\r\ncontent-range: bytes 100-299/600\r\n\r\nabc"
    ),
    ask: "getRange",
    errors: anyBody
  },
  "no HTTP": { to: "read", fault: WireFault.raw("I am no server of yours\r\n\r\n"), ask: "get", errors: refused },
  "nothing at all": { to: "read", fault: WireFault.raw(""), ask: "get", errors: ["ConnectionFailed"] },
  "a head of 100 KB": { to: "read", fault: header({ "x-long": "h".repeat(100_000) }), ask: "get", errors: refused },
  "ten thousand headers": {
    to: "read",
    fault: header(Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`x-${i}`, "1"]))),
    ask: "get",
    errors: refused
  },
  "a header with a line end": {
    to: "head",
    fault: header({ "etag": "\"a\"\r\nx-injected: 1", "x-goog-generation": undefined }),
    ask: "stat",
    errors: ["truth"]
  },
  "a header with a bare line feed": {
    to: "head",
    fault: header({ "x-a": "b\nc: d" }),
    ask: "stat",
    errors: [...refused, "truth"]
  },
  "a header with a NUL": { to: "head", fault: header({ "x-a": "b\0c" }), ask: "stat", errors: [...refused, "truth"] },
  "a size that is none": {
    services: xmlClouds,
    to: "head",
    fault: header({ "content-length": "-1" }),
    ask: "stat",
    errors: refused
  },
  "a size past 2^53 in a head": {
    services: xmlClouds,
    to: "head",
    fault: header({ "content-length": "9007199254740993" }),
    ask: "stat",
    errors: [...refused, "LimitExceeded"]
  },
  "a size past 2^53 in a document": {
    services: GCS,
    to: "head",
    fault: body((text) => text.replace(/"size":"\d+"/, "\"size\":\"9007199254740993\"")),
    ask: "stat",
    errors: refused
  },
  "a message of 10 MB with control characters": {
    to: ["head", "read"],
    fault: WireFault.change({
      status: 403,
      body: `<Error><Code>AccessDenied</Code><Message>${"\x1b[31m\r\n".repeat(1000)}${
        "x".repeat(10_000_000)
      }</Message></Error>`
    }, { applied: false }),
    ask: "get",
    errors: ["PermissionDenied"]
  },

  "more without a place to go on from, S3": {
    services: S3,
    to: "listPage",
    fault: body((text) => text.replace(/<NextContinuationToken>.*?<\/NextContinuationToken>/, "")),
    ask: "list",
    errors: refused
  },
  "the same place again, S3": {
    services: S3,
    to: "listPage",
    fault: body((text) =>
      text.replace(/<IsTruncated>.*?<\/IsTruncated>/, "<IsTruncated>true</IsTruncated>").replace(
        /<NextContinuationToken>.*?<\/NextContinuationToken>/,
        ""
      ).replace("</ListBucketResult>", "<NextContinuationToken>same</NextContinuationToken></ListBucketResult>")
    ),
    ask: "list",
    errors: [...refused, "InvalidRequest"]
  },
  "empty pages in a circle, S3": {
    services: S3,
    to: "listPage",
    fault: {
      _tag: "Change",
      applied: false,
      change: {
        headers: { "content-type": "application/xml" },
        body:
          "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken></ListBucketResult>"
      }
    },
    ask: "list",
    errors: refused
  },
  "empty pages in a circle, Azure": {
    services: Azure,
    to: "listPage",
    fault: body("<EnumerationResults><Blobs></Blobs><NextMarker>same</NextMarker></EnumerationResults>", false),
    ask: "list",
    errors: refused
  },
  "empty pages in a circle, GCS": {
    services: GCS,
    to: "listPage",
    fault: body("{\"nextPageToken\":\"same\"}", false),
    ask: "list",
    errors: refused
  },
  "keys that do not begin with the prefix": {
    to: "listPage",
    fault: body((text) => text.replaceAll("p/1", "q/1")),
    ask: "list",
    errors: refused
  },
  "keys that do not begin with the prefix, to be removed": {
    to: "listPage",
    fault: body((text) => text.replaceAll("p/1", "a")),
    ask: "deletePrefix",
    errors: refused
  },
  "keys in a wrong order": {
    services: ["S3", "GCS"],
    to: "listPage",
    fault: body((text) => text.replaceAll("p/3", "p/0")),
    ask: "list",
    errors: refused
  },
  "a listed size past 2^53": {
    to: "listPage",
    fault: body((text) => text.replaceAll(/(<Size>|<Content-Length>|"size":")\d+/g, "$19007199254740993")),
    ask: "list all",
    errors: refused
  },
  "a listed size that is none": {
    to: "listPage",
    fault: body((text) => text.replaceAll(/(<Size>|<Content-Length>|"size":")\d+/g, "$1-1")),
    ask: "list all",
    errors: refused
  },
  "an object without a name": {
    to: "listPage",
    fault: body((text) => text.replaceAll(/<Key>.*?<\/Key>|<Name>.*?<\/Name>|"name":"[^"]*",?/g, "")),
    ask: "list all",
    errors: refused
  },
  "an error for a page": {
    to: "listPage",
    fault: WireFault.errorInSuccess(),
    ask: "list",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "an error for a page of uploads": {
    services: S3,
    to: "listUploads",
    fault: WireFault.errorInSuccess(),
    ask: "listUploads",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "uploads in a circle": {
    services: S3,
    to: "listUploads",
    fault: body(
      "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextUploadIdMarker>b</NextUploadIdMarker></ListMultipartUploadsResult>",
      false
    ),
    ask: "listUploads",
    errors: refused
  },
  "an error for the containers": {
    to: "listContainers",
    fault: WireFault.errorInSuccess(),
    ask: "listContainers",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "containers in a circle, S3": {
    services: S3,
    to: "listContainers",
    fault: body((text) =>
      text.replace("</ListAllMyBucketsResult>", "<ContinuationToken>same</ContinuationToken></ListAllMyBucketsResult>")
    ),
    ask: "listContainers",
    errors: refused
  },
  "containers in a circle, Azure": {
    services: Azure,
    to: "listContainers",
    fault: body((text) => text.replace(/<NextMarker>.*<\/NextMarker>|<NextMarker\/>/, "<NextMarker>same</NextMarker>")),
    ask: "listContainers",
    errors: refused
  },
  "containers in a circle, GCS": {
    services: GCS,
    to: "listContainers",
    fault: body((text) => text.replace(/\}$/, ",\"nextPageToken\":\"same\"}")),
    ask: "listContainers",
    errors: refused
  },

  "a batch that leaves a key out": {
    to: "deleteBatch",
    fault: body((text) =>
      text.replace(/<Deleted><Key>p\/2<\/Key><\/Deleted>/, "").replace(/--batch[^]*?(?=--batch)/, "")
    ),
    ask: "deleteMany",
    errors: refused
  },
  "a batch that answers another key, S3": {
    services: S3,
    to: "deleteBatch",
    fault: body((text) => text.replace("p/2", "p/9")),
    ask: "deleteMany",
    errors: refused
  },
  "a batch that answers nothing": { to: "deleteBatch", fault: body("", false), ask: "deleteMany", errors: refused },
  "a batch that answers an error": {
    to: "deleteBatch",
    fault: WireFault.errorInSuccess(),
    ask: "deleteMany",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "a removal that answers an error": {
    to: "delete",
    fault: WireFault.errorInSuccess(),
    ask: "delete",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "a removal that answers another status": {
    to: "delete",
    fault: WireFault.change({ status: 200, body: "<html>log in</html>" }, { applied: false }),
    ask: "delete",
    errors: refused
  },

  "a write that answers an error": {
    to: "write",
    fault: WireFault.errorInSuccess(),
    ask: "put",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "a write that answers nothing": { to: "write", fault: body("", false), ask: "put", errors: refused },
  "a create that answers an error": {
    to: "write",
    fault: WireFault.errorInSuccess(),
    ask: "create",
    errors: ["ProtocolViolation", "Unavailable"]
  },
  "a success before the bytes were read": {
    to: "write",
    fault: WireFault.early(200),
    ask: "put of much",
    errors: refused
  },
  "a completion that answers an error": {
    to: "completeUpload",
    fault: WireFault.errorInSuccess(),
    ask: "putMultipart",
    errors: ["ProtocolViolation", "Unavailable", "OutcomeUnknown"]
  },
  "a completion that answers nothing": {
    to: "completeUpload",
    fault: body("", false),
    ask: "putMultipart",
    errors: ["ProtocolViolation", "OutcomeUnknown"]
  },
  "a completion that answers another document": {
    services: S3,
    to: "completeUpload",
    fault: body("<CompleteMultipartUploadResult></CompleteMultipartUploadResult>", false),
    ask: "putMultipart",
    errors: ["ProtocolViolation", "OutcomeUnknown"]
  },
  "a completion with the checksum of other bytes": {
    services: S3,
    to: "completeUpload",
    fault: body((text) => text.replace(/<ChecksumCRC32>.*?</, "<ChecksumCRC32>AAAAAA==<")),
    ask: "putMultipart",
    errors: ["IntegrityFailed"]
  },
  "a copy that answers an error": {
    to: "copy",
    fault: WireFault.errorInSuccess(),
    ask: "copy",
    errors: ["ProtocolViolation", "Unavailable", "OutcomeUnknown"]
  },
  "a copy that answers nothing": {
    to: "copy",
    fault: body("", false),
    ask: "copy",
    errors: ["ProtocolViolation", "OutcomeUnknown"]
  },
  "an upload without an id": {
    services: ["S3", "GCS"],
    to: "openUpload",
    fault: WireFault.change({ headers: { location: undefined }, body: "<InitiateMultipartUploadResult/>" }),
    ask: "putMultipart",
    errors: refused
  },

  "metadata named __proto__": {
    services: GCS,
    to: "head",
    fault: body((text) => text.replace(/\}$/, ",\"metadata\":{\"__proto__\":\"x\",\"constructor\":\"y\"}}")),
    ask: "stat",
    errors: ["truth"]
  },
  "JSON of many levels": {
    services: GCS,
    to: ["head", "listPage"],
    fault: body("[".repeat(200_000), false),
    ask: "list",
    errors: refused
  },
  "JSON that is a list": { services: GCS, to: "listPage", fault: body("[]", false), ask: "list", errors: refused },
  "JSON of wrong types": {
    services: GCS,
    to: "listPage",
    fault: body("{\"items\":{\"name\":1},\"prefixes\":7}", false),
    ask: "list",
    errors: refused
  },
  ...Object.fromEntries(
    Object.entries(hostileXml).flatMap(([name, text]): ReadonlyArray<readonly [string, Lie]> => [
      [`${name}, for a listing`, {
        services: xmlClouds,
        to: "listPage",
        fault: body(text, false),
        ask: "list",
        errors: refused
      }],
      [`${name}, for a batch`, {
        services: xmlClouds,
        to: "deleteBatch",
        fault: body(text, false),
        ask: "deleteMany",
        errors: refused
      }],
      [`${name}, for a completion`, {
        services: S3,
        to: "completeUpload",
        fault: body(text, false),
        ask: "putMultipart",
        errors: ["ProtocolViolation", "OutcomeUnknown"]
      }]
    ])
  )
}

for (const name of Object.keys(services) as ReadonlyArray<ServiceName>) {
  describe(`answers of ${name} that are not to be trusted`, () => {
    for (const [title, { ask, errors, fault, services: of, to }] of Object.entries(lies)) {
      if (of !== undefined && !of.includes(name)) continue
      it.live(title, () =>
        Effect.gen(function*() {
          const question: (store: ObjectStoreOperations) => Effect.Effect<unknown, ObjectStoreError> = questions[ask]
          const { connect, server } = yield* services[name]({ objects }, patient)
          const store = yield* connect
          const honest = yield* services[name]({ objects }, patient)
          const truth = yield* Effect.flatMap(honest.connect, question)
          yield* server.setScript([{ operation: to, fault }])
          const before = (yield* server.changes).length
          const told = yield* Effect.result(question(store))
          const met = (yield* server.journal).filter((one) => one.fault !== undefined)
          assert.isNotEmpty(met, "the lie was told")
          const changes = (yield* server.changes).slice(before)
          if (told._tag === "Success") {
            assert.deepStrictEqual(told.success, truth)
            assert.isTrue(errors.includes("truth"), "it was believed, and it was the truth")
            return
          }
          const error = told.failure
          assert.include(errors, error.reason._tag, error.message)
          if (error.outcome === "not-applied") assert.isEmpty(changes)
          if (error.outcome === "applied") assert.isNotEmpty(changes)
          // Nothing foreign was touched, and what is said is one short line.
          assert.isTrue(changes.every(({ key }) =>
            key === "new" || (ask.startsWith("delete") && key !== (ask === "delete" ? "" : "a"))
          ))
          // oxlint-disable-next-line no-control-regex
          assert.notMatch(error.message, /[\u0000-\u001f\u007f]/)
          assert.isBelow(inspect(error.reason, { depth: 0 }).length, 10_000)
        }).pipe(Effect.provideService(RetryPolicy, policy), Effect.scoped), { timeout: 30_000 })
    }
  })
}
