/**
 * The help text: plain data without imports, so that `--help` is answered before anything else is loaded. The commands take
 * their descriptions from here; a test holds the two against each other.
 *
 * @internal
 */

/** What every flag is called and does. */
export const flags = {
  "allow-http": { alias: "", value: "", text: "send credentials over plain http to another machine, too" },
  algorithm: { alias: "", value: "NAME", text: "crc32c (the default), crc32, crc64nvme or sha256" },
  anonymous: { alias: "", value: "", text: "send no credentials, as for public buckets and emulators" },
  compress: { alias: "", value: "LEVEL", text: "compress with zstd, from 1 (quick) to 22 (small); names get .zst" },
  concurrency: { alias: "", value: "N", text: "objects at a time, and parts of one object at a time" },
  decompress: { alias: "", value: "", text: "decompress what ends in .zst, or is marked; names lose .zst" },
  "dry-run": { alias: "n", value: "", text: "say what would be done, and do nothing" },
  endpoint: {
    alias: "",
    value: "URL",
    text: "where the service is; with several services s3=URL, gs=URL, az=URL"
  },
  exact: { alias: "", value: "", text: "sizes in bytes and times to the millisecond" },
  "expires-in": { alias: "", value: "TIME", text: "how long the URL works, such as 15m or 12h; 1h without it" },
  json: { alias: "", value: "", text: "one JSON object a line, and a summary as the last one" },
  location: {
    alias: "",
    value: "WHERE",
    text: "where the container is to be, in the service's own words, such as eu-west-1"
  },
  method: { alias: "", value: "METHOD", text: "what the URL allows: GET (the default), PUT, HEAD or DELETE" },
  names: {
    alias: "",
    value: "RULES",
    text: "keys that may become local files: portable (the default) or native (what this system can hold)"
  },
  "older-than": {
    alias: "",
    value: "AGE",
    text: "only what was begun longer ago, such as 30m, 12h or 7d"
  },
  "part-size": { alias: "", value: "SIZE", text: "bytes a part, such as 8MiB" },
  profile: { alias: "", value: "NAME", text: "a profile of the shared AWS files (s3)" },
  range: { alias: "", value: "A-B", text: "bytes A to B, counted from 0, B included; A- to the end, -N the last N" },
  recursive: { alias: "r", value: "", text: "everything below a directory" },
  region: { alias: "", value: "NAME", text: "the region of the service (s3)" },
  verify: {
    alias: "",
    value: "HOW",
    text: "checksum (the default) reads back what the target has no checksum of; size compares sizes"
  },
  yes: { alias: "y", value: "", text: "remove more than one object without asking" }
} as const

/** The name of a flag. */
export type FlagName = keyof typeof flags

/** What the help says of a command. */
export interface CommandHelp {
  readonly summary: string
  readonly usage: string
  readonly details: string
  readonly flags: ReadonlyArray<FlagName>
  readonly examples: ReadonlyArray<string>
}

