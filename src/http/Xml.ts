/**
 * XML as object stores speak it: a pull reader for their documents, and the escaping for the few that we send.
 *
 * The reader takes elements, text, CDATA and comments. It refuses document types and processing instructions (other than
 * the declaration), so no entity can be defined: only the five that XML has and numeric ones are known. Prefixes of
 * namespaces are left out, and line ends are kept as they are, since a key may hold them.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import { type Asked, violation } from "./violation.ts"

/** How deep elements may be nested. */
const maxDepth = 32

/** Longest document, in UTF-16 code units. */
const maxLength = 64 * 1024 * 1024

/** Why a document was refused; thrown by the reader and caught by `parseXml`. */
class XmlFailure {
  readonly description: string
  constructor(description: string) {
    this.description = description
  }
}

const fail = (description: string): never => {
  throw new XmlFailure(description)
}

const lt = 60
const gt = 62
const slash = 47
const bang = 33
const question = 63

const isSpace = (c: number): boolean => c === 32 || c === 10 || c === 13 || c === 9

/**
 * A place in a document. It begins inside the root element: ask for the next `child` until there is none, and take the
 * `text` of each, or `skip` it, or read its children in the same way.
 */
export interface XmlReader {
  /**
   * Enters the next element inside the current one and answers its name; or leaves the current element, which has no more,
   * and answers `undefined`. Every element that was entered is left by reading its children to the end, its `text`, or
   * `skip`.
   */
  readonly child: () => string | undefined
  /** The text of the current element, which must have no elements, and leaves it. */
  readonly text: () => string
  /** Leaves the current element. */
  readonly skip: () => void
  /** An attribute of the element that was entered last, before anything of its inside was read. */
  readonly attribute: (name: string) => string | undefined
}

/**
 * Reads a document, whose root element must be `root`, with `read`. One that is not well-formed, or where `read` finds
 * something else than it expects (`missing`, `refuseXml`), is `ProtocolViolation`.
 */
export const parseXml = <A>(
  asked: Asked,
  text: string,
  root: string,
  read: (xml: XmlReader) => A
): Effect.Effect<A, ObjectStoreError> =>
  Effect.suspend(() => {
    try {
      const document = new Document(text)
      const name = document.root()
      if (name !== root) fail(`its root is <${name.slice(0, 64)}>, not <${root}>`)
      const answer = read(document)
      document.finish()
      return Effect.succeed(answer)
    } catch (failure) {
      if (!(failure instanceof XmlFailure)) throw failure
      return Effect.fail(violation(asked, `the answer is not the XML that was expected: ${failure.description}`))
    }
  })

/** The name of the root element, `undefined` where the text is no XML: to tell an error from an answer. */
export const rootOfXml = (text: string): string | undefined => {
  try {
    return new Document(text).root()
  } catch (failure) {
    if (!(failure instanceof XmlFailure)) throw failure
    return undefined
  }
}

/** Refuses a document that lacks something; inside `parseXml` only. */
export const missing = (what: string): never => fail(`it has no <${what}>`)

/** Refuses a document for another reason; inside `parseXml` only. */
export const refuseXml = (description: string): never => fail(description)

class Document implements XmlReader {
  readonly #source: string
  #at = 0
  /** Names of the elements that were entered. */
  readonly #open: Array<string> = []
  /** The element entered last was `<a/>`. */
  #empty = false
  /** Where its attributes are. */
  #attributesFrom = 0
  #attributesTo = 0

  constructor(source: string) {
    if (source.length > maxLength) fail("it is too long")
    this.#source = source
  }

