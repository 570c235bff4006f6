/**
 * Understands requests to the model of GCS.
 *
 * @internal
 */
import type { ServerRequest } from "../protocol/Server.ts"
import { boundaryOf, cutHead, parseHeaders, parseParts } from "./multipart.ts"
import type { Operation, Target, Upload } from "./Operation.ts"
import {
  chosenOf,
  conditionsOf,
  describes,
  hashesOf,
  isJson,
  numberOf,
  parseChunkRange,
  parseJson,
  parseRange,
  textOf,
  xmlConditionsOf
} from "./parts.ts"
import { type Json, type Refusal, refusals } from "./replies.ts"

const refused = (api: "json" | "xml", refusal: Refusal): Operation => ({ _tag: "Refused", api, refusal })

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What a key may not be. */
const wrongKey = (key: string): string | undefined => {
  if (key === "") return "Required"
  if (key === "." || key === "..") return `Invalid object name: '${key}'.`
  if (/[\r\n]/.test(key)) return "Object names must not contain carriage return or line feed characters."
  if (key.startsWith(".well-known/acme-challenge/")) {
    return "Object names must not begin with .well-known/acme-challenge/."
  }
  return Buffer.byteLength(key) > 1024 ? "The object name is too long." : undefined
}

const onKey = (api: "json" | "xml", key: string, operation: () => Operation): Operation => {
  const wrong = wrongKey(key)
  if (wrong === undefined) return operation()
  return refused(api, wrong === "Required" ? refusals.required("Required") : refusals.key(wrong))
}

/** Names and values of a query, as forms write them: `+` is a space. */
const parseQuery = (rawQuery: string): ReadonlyMap<string, string> =>
  new Map(
    rawQuery.replaceAll("+", " ").split("&").filter((pair) => pair !== "").map((pair): [string, string] => {
      const sign = pair.indexOf("=")
      return sign === -1 ? [decode(pair), ""] : [decode(pair.slice(0, sign)), decode(pair.slice(sign + 1))]
    })
  )

/** Understands a request. */
export const parse = (sent: ServerRequest, origin: string): Operation => {
  const request = { ...sent, query: parseQuery(sent.rawQuery) }
  const path = request.rawPath
  const upload = /^\/(?:resumable\/)?upload\/storage\/v1\/b\/([^/]+)\/o$/.exec(path)
  if (upload !== null) return parseUpload(request, decode(upload[1]!), origin)
  if (path === "/batch/storage/v1" || path === "/batch") return parseBatch(request)
  const media = /^\/download\/storage\/v1\/b\/([^/]+)\/o\/([^/]+)$/.exec(path)
  if (media !== null) return parseObject(request, decode(media[1]!), decode(media[2]!), true)
  const api = /^\/storage\/v1\/b(?:\/(.*))?$/.exec(path)
  if (api !== null) return parseApi(request, api[1] ?? "")
  const xml = /^\/([^/]+)\/(.+)$/.exec(path)
  if (xml !== null) return parseXml(request, decode(xml[1]!), decode(xml[2]!))
  return refused("json", refusals.unknown)
}

const parseApi = (request: ServerRequest, rest: string): Operation => {
  const segments = rest === "" ? [] : rest.split("/").map(decode)
  const [bucket, kind, key, verb, ...to] = segments
  if (bucket === undefined) return parseBuckets(request)
  if (kind === undefined) return parseBucket(request, bucket)
  if (kind !== "o") return refused("json", refusals.notHere(kind))
  if (key === undefined) return parseListing(request, bucket)
  if (verb === undefined) return parseObject(request, bucket, key, request.query.get("alt") === "media")
  if (verb === "compose" && request.method === "POST") return parseCompose(request, bucket, key)
  if ((verb === "rewriteTo" || verb === "copyTo") && to[0] === "b" && to[2] === "o" && request.method === "POST") {
    return parseRewrite(request, { bucket, key }, to[1]!, to[3] ?? "", verb === "copyTo")
  }
  return refused("json", refusals.notHere(verb))
}

/** Understands a request by its document; no body is an empty one. */
const onDocument = (request: ServerRequest, operation: (resource: Json) => Operation): Operation => {
  const resource = request.body.length === 0 ? {} : parseJson(request.body)
  return resource === undefined ? refused("json", refusals.invalid("Parse Error")) : operation(resource)
}

const maxResultsOf = (request: ServerRequest): number =>
  Math.min(1000, Math.max(1, numberOf(request.query.get("maxResults")) ?? 1000))

