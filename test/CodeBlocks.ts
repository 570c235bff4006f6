/**
 * Code blocks of the documentation: those of Markdown files, and those in the JSDoc of the sources.
 */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

/** The repository. */
export const root = fileURLToPath(new URL("..", import.meta.url))

/** One block. */
export interface CodeBlock {
  /** The file it is in, relative to the repository. */
  readonly file: string
  /** The line of its first line of code. */
  readonly line: number
  /** The language: what stands behind the opening fence, up to the first space. */
  readonly language: string
  /** Why no test runs the block, where its fence says so: `sh not-run="because of this"`. */
  readonly notRun: string | undefined
  readonly code: string
}

const fence = /^(?<indent> *)(?:```|~~~)(?<language>[^`\s]*)(?: not-run="(?<reason>[^"`]+)")?(?<rest>[^`]*)$/

/** The blocks of a text, whose lines are read through `strip`. */
const blocksOf = (file: string, text: string, strip: (line: string) => string | undefined): Array<CodeBlock> => {
  const blocks: Array<CodeBlock> = []
  let open: (Omit<CodeBlock, "code"> & { readonly indent: number; readonly code: Array<string> }) | undefined
  for (const [index, raw] of text.split("\n").entries()) {
    const line = strip(raw)
    if (line === undefined) {
      open = undefined
    } else if (open === undefined) {
      const groups = fence.exec(line)?.groups
      if (groups !== undefined) {
        open = {
          file,
          line: index + 2,
          // With words that mean nothing, it is a language that nothing checks.
          language: `${groups["language"]}${groups["rest"]!.trimEnd()}`,
          notRun: groups["reason"],
          indent: groups["indent"]!.length,
          code: []
        }
      }
    } else if (/^(```|~~~)$/.test(line.trim())) {
      const { code, indent: _, ...block } = open
      blocks.push({ ...block, code: `${code.join("\n")}\n` })
      open = undefined
    } else {
      open.code.push(line.slice(open.indent))
    }
  }
  return blocks
}

const filesBelow = (directory: string, extension: string): Array<string> =>
  NodeFs.existsSync(NodePath.join(root, directory))
    ? NodeFs.readdirSync(NodePath.join(root, directory), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(extension))
      .map((name) => NodePath.join(directory, name))
      .sort()
    : []

const read = (file: string): string => NodeFs.readFileSync(NodePath.join(root, file), "utf8")

/** Lines of a JSDoc comment without their ` * `; other lines are no text. */
const jsDoc = (line: string): string | undefined =>
  /^\s*\*(?: (?<text>.*))?$/.exec(line)?.groups?.["text"] ??
    (/^\s*\*$/.test(line) ? "" : undefined)

/** All blocks of the documentation. */
export const codeBlocks = (): Array<CodeBlock> => [
  ...["README.md", ...filesBelow("docs", ".md")].flatMap((file) => blocksOf(file, read(file), (line) => line)),
  ...[...filesBelow("src", ".ts"), ...filesBelow("layers", ".ts")].flatMap((file) => blocksOf(file, read(file), jsDoc))
]