  /** Enters the root element. */
  root(): string {
    const source = this.#source
    if (source.charCodeAt(0) === 0xfeff) this.#at = 1
    if (source.startsWith("<?xml", this.#at)) {
      const end = source.indexOf("?>", this.#at)
      if (end < 0) fail("it ends inside the declaration")
      this.#at = end + 2
    }
    if (!this.#toTag()) fail("it is empty")
    if (source.charCodeAt(this.#at + 1) === slash) fail("it ends before it begins")
    return this.#enter()
  }

  child(): string | undefined {
    if (this.#empty) {
      this.#leave()
      return undefined
    }
    if (!this.#toTag()) fail("it ends inside an element")
    if (this.#source.charCodeAt(this.#at + 1) === slash) {
      this.#close()
      return undefined
    }
    return this.#enter()
  }

  text(): string {
    if (this.#empty) {
      this.#leave()
      return ""
    }
    const source = this.#source
    let from = this.#at
    let end = source.indexOf("<", from)
    if (end >= 0 && source.charCodeAt(end + 1) === slash) {
      this.#at = end
      this.#close()
      return unescape(source.slice(from, end))
    }
    let text = ""
    while (true) {
      if (end < 0) fail("it ends inside text")
      text += unescape(source.slice(from, end))
      if (source.charCodeAt(end + 1) === slash) {
        this.#at = end
        this.#close()
        return text
      }
      if (source.startsWith("<![CDATA[", end)) {
        const close = source.indexOf("]]>", end)
        if (close < 0) fail("it ends inside CDATA")
        text += source.slice(end + 9, close)
        from = close + 3
      } else if (source.startsWith("<!--", end)) {
        from = this.#afterComment(end)
      } else {
        fail(`<${this.#open.at(-1)}> has elements where text was expected`)
      }
      end = source.indexOf("<", from)
    }
  }

  skip(): void {
    const depth = this.#open.length
    while (this.#open.length >= depth) {
      if (this.#empty) {
        this.#leave()
        continue
      }
      const end = this.#source.indexOf("<", this.#at)
      if (end < 0) fail("it ends inside an element")
      this.#at = end
      const next = this.#source.charCodeAt(end + 1)
      if (next === slash) this.#close()
      else if (this.#source.startsWith("<![CDATA[", end)) {
        const close = this.#source.indexOf("]]>", end)
        if (close < 0) fail("it ends inside CDATA")
        this.#at = close + 3
      } else if (next === bang || next === question) this.#toTag()
      else this.#enter()
    }
  }

  attribute(name: string): string | undefined {
    const text = this.#source.slice(this.#attributesFrom, this.#attributesTo)
    for (const [, key, double, single] of text.matchAll(/([^\s=]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/g)) {
      if (localName(key!) === name) return unescape(double ?? single!)
    }
    return undefined
  }

  /** After the root, nothing but comments may come. */
  finish(): void {
    while (this.#open.length > 0) this.skip()
    if (this.#toTag()) fail("it has two roots")
  }

  /** Goes to the next tag over space and comments; false at the end of the document. */
  #toTag(): boolean {
    const source = this.#source
    while (true) {
      let at = this.#at
      let c = source.charCodeAt(at)
      while (isSpace(c)) c = source.charCodeAt(++at)
      this.#at = at
      if (c !== lt) {
        if (at >= source.length) return false
        fail("it has text where an element was expected")
      }
      const next = source.charCodeAt(at + 1)
      if (next === question) fail("it has a processing instruction")
      if (next !== bang) return true
      if (!source.startsWith("<!--", at)) {
        fail(
          source.startsWith("<![CDATA[", at) ? "it has text where an element was expected" : "it has a document type"
        )
      }
      this.#at = this.#afterComment(at)
    }
  }

  #afterComment(from: number): number {
    const end = this.#source.indexOf("-->", from + 4)
    return end < 0 ? fail("it ends inside a comment") : end + 3
  }

  /** Reads the start tag here. */
  #enter(): string {
    const source = this.#source
    const from = this.#at + 1
    let at = from
    let start = from
    let c = source.charCodeAt(at)
    while (c !== gt && c !== slash && !isSpace(c)) {
      // charCodeAt is NaN past the end.
      if (!(c >= 0) || c === lt) fail("it has a broken tag")
      if (c === 58) start = at + 1
      c = source.charCodeAt(++at)
    }
    if (at === start) fail("it has a tag without a name")
    const name = source.slice(start, at)
    if (this.#open.length === maxDepth) fail(`it is nested deeper than ${maxDepth} elements`)
    this.#open.push(name)
    this.#attributesFrom = at
    if (c !== gt) {
      at = this.#endOfTag(at)
      c = source.charCodeAt(at - 1)
      this.#empty = c === slash
    }
    this.#attributesTo = this.#empty ? at - 1 : at
    this.#at = at + 1
    return name
  }

  /** Where the tag ends, whose name ends here: the next `>` outside of quotes. */
  #endOfTag(from: number): number {
    const source = this.#source
    for (let at = from; at < source.length; at++) {
      const c = source.charCodeAt(at)
      if (c === gt) return at
      if (c === lt) break
      if (c === 34 || c === 39) {
        at = source.indexOf(source[at]!, at + 1)
        if (at < 0) break
      }
    }
    return fail("it has a broken tag")
  }

  /** Reads the end tag here, which must be that of the current element. */
  #close(): void {
    const source = this.#source
    const name = this.#open.at(-1) ?? fail("it closes what is not open")
    let from = this.#at + 2
    if (!source.startsWith(name, from)) {
      // A prefix.
      const colon = source.indexOf(":", from)
      if (colon < 0 || !source.startsWith(name, colon + 1)) fail(`<${name}> is closed by another tag`)
      from = colon + 1
    }
    let at = from + name.length
    while (isSpace(source.charCodeAt(at))) at++
    if (source.charCodeAt(at) !== gt) fail(`<${name}> is closed by another tag`)
    this.#at = at + 1
    this.#open.pop()
  }

  #leave(): void {
    this.#empty = false
    this.#open.pop()
  }
}

const localName = (name: string): string => name.slice(name.indexOf(":") + 1)

const entities: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", "\""],
  ["apos", "'"]
])

/** Text without its entities. */
const unescape = (text: string): string => {
  let at = text.indexOf("&")
  if (at < 0) return text
  let plain = ""
  let from = 0
  while (at >= 0) {
    const end = text.indexOf(";", at)
    // The longest one is &#x10FFFF; so a stray & costs nothing.
    if (end < 0 || end - at > 16) fail("it has a stray &")
    plain += text.slice(from, at) + character(text.slice(at + 1, end))
    from = end + 1
    at = text.indexOf("&", from)
  }
  return plain + text.slice(from)
}

/**
 * The text of an element in the few lines of an error, wherever it stands. What is not there is not missed, and what is no XML
 * is told as it came: the error itself is what matters.
 */
export const textWithin = (text: string, name: string): string | undefined => {
  const found = new RegExp(`<${name}>([^<]{0,4000})</${name}>`).exec(text)?.[1]
  if (found === undefined) return undefined
  try {
    return unescape(found)
  } catch {
    return found
  }
}

const character = (name: string): string => {
  const known = entities.get(name)
  if (known !== undefined) return known
  const matched = /^#(?:x([0-9a-fA-F]+)|(\d+))$/.exec(name)
  if (matched === null) return fail(`it has an entity that XML does not have: ${name}`)
  const code = matched[1] === undefined ? Number(matched[2]) : Number.parseInt(matched[1], 16)
  return code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)
    ? fail("it has a character that Unicode does not have")
    : String.fromCodePoint(code)
}

const special: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\"": "&quot;",
  "'": "&apos;"
}

/** Text as the content of an element; control characters too, so that no reader changes them. */
export const escapeXml = (text: string): string =>
  text.replace(
    // oxlint-disable-next-line no-control-regex
    /[&<>"'\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g,
    (c) => special[c] ?? `&#${c.charCodeAt(0)};`
  )

/** An element with text in it. */
export const xmlText = (name: string, text: string | number | boolean): string =>
  `<${name}>${escapeXml(String(text))}</${name}>`

/** An element with elements in it, which are XML already. */
export const xmlElement = (name: string, ...children: ReadonlyArray<string>): string =>
  `<${name}>${children.join("")}</${name}>`

/** A document with its declaration. */
export const xmlDocument = (root: string): string => `<?xml version="1.0" encoding="UTF-8"?>\n${root}`