const parseBuckets = (request: ServerRequest): Operation => {
  const project = request.query.get("project")
  if (project === undefined || project === "") return refused("json", refusals.required("Required parameter: project"))
  if (request.method === "GET") {
    return {
      _tag: "ListBuckets",
      project,
      prefix: request.query.get("prefix") ?? "",
      pageToken: request.query.get("pageToken"),
      maxResults: maxResultsOf(request)
    }
  }
  if (request.method !== "POST") return refused("json", refusals.notHere(request.method))
  return onDocument(request, (resource) => ({
    _tag: "InsertBucket",
    name: textOf(resource["name"]) ?? "",
    project,
    location: textOf(resource["location"])?.toUpperCase() ?? "US",
    versioning: versioningOf(resource) ?? false
  }))
}

const versioningOf = (resource: Json): boolean | undefined => {
  const versioning = resource["versioning"]
  return typeof versioning === "object" && versioning !== null && "enabled" in versioning
    ? versioning.enabled === true
    : undefined
}

const parseBucket = (request: ServerRequest, bucket: string): Operation => {
  switch (request.method) {
    case "GET":
      return { _tag: "GetBucket", bucket }
    case "DELETE":
      return { _tag: "DeleteBucket", bucket }
    case "PATCH":
      return onDocument(
        request,
        (resource) => ({ _tag: "PatchBucket", bucket, versioning: versioningOf(resource) })
      )
    default:
      return refused("json", refusals.notHere(request.method))
  }
}

const parseListing = (request: ServerRequest, bucket: string): Operation => {
  const { query } = request
  if (request.method !== "GET") return refused("json", refusals.notHere(request.method))
  if (query.has("matchGlob") || query.get("softDeleted") === "true") {
    return refused("json", refusals.notHere("this filter"))
  }
  return {
    _tag: "ListObjects",
    bucket,
    prefix: query.get("prefix") ?? "",
    delimiter: query.get("delimiter") ?? "",
    startOffset: query.get("startOffset") ?? "",
    endOffset: query.get("endOffset"),
    includeTrailingDelimiter: query.get("includeTrailingDelimiter") === "true",
    versions: query.get("versions") === "true",
    pageToken: query.get("pageToken"),
    maxResults: maxResultsOf(request)
  }
}

const parseObject = (request: ServerRequest, bucket: string, key: string, media: boolean): Operation => {
  const target: Target = { bucket, key, generation: numberOf(request.query.get("generation")) }
  const conditions = conditionsOf(request.query)
  switch (request.method) {
    case "GET":
      return media
        ? {
          _tag: "GetMedia",
          api: "json",
          target,
          conditions,
          range: parseRange(request.headers["range"]),
          headers: request.headers,
          head: false
        }
        : { _tag: "GetObject", target, conditions }
    case "DELETE":
      return { _tag: "DeleteObject", api: "json", target, conditions }
    case "PATCH":
    case "PUT":
      return onDocument(
        request,
        (change) => ({ _tag: "PatchObject", target, conditions, change, replace: request.method === "PUT" })
      )
    default:
      return refused("json", refusals.notHere(request.method))
  }
}

const parseUpload = (request: ServerRequest, bucket: string, origin: string): Operation => {
  const id = request.query.get("upload_id")
  if (id !== undefined) return parseSession(request, id)
  if (request.method !== "POST" && request.method !== "PUT") return refused("json", refusals.notHere(request.method))
  const conditions = conditionsOf(request.query)
  const name = request.query.get("name")
  const uploadOf = (resource: Json, type: string | undefined): Upload => ({
    bucket,
    key: name ?? textOf(resource["name"]) ?? "",
    chosen: {
      contentEncoding: request.query.get("contentEncoding"),
      ...chosenOf(resource),
      contentType: textOf(resource["contentType"]) ?? type
    },
    crc32c: textOf(resource["crc32c"]),
    md5: textOf(resource["md5Hash"]),
    conditions
  })
  switch (request.query.get("uploadType")) {
    case "media": {
      const upload = { ...uploadOf({}, request.headers["content-type"]), ...hashesOf(request.headers) }
      return onKey("json", upload.key, () => ({ _tag: "InsertObject", api: "json", upload, media: request.body }))
    }
    case "multipart": {
      const boundary = boundaryOf(request.headers["content-type"])
      const parts = boundary === undefined ? undefined : parseParts(request.body, boundary)
      const resource = parts?.[0] === undefined ? undefined : parseJson(parts[0].body)
      if (parts?.length !== 2 || resource === undefined) {
        return refused("json", refusals.invalid("Malformed multipart body."))
      }
      const upload = uploadOf(resource, parts[1]!.headers["content-type"])
      return onKey("json", upload.key, () => ({ _tag: "InsertObject", api: "json", upload, media: parts[1]!.body }))
    }
    case "resumable":
      return onDocument(request, (resource) => {
        const upload = uploadOf(resource, request.headers["x-upload-content-type"])
        return onKey("json", upload.key, () => ({ _tag: "StartSession", upload, origin }))
      })
    default:
      return refused("json", refusals.invalid("Bad uploadType."))
  }
}

