/**
 * Documents that are none, or more than one can bear.
 */
import { body, GCS, type Lie, refused, S3, xmlClouds } from "./Lie.ts"

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

export const documentLies: Readonly<Record<string, Lie>> = {
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
