import { errorHook } from "./hook.ts"

const made = "return new ObjectStoreError({ reason: new Reason(known) })"

/** Has `ObjectStoreError.ts`, where all errors of the library are made, tell of each of them. */
export const canaryPlugin = {
  name: "canary",
  enforce: "pre" as const,
  transform: (code: string, id: string): string | undefined => {
    if (!id.endsWith("/src/ObjectStoreError.ts")) return undefined
    if (!code.includes(made)) throw new Error("the canary run does not know any more where errors are made")
    return code.replace(
      made,
      `const made = new ObjectStoreError({ reason: new Reason(known) }); globalThis.${errorHook}?.(made); return made`
    )
  }
}
