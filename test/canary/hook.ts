/** The name under which errors are told of, in the canary run. */
export const errorHook = "__objectstoreCanaryError"
