import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  escapeXml,
  missing,
  parseXml,
  refuseXml,
  rootOfXml,
  textWithin,
  xmlDocument,
  xmlElement,
  type XmlReader,
  xmlText
} from "../../src/http/Xml.ts"
import { asked } from "./ReplyTest.ts"

/** The whole document as nested pairs of name and content. */
const tree = (xml: XmlReader): ReadonlyArray<unknown> => {
  const children: Array<unknown> = []
  for (let name = xml.child(); name !== undefined; name = xml.child()) {
    children.push([name, name.startsWith("t") ? xml.text() : tree(xml)])
  }
  return children
}

const read = (text: string) => parseXml(asked, text, "r", tree)

const refused = (text: string, reason: RegExp) =>
  Effect.map(Effect.flip(read(text)), (error) => {
    assert.strictEqual(error.reason._tag, "ProtocolViolation", text)
    assert.match(error.reason.description ?? "", reason)
  })

describe("Xml", () => {
  it.effect("reads elements, text, CDATA, comments, attributes and prefixes", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read("<r/>"), [])
      assert.deepStrictEqual(
        yield* read(
          "\ufeff<?xml version=\"1.0\"?>\n<!-- > --><n:r xmlns:n='x>y' >\r\n<t1>a &lt; b</t1 ><t2/><t3 x='/'></t3>" +
            "<a><b/><t>x<![CDATA[<y&amp;>]]>z<!-- <c> -->!</t></a><c\n/></n:r><!-- end -->\n"
        ),
        [["t1", "a < b"], ["t2", ""], ["t3", ""], ["a", [["b", []], ["t", "x<y&amp;>z!"]]], ["c", []]]
      )
      const attributes = yield* parseXml(
        asked,
        "<r><Name Encoded=\"true\" n:x='a&amp;\"b'>k</Name></r>",
        "r",
        (xml) => {
          xml.child()
          const found = [xml.attribute("Encoded"), xml.attribute("x"), xml.attribute("y")]
          return [...found, xml.text()]
        }
      )
      assert.deepStrictEqual(attributes, ["true", "a&\"b", undefined, "k"])
    }))

  it.effect("keeps text exactly: spaces, line ends, entities", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read("<r><t> a\r\n b\t</t></r>"), [["t", " a\r\n b\t"]])
      assert.deepStrictEqual(
        yield* read("<r><t>&amp;&lt;&gt;&quot;&apos;&#65;&#x42;&#x1F600;&#13;&#x1;&amp;lt;</t></r>"),
        [["t", "&<>\"'AB😀\r\u0001&lt;"]]
      )
    }))

  it.effect("skips what it is told to", () =>
    Effect.gen(function*() {
      const text = "<r><a><b>x<c/>y</b>&amp;<![CDATA[</a>]]><!-- </a> --></a><d/><t>z</t></r>"
      const found = yield* parseXml(asked, text, "r", (xml) => {
        const names: Array<string> = []
        for (let name = xml.child(); name !== undefined; name = xml.child()) {
          names.push(name)
          if (name === "t") names.push(xml.text())
          else xml.skip()
        }
        return names
      })
      assert.deepStrictEqual(found, ["a", "d", "t", "z"])
    }))

  it.effect("refuses what is not well-formed, and what it does not need", () =>
    Effect.gen(function*() {
      yield* refused("", /empty/)
      yield* refused("{\"error\":1}", /text where an element/)
      yield* refused("<!DOCTYPE r [<!ENTITY a \"b\">]><r/>", /document type/)
      yield* refused("<r><!DOCTYPE a></r>", /document type/)
      yield* refused("<?xml version=\"1.0\"?><?php x?><r/>", /processing instruction/)
      yield* refused("<r><t>&nope;</t></r>", /entity/)
      yield* refused("<r><t>&constructor;</t></r>", /entity/)
      yield* refused("<r><t>a & b</t></r>", /stray/)
      for (const code of ["0", "xD800", "x110000", "55357", "99999999"]) {
        yield* refused(`<r><t>&#${code};</t></r>`, /character/)
      }
      yield* refused("<r><t>&#xZ;</t></r>", /entity/)
      yield* refused("<r><a></b></r>", /closed by another/)
      yield* refused("<r><a></ab></r>", /closed by another/)
      yield* refused("<r><t><b/></t></r>", /elements where text/)
      yield* refused("<r>text</r>", /text where an element/)
      yield* refused("<r/><r/>", /two roots/)
      yield* refused("<r></r></r>", /two roots|closes/)
      yield* refused("<other/>", /root is <other>/)
      yield* refused("< r/>", /without a name/)
      yield* refused("<r a=\"></r>", /broken tag/)
      yield* refused(`${"<a>".repeat(40)}`, /root|nested/)
      yield* refused(`<r>${"<a>".repeat(40)}`, /nested deeper/)
    }))

  it.effect("refuses every document that was cut, wherever", () =>
    Effect.gen(function*() {
      const text = "<?xml version=\"1.0\"?><r a='1'><t>x&amp;y</t><a><!-- c --><b/></a><t><![CDATA[z]]></t></r>"
      assert.strictEqual((yield* read(text)).length, 3)
      for (let end = 0; end < text.length; end++) {
        const error = yield* Effect.flip(read(text.slice(0, end)))
        assert.strictEqual(error.reason._tag, "ProtocolViolation", text.slice(0, end))
      }
    }))

  it.effect("lets the reader of a document refuse it, and hides no defect of it", () =>
    Effect.gen(function*() {
      const lacking = yield* Effect.flip(parseXml(asked, "<r/>", "r", () => missing("Key")))
      assert.match(lacking.message, /no <Key>/)
      const other = yield* Effect.flip(parseXml(asked, "<r/>", "r", () => refuseXml("a bad number")))
      assert.match(other.message, /a bad number/)
      const exit = yield* Effect.exit(parseXml(asked, "<r/>", "r", () => {
        throw new TypeError("a bug")
      }))
      assert.isTrue(exit._tag === "Failure" && exit.cause.reasons.some((reason) => reason._tag === "Die"))
    }))

  it.effect("tells the root of a document", () =>
    Effect.sync(() => {
      assert.strictEqual(rootOfXml("<?xml version='1.0'?>\n<Error xmlns='a'><Code>x"), "Error")
      assert.strictEqual(rootOfXml("not XML"), undefined)
      assert.strictEqual(rootOfXml(""), undefined)
    }))

  it.effect("takes time in proportion to the text, whatever it is", () =>
    Effect.gen(function*() {
      const million = 1024 * 1024
      const texts = [
        `<r><t>${"&#65;".repeat(million / 5)}</t></r>`,
        `<r><t>${"<![CDATA[a]]>".repeat(million / 13)}</t></r>`,
        `<r>${"<a/>".repeat(million / 4)}</r>`,
        `<r>${"<!---->".repeat(million / 7)}</r>`,
        `<r><t>${"&".repeat(million)}</t></r>`,
        `<r ${"a='1' ".repeat(million / 6)}/>`
      ]
      for (const text of texts) {
        const start = performance.now()
        yield* Effect.exit(read(text))
        assert.isBelow(performance.now() - start, 2000, text.slice(0, 20))
      }
    }))

  it("finds the text of an element in an error's few lines, which may be no XML", () => {
    const told = (text: string) => textWithin(text, "Message")
    assert.strictEqual(told("<?xml?><Error><Code>A</Code><Message>a &lt;b&gt;&#10;c</Message></Error>"), "a <b>\nc")
    assert.strictEqual(told("<Error><Message>a & b</Message></Error>"), "a & b")
    assert.strictEqual(told("<Error><Message>&nbsp;</Message></Error>"), "&nbsp;")
    assert.isUndefined(told("<Error><Code>A</Code></Error>"))
    assert.isUndefined(told(`<Error><Message>${"x".repeat(5000)}</Message></Error>`))
  })

  it.effect("writes what it reads", () =>
    Effect.gen(function*() {
      const text = "a<b>&\"'\r\n\t\u0001\u0085\ufffe]]> ä😀"
      const document = xmlDocument(
        xmlElement("r", xmlText("t1", text), xmlElement("a", xmlText("t2", 12)), xmlText("t3", true))
      )
      assert.deepStrictEqual(yield* read(document), [["t1", text], ["a", [["t2", "12"]]], ["t3", "true"]])
      assert.strictEqual(escapeXml("a b"), "a b")
    }))
})