/** The commands, in alphabetical order. */
export const commands = {
  cat: {
    summary: "Print objects",
    usage: "cat LOCATION...",
    details: "Writes the bytes of the objects to standard output, one after another.",
    flags: [
      "allow-http",
      "anonymous",
      "concurrency",
      "decompress",
      "endpoint",
      "part-size",
      "profile",
      "range",
      "region"
    ],
    examples: ["objectstore cat file:///data/notes.txt", "objectstore cat --range 0-1023 file:///data/model.bin"]
  },
  checksum: {
    summary: "Checksums of objects and files",
    usage: "checksum LOCATION...",
    details:
      "Reads each object and prints the checksum of its bytes in base64, as services tell it, and its name. Where the store\n"
      + "keeps a checksum that it tells with the bytes, they are compared with it, too.",
    flags: [
      "algorithm",
      "allow-http",
      "anonymous",
      "concurrency",
      "endpoint",
      "json",
      "part-size",
      "profile",
      "region"
    ],
    examples: [
      "objectstore checksum file:///data/notes.txt ./notes.txt",
      "objectstore checksum --algorithm sha256 --json s3://my-bucket/model.bin"
    ]
  },
  cp: {
    summary: "Copy objects and trees",
    usage: "cp SRC... DST",
    details:
      "Copies between local paths and locations, in any direction. A DST that ends in / or is a directory keeps the\n"
      + "names of the sources. With -r, the tree below SRC becomes the tree below DST; of several SRC, each becomes DST/NAME.\n"
      + "What was copied is compared with the source, and the last line says how.",
    flags: [
      "allow-http",
      "anonymous",
      "compress",
      "concurrency",
      "decompress",
      "dry-run",
      "endpoint",
      "json",
      "names",
      "part-size",
      "profile",
      "recursive",
      "region",
      "verify"
    ],
    examples: ["objectstore cp -r ./docs file:///data/docs", "objectstore cp -r file:///data/docs ./restored"]
  },
  get: {
    summary: "Copy one object to a file or standard output",
    usage: "get LOCATION FILE|-",
    details: "Writes one object to a file, which appears whole or not at all, or with - to standard output.",
    flags: [
      "allow-http",
      "anonymous",
      "concurrency",
      "decompress",
      "endpoint",
      "json",
      "names",
      "part-size",
      "profile",
      "region",
      "verify"
    ],
    examples: ["objectstore get file:///data/notes.txt ./notes.txt", "objectstore get file:///data/notes.txt -"]
  },
  ls: {
    summary: "List objects",
    usage: "ls LOCATION...",
    details: "Lists one level, or with -r everything, below each location.",
    flags: ["allow-http", "anonymous", "endpoint", "exact", "json", "profile", "recursive", "region"],
    examples: ["objectstore ls file:///data/", "objectstore ls -r --json file:///data/"]
  },
  mb: {
    summary: "Make buckets, containers and directories",
    usage: "mb LOCATION...",
    details: "Makes the containers that the locations name. One that is there already is a failure.",
    flags: ["allow-http", "anonymous", "endpoint", "json", "location", "profile", "region"],
    examples: ["objectstore mb s3://my-bucket", "objectstore mb --location EUROPE-WEST1 gs://my-bucket"]
  },
  presign: {
    summary: "Sign a URL for one object",
    usage: "presign LOCATION",
    details:
      "Prints a URL that lets whoever has it do one thing with one object, until it expires. It is a secret as good as a\n"
      + "password: mind shell histories and logs. Whether the object exists is not asked.",
    flags: ["allow-http", "anonymous", "endpoint", "expires-in", "json", "method", "profile", "region"],
    examples: [
      "objectstore presign s3://my-bucket/report.pdf",
      "objectstore presign --method PUT --expires-in 15m s3://my-bucket/upload"
    ]
  },
  put: {
    summary: "Copy a file or standard input to one object",
    usage: "put FILE|- LOCATION",
    details:
      "Writes one object from a file, or with - from standard input, of any length. It appears whole or not at all.",
    flags: [
      "allow-http",
      "anonymous",
      "compress",
      "concurrency",
      "endpoint",
      "json",
      "part-size",
      "profile",
      "region",
      "verify"
    ],
    examples: ["objectstore put ./notes.txt file:///data/notes.txt", "date | objectstore put - file:///data/date.txt"]
  },
  rb: {
    summary: "Remove empty buckets, containers and directories",
    usage: "rb LOCATION...",
    details: "Removes the containers that the locations name. One that holds anything stays, and is a failure.",
    flags: ["allow-http", "anonymous", "endpoint", "json", "profile", "region"],
    examples: ["objectstore rb s3://my-bucket", "objectstore rb az://account/container"]
  },
  rm: {
    summary: "Remove objects and trees",
    usage: "rm LOCATION...",
    details:
      "Removes objects, or with -r everything below a directory. More than one object needs --yes, or an answer on a\n"
      + "terminal. Directories that become empty go too, but never the one that LOCATION names or that its object is in.",
    flags: [
      "allow-http",
      "anonymous",
      "concurrency",
      "dry-run",
      "endpoint",
      "json",
      "profile",
      "recursive",
      "region",
      "yes"
    ],
    examples: ["objectstore rm file:///data/notes.txt", "objectstore rm -r --yes file:///data/old/"]
  },
  stat: {
    summary: "Tell what is known of objects",
    usage: "stat LOCATION...",
    details: "Prints size, times, etag, attributes, metadata and checksums.",
    flags: ["allow-http", "anonymous", "endpoint", "exact", "json", "profile", "region"],
    examples: ["objectstore stat file:///data/notes.txt", "objectstore stat --json file:///data/notes.txt"]
  },
  sweep: {
    summary: "Drop uploads that nobody finished",
    usage: "sweep LOCATION...",
    details:
      "Lists and drops open uploads and leftover temporary files below each location that were begun more than a day ago,\n"
      + "or longer than --older-than. More than one needs --yes, or an answer on a terminal.",
    flags: ["allow-http", "anonymous", "dry-run", "endpoint", "json", "older-than", "profile", "region", "yes"],
    examples: ["objectstore sweep --dry-run file:///data/", "objectstore sweep --older-than 7d --yes file:///data/"]
  },
  "uploads abort": {
    summary: "Drop open uploads, whatever their age",
    usage: "uploads abort LOCATION...",
    details:
      "Drops the uploads to each location and below it that were begun and not completed, with what was sent of them. Those\n"
      + "in progress fail. More than one needs --yes, or an answer on a terminal.",
    flags: ["allow-http", "anonymous", "dry-run", "endpoint", "json", "older-than", "profile", "region", "yes"],
    examples: [
      "objectstore uploads abort s3://my-bucket/big.bin",
      "objectstore uploads abort --older-than 7d --yes s3://my-bucket"
    ]
  },
  "uploads ls": {
    summary: "List open uploads",
    usage: "uploads ls LOCATION...",
    details: "Lists the uploads to each location and below it that were begun and neither completed nor aborted.",
    flags: ["allow-http", "anonymous", "endpoint", "exact", "json", "profile", "region"],
    examples: ["objectstore uploads ls s3://my-bucket", "objectstore uploads ls --json file:///data/"]
  }
} as const satisfies Record<string, CommandHelp>

