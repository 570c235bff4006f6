/** Secrets that a process has had, and where their texts come up again, in whatever form. */

/** Shorter ones are too common to be told from other text. */
const shortest = 8

/** What base64 makes of a text that begins one, two or three bytes after a group: the part that is the same wherever it stands. */
const base64Of = (text: string): ReadonlyArray<string> =>
  [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.from("\0".repeat(before) + text)
    const whole = bytes.toString("base64").replaceAll("=", "")
    // The first and the last characters hold bits of the neighbours.
    const core = whole.slice(before === 0 ? 0 : before + 1, bytes.length % 3 === 0 ? undefined : -1)
    return core.length < shortest ? [] : [core, core.replaceAll("+", "-").replaceAll("/", "_")]
  })

/** All that a secret may look like. */
export const formsOf = (secret: string): ReadonlyMap<string, string> => {
  const hex = Buffer.from(secret).toString("hex")
  const forms = new Map([[secret, "plain"]])
  const others = [
    [encodeURIComponent(secret), "URL-encoded"],
    [encodeURIComponent(secret).replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()), "URL-encoded"],
    [JSON.stringify(secret).slice(1, -1), "JSON"],
    [hex, "hex"],
    [hex.toUpperCase(), "hex"],
    ...base64Of(secret).map((form) => [form, "base64"] as const)
  ] as const
  for (const [form, name] of others) if (!forms.has(form)) forms.set(form, name)
  return forms
}

/** The texts within a text that are as good as all of it: the signature of a URL, the key of a connection string, lines of a key. */
const partsOf = (secret: string): ReadonlyArray<string> => [
  ...[
    ...secret.matchAll(/(?:Signature|\bsig|Security-Token|AccountKey|SharedAccessSignature|upload_id)=([^&;\s"']+)/gi)
  ]
    .flatMap(([, value = ""]) => [value, safeDecode(value)]),
  ...secret.includes("PRIVATE KEY-----")
    ? secret.split(/\r?\n|\\n/).filter((line) => /^[A-Za-z0-9+/=]{32,}$/.test(line))
    : []
]

const safeDecode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** What no text shows, whether or not the secret is known. */
const patterns: ReadonlyArray<readonly [name: string, pattern: RegExp]> = [
  [
    "a signature",
    /(?:X-Amz-Signature|X-Goog-Signature|X-Amz-Security-Token)=(?!<|%3C|…|canary-signature)[^\s&"'<]{8,}/i
  ],
  ["a SAS", /[?&]sig=(?!…|<)[A-Za-z0-9%+/]{16,}/],
  ["a session", /\bupload_id=[A-Za-z0-9_-]{8,}/],
  ["a private key", /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/]
]

/** A secret in a text. */
export interface Hit {
  readonly form: string
  /** What is around it. */
  readonly excerpt: string
}

export interface Secrets {
  readonly size: () => number
  readonly all: () => ReadonlyArray<string>
  readonly register: (secret: string) => void
  readonly find: (text: string) => ReadonlyArray<Hit>
}

/** Makes an empty collection. */
export const makeSecrets = (): Secrets => {
  const known = new Set<string>()
  const forms = new Map<string, string>()
  const register = (secret: string): void => {
    if (secret.length < shortest || known.has(secret)) return
    known.add(secret)
    for (const [form, name] of formsOf(secret)) forms.set(form, name)
    for (const part of partsOf(secret)) register(part)
  }
  const excerpt = (text: string, at: number, length: number): string =>
    text.slice(Math.max(0, at - 80), at + Math.min(length, 80) + 20)
  return {
    size: () => known.size,
    all: () => [...known],
    register,
    find: (text) => {
      const hits: Array<Hit> = []
      for (const [form, name] of forms) {
        const at = text.indexOf(form)
        if (at !== -1) hits.push({ form: name, excerpt: excerpt(text, at, form.length) })
      }
      for (const [name, pattern] of patterns) {
        const found = pattern.exec(text)
        if (found !== null) hits.push({ form: name, excerpt: excerpt(text, found.index, found[0].length) })
      }
      return hits
    }
  }
}
