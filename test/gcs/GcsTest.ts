/**
 * What the tests of GCS share: buckets of their own on an emulator.
 */
import { Effect } from "effect"
import { randomBytes } from "node:crypto"

/** A bucket that no other file of tests has. */
export const uniqueBucket = (name: string): string => `${name}-${randomBytes(4).toString("hex")}`

/** Keys of the suite that GCS refuses, and so does the layer before it asks. */
export const refusedKeys = ["newline\nkey", "return\rkey"]

/** Makes a bucket as a person would, without the code under test; with versions kept, so that old ones can be read. */
export const makeBucket = (
  endpoint: string,
  name: string,
  options: { readonly versioning?: boolean | undefined } = {}
) =>
  Effect.promise(async () => {
    const response = await fetch(`${endpoint}/storage/v1/b?project=test`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name, versioning: { enabled: options.versioning ?? false } })
    })
    if (!response.ok) throw new Error(`the bucket ${name} was not made: ${response.status} ${await response.text()}`)
    await response.body?.cancel()
  })
