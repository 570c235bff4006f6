import { assert, describe, it } from "@effect/vitest"
import { explain, refuse, table } from "../../src/filesystem/errors.ts"

const errno = (code: string) =>
  Object.assign(new Error(`${code}: it failed, open '/secret/path'`), { code, syscall: "open" })

const looking = explain({ operation: "head", backend: "file" })
const changing = explain({ operation: "write", backend: "file", outcome: "not-applied" })

const rows: ReadonlyArray<readonly [code: string, look: string, change: string]> = [
  ["ENOENT", "NotFound", "NotFound"],
  ["ENOTDIR", "NotFound", "Conflict"],
  ["EISDIR", "NotFound", "Conflict"],
  ["ENOTEMPTY", "Conflict", "Conflict"],
  ["EEXIST", "AlreadyExists", "AlreadyExists"],
  ["ELOOP", "InvalidKey", "InvalidKey"],
  ["ENXIO", "InvalidKey", "InvalidKey"],
  ["ENAMETOOLONG", "InvalidKey", "InvalidKey"],
  ["EILSEQ", "InvalidKey", "InvalidKey"],
  ["EINVAL", "InvalidRequest", "InvalidRequest"],
  ["EACCES", "PermissionDenied", "PermissionDenied"],
  ["EPERM", "PermissionDenied", "PermissionDenied"],
  ["ERR_ACCESS_DENIED", "PermissionDenied", "PermissionDenied"],
  ["EROFS", "PermissionDenied", "PermissionDenied"],
  ["EBUSY", "Conflict", "Conflict"],
  ["ETXTBSY", "Conflict", "Conflict"],
  ["ENOSPC", "StorageFull", "StorageFull"],
  ["EDQUOT", "StorageFull", "StorageFull"],
  ["EFBIG", "StorageFull", "StorageFull"],
  ["EMFILE", "LimitExceeded", "LimitExceeded"],
  ["ENFILE", "LimitExceeded", "LimitExceeded"],
  ["EAGAIN", "Unavailable", "Unavailable"],
  ["EINTR", "Unavailable", "Unavailable"],
  ["EIO", "Unavailable", "Unavailable"],
  ["ENODEV", "Unavailable", "Unavailable"],
  ["ENOLCK", "Unavailable", "Unavailable"],
  ["ENOMEM", "Unavailable", "Unavailable"],
  ["ESTALE", "Unavailable", "Unavailable"],
  ["ETIMEDOUT", "Timeout", "Timeout"],
  ["EMLINK", "LimitExceeded", "LimitExceeded"],
  ["EXDEV", "Unsupported", "Unsupported"],
  ["ENOSYS", "Unsupported", "Unsupported"],
  ["ENOTSUP", "Unsupported", "Unsupported"],
  ["EOPNOTSUPP", "Unsupported", "Unsupported"],
  ["EWHATEVER", "Unavailable", "Unavailable"]
]

describe("errors of system calls", () => {
  it.each(rows)("%s is %s, and %s where something is changed", (code, look, change) => {
    const seen = looking(errno(code))
    assert.strictEqual(seen.reason._tag, look)
    assert.strictEqual(seen.reason.code, code)
    assert.strictEqual(seen.reason.operation, "head")
    assert.isUndefined(seen.outcome)
    const changed = changing(errno(code))
    assert.strictEqual(changed.reason._tag, change)
    assert.strictEqual(changed.outcome, "not-applied")
  })

  it("every row of the table is tested", () => {
    assert.deepStrictEqual(Object.keys(table).filter((code) => !rows.some(([tested]) => tested === code)), [])
  })

  it("the message is one line that names the code and shows no path", () => {
    const { message } = changing(errno("ENOSPC"))
    assert.include(message, "ENOSPC")
    assert.notInclude(message, "/secret/path")
    assert.notInclude(message, "\n")
  })

  it("what a failure knows of its outcome is kept", () => {
    assert.strictEqual(changing(refuse("Unavailable", "late", { outcome: "applied" })).outcome, "applied")
    assert.strictEqual(changing(refuse("Unavailable", "early")).outcome, "not-applied")
  })
})
