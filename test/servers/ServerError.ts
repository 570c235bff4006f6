import { Data } from "effect"

/** A server that did not start, did not get ready, or could not be installed. */
export class ServerError extends Data.TaggedError("ServerError")<{ readonly message: string }> {}