const parseSession = (request: ServerRequest, id: string): Operation => {
  if (request.method === "DELETE") return { _tag: "DeleteSession", id }
  if (request.method !== "PUT" && request.method !== "POST") return refused("json", refusals.notHere(request.method))
  const range = parseChunkRange(request.headers["content-range"], request.body.length)
  return range === undefined
    ? refused("json", refusals.invalid("Failed to parse Content-Range header."))
    : { _tag: "PutSession", id, range, media: request.body, ...hashesOf(request.headers) }
}

const parseRewrite = (
  request: ServerRequest,
  source: Target,
  bucket: string,
  key: string,
  whole: boolean
): Operation => {
  const { query } = request
  const operation = (resource: Json): Operation => ({
    _tag: "Rewrite",
    source: { ...source, generation: numberOf(query.get("sourceGeneration")) },
    sourceConditions: conditionsOf(query, "Source"),
    to: { bucket, key, chosen: chosenOf(resource), conditions: conditionsOf(query) },
    described: describes(resource),
    token: query.get("rewriteToken"),
    atMost: numberOf(query.get("maxBytesRewrittenPerCall")),
    whole
  })
  return onKey("json", key, () => onDocument(request, operation))
}

const parseCompose = (request: ServerRequest, bucket: string, key: string): Operation => {
  const sourceOf = (source: Json) => {
    const preconditions = isJson(source["objectPreconditions"]) ? source["objectPreconditions"] : {}
    return {
      target: { bucket, key: textOf(source["name"]) ?? "", generation: numberOf(String(source["generation"] ?? "")) },
      conditions: { generationMatch: numberOf(String(preconditions["ifGenerationMatch"] ?? "")) }
    }
  }
  const operation = (document: Json): Operation => {
    const sources = document["sourceObjects"]
    const destination = isJson(document["destination"]) ? document["destination"] : {}
    return {
      _tag: "Compose",
      to: { bucket, key, chosen: chosenOf(destination), conditions: conditionsOf(request.query) },
      sources: Array.isArray(sources) ? sources.filter(isJson).map(sourceOf) : []
    }
  }
  return onKey("json", key, () => onDocument(request, operation))
}

const parseXml = (request: ServerRequest, bucket: string, key: string): Operation => {
  const conditions = xmlConditionsOf(request.headers)
  const target: Target = { bucket, key, generation: numberOf(request.query.get("generation")) }
  switch (request.method) {
    case "GET":
    case "HEAD":
      return {
        _tag: "GetMedia",
        api: "xml",
        target,
        conditions,
        range: request.method === "HEAD" ? undefined : parseRange(request.headers["range"]),
        headers: request.headers,
        head: request.method === "HEAD"
      }
    case "PUT": {
      const { headers } = request
      const metadata: Record<string, string> = Object.create(null)
      for (const [name, value] of Object.entries(headers)) {
        if (name.startsWith("x-goog-meta-")) metadata[name.slice(12)] = Buffer.from(value!, "latin1").toString()
      }
      const upload: Upload = {
        bucket,
        key,
        chosen: {
          contentType: headers["content-type"],
          contentEncoding: headers["content-encoding"],
          contentLanguage: headers["content-language"],
          contentDisposition: headers["content-disposition"],
          cacheControl: headers["cache-control"],
          storageClass: headers["x-goog-storage-class"],
          metadata
        },
        ...hashesOf(headers),
        conditions
      }
      return onKey("xml", key, () => ({ _tag: "InsertObject", api: "xml", upload, media: request.body }))
    }
    case "DELETE":
      return { _tag: "DeleteObject", api: "xml", target, conditions }
    default:
      return refused("xml", refusals.notHere(request.method))
  }
}

const parseBatch = (request: ServerRequest): Operation => {
  const boundary = boundaryOf(request.headers["content-type"])
  const parts = boundary === undefined ? undefined : parseParts(request.body, boundary)
  if (parts === undefined) return refused("json", refusals.invalid("Failed to parse batch request."))
  if (parts.length > 100) {
    return refused("json", refusals.invalid("The batch request could not be processed: too many parts."))
  }
  return {
    _tag: "Batch",
    parts: parts.map(({ body, headers }) => {
      const [head, rest] = cutHead(body)
      const [line = "", ...lines] = head.split(/\r?\n/)
      const [method = "", url = ""] = line.split(" ")
      const mark = url.indexOf("?")
      const rawQuery = mark === -1 ? "" : url.slice(mark + 1)
      return {
        id: headers["content-id"] ?? "",
        request: {
          method,
          rawPath: mark === -1 ? url : url.slice(0, mark),
          rawQuery,
          query: new Map(),
          headers: parseHeaders(lines.join("\n")),
          body: rest
        }
      }
    })
  }
}
