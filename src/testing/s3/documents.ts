/**
 * The few documents that requests of S3 bring, as clients write them: elements without attributes inside of each other.
 *
 * @internal
 */

const entities: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: "\"", apos: "'" }

const unescape = (text: string): string =>
  text.replaceAll(
    /&(?:#(\d+)|#x([0-9A-Fa-f]+)|(\w+));/g,
    (whole, decimal?: string, hex?: string, name?: string) =>
      decimal !== undefined
        ? String.fromCodePoint(Number(decimal))
        : hex !== undefined
        ? String.fromCodePoint(Number.parseInt(hex, 16))
        : entities[name ?? ""] ?? whole
  )

/** The insides of all elements of a name, in order. */
export const elements = (text: string, name: string): ReadonlyArray<string> =>
  [...text.matchAll(new RegExp(`<${name}(?: [^>]*)?>([\\s\\S]*?)</${name}>`, "g"))].map(([, inside = ""]) => inside)

/** The text of the first element of a name. */
export const readText = (text: string, name: string): string | undefined => {
  const inside = elements(text, name)[0]
  return inside === undefined ? undefined : unescape(inside)
}