/** The name of a command. */
export type CommandName = keyof typeof commands

const wide = (left: string, right: string): string => `  ${left.padEnd(24)}${right}\n`

const flagLine = (name: FlagName): string => {
  const { alias, text, value } = flags[name]
  return wide(`${alias === "" ? "" : `-${alias}, `}--${name}${value === "" ? "" : ` ${value}`}`, text)
}

const helpLine = wide("-h, --help", "print this text")

const commandLines = (all: ReadonlyArray<readonly [name: string, help: { readonly summary: string }]>): string =>
  all.map(([name, { summary }]) => wide(name, summary)).join("")

const overview = (): string =>
  "Objects in files and clouds, by one command\n\n" +
  "Usage: objectstore COMMAND [FLAGS] ARGUMENTS\n\nCommands:\n" +
  commandLines(Object.entries(commands)) +
  `\nFlags:\n${helpLine}${wide("--version", "print the version")}` +
  wide("--completions SHELL", "print completions for bash, zsh or fish") +
  "\nA location is s3://bucket/key, gs://bucket/key, az://account/container/key, file:///path, direct:///path or\n" +
  "mem://name/key; anything without :// is a local path.\n" +
  "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 some of many failed, 130 interrupted.\n" +
  "\nobjectstore COMMAND --help says more.\n"

const commandText = (name: CommandName): string => {
  const help: CommandHelp = commands[name]
  return `${help.summary}\n\nUsage: objectstore ${help.usage}\n\n${help.details}\n\nFlags:\n` +
    `${help.flags.map(flagLine).join("")}${helpLine}\nExamples:\n${help.examples.map((line) => `  ${line}\n`).join("")}`
}

/** Whether text is the name of a command. */
export const isCommand = (text: string | undefined): text is CommandName =>
  text !== undefined && Object.hasOwn(commands, text)

/** The help of the command that arguments begin with, or of the group of commands that they name. */
const textFor = (args: ReadonlyArray<string>): string | undefined => {
  const two = args.slice(0, 2).join(" ")
  if (isCommand(two)) return commandText(two)
  if (isCommand(args[0])) return commandText(args[0])
  const group = Object.entries(commands).filter(([name]) => name.startsWith(`${args[0]} `))
  return group.length === 0
    ? undefined
    : `Usage: objectstore ${args[0]} COMMAND [FLAGS] ARGUMENTS\n\nCommands:\n${
      commandLines(group)
    }\nFlags:\n${helpLine}`
}

/** The text that the arguments ask for, `undefined` if they do not ask for help. */
export const helpFor = (args: ReadonlyArray<string>): string | undefined => {
  if (args[0] === "help" && args.length <= 3) {
    return args[1] === undefined ? overview() : args.length === 2 || isCommand(args.slice(1).join(" "))
      ? textFor(args.slice(1))
      : undefined
  }
  const end = args.indexOf("--")
  const asked = (end === -1 ? args : args.slice(0, end)).some((arg) => arg === "--help" || arg === "-h")
  if (!asked) return undefined
  return args[0] === "--help" || args[0] === "-h" ? overview() : textFor(args)
}

/** What is printed when nothing was asked. */
export const usage = overview
