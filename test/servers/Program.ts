/** A program that tests need beside this package: which version of it, and where it comes from. */
export interface Program {
  /** Names its environment variable. */
  readonly name: string
  /** The version that the lists of known defects belong to. */
  readonly version: string
  readonly from: Origin
}

/** Who installs it. */
export type Origin =
  /** `go install PACKAGE@VERSION`; the binary is named like the last part of the package. */
  | { readonly _tag: "Go"; readonly package: string; readonly onPath: string }
  /** `pip install REQUIREMENT` into an environment of the given name; `command` is what is wanted of its `bin`. */
  | {
    readonly _tag: "Pip"
    readonly requirement: string
    readonly environment: string
    readonly command: string
    readonly onPath: string | undefined
  }
  /** A dependency of this repository: `npm ci` brings it. `script` is run by Node. */
  | { readonly _tag: "Npm"; readonly script: string }
  /** The system's own package manager. */
  | { readonly _tag: "System" }

/** The environment variable that names the program's file, and wins over every other place. */
export const variableOf = ({ name }: Program): string => `OBJECTSTORE_SERVER_${name.replaceAll("-", "_").toUpperCase()}`

/** What its folder in the cache, and its installation, are called. */
export const installationOf = ({ from, name }: Program): string => from._tag === "Pip" ? from.environment : name

/** What a person does to get it. */
export const howToGet = (program: Program): string => {
  switch (program.from._tag) {
    case "Go":
    case "Pip":
      return `npm run servers -- install ${installationOf(program)}`
    case "Npm":
      return "npm ci"
    case "System":
      return `install ${program.name} with the package manager of the system`
  }
}
