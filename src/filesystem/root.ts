/**
 * The root directory, and the way from it to files: no symbolic link below the root is ever followed.
 *
 * A path is opened in one call, and the kernel is asked afterwards which path the descriptor really has. Only where the
 * two differ, or the call failed, the path is walked, a component a call. Whatever is done next is done below the
 * descriptor (`/proc/self/fd/N/name`), so nothing that others rename or link meanwhile can lead it elsewhere.
 *
 * Without `/proc` each component is looked at before the path is used, which a race can defeat.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as NodeFs from "node:fs"
import type { ObjectStoreError } from "../ObjectStoreError.ts"
import * as Calls from "./calls.ts"
import { type Failure, isErrno, refuse } from "./errors.ts"

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = NodeFs.constants
/** `node:fs` does not name it; the number is the same on every architecture that Node runs on. */
export const O_PATH = 0o10000000

/** An open directory inside the root. */
export interface Directory {
  readonly fd: number
  /** A path of an entry that leads nowhere else. */
  readonly at: (name: string) => string
  /** The path as a person would write it; names locks. */
  readonly path: string
  readonly names: ReadonlyArray<string>
  /** Whether some part of the path was missing and has been made. */
  readonly made: boolean
}

type OnMade = (index: number) => void

/** The root directory of a store. */
export interface Root {
  /**
   * Opens a directory; with `create`, makes what is missing of it, and of the root if that is allowed. Each component
   * that is made is told to `onMade` by its index, also if the rest fails.
   */
  readonly openDirectory: (
    names: ReadonlyArray<string>,
    options?: { readonly create?: boolean | undefined; readonly onMade?: OnMade | undefined }
  ) => Effect.Effect<Directory, Failure, Scope.Scope>
  /**
   * Opens a file for reading, never waiting for the other end of a pipe. A file that is expected to be missing is told
   * so without a walk by `expected: false`.
   */
  readonly openFile: (
    names: ReadonlyArray<string>,
    name: string,
    options: { readonly flags: number; readonly expected: boolean }
  ) => Effect.Effect<number, Failure, Scope.Scope>
  /** What is at a path now, to be compared with a file that is open: links on the way may have been followed. */
  readonly peek: (names: ReadonlyArray<string>, name: string) => Effect.Effect<NodeFs.BigIntStats, Failure>
}

const notDirectory = (path: string): ObjectStoreError => refuse("Configuration", `the root ${path} is no directory`)

const link = (): ObjectStoreError =>
  refuse("InvalidKey", "a part of the path is a symbolic link, which is not followed")

/** Where a descriptor leads; a file of the kernel, so it answers at once. */
const pathOf = (fd: number): Effect.Effect<string | undefined> =>
  Effect.sync(() => {
    try {
      return NodeFs.readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return undefined
    }
  })

const below = (directory: string, name: string): string => directory === "/" ? `/${name}` : `${directory}/${name}`

const join = (root: string, names: ReadonlyArray<string>): string =>
  names.length === 0 ? root : below(root, names.join("/"))

const isLink = (path: string): Effect.Effect<boolean> =>
  Effect.match(Calls.lstat(path), { onFailure: () => false, onSuccess: (stats) => stats.isSymbolicLink() })

/** Makes the root of a store. Nothing is opened or made yet; a root that is something else than a directory fails. */
export const makeRoot = Effect.fnUntraced(function*(options: { readonly path: string; readonly create: boolean }) {
  const { create: createRoot, path: given } = options
  const rootFailure = (failure: Failure): Failure =>
    isErrno(failure, "ENOTDIR", "ELOOP") ? notDirectory(given) : failure

  const makeMissing = Effect.suspend(() =>
    createRoot
      ? Effect.mapError(Calls.mkdirs(given), rootFailure)
      : Effect.fail<Failure>(refuse("ContainerNotFound", `the root ${given} does not exist`))
  )

  const found = yield* Effect.mapError(
    Effect.catchIf(Calls.stat(given), (error) => error.code === "ENOENT", () => Effect.succeed(undefined)),
    rootFailure
  )
  if (found !== undefined && !found.isDirectory()) return yield* notDirectory(given)
  if (found === undefined && (yield* isLink(given))) {
    return yield* refuse("Configuration", `the root ${given} is a symbolic link that leads nowhere`)
  }
  if (found === undefined && !createRoot) {
    return yield* refuse("Configuration", `the root ${given} does not exist, and createRoot is false`)
  }
  const proc = yield* Effect.match(Calls.stat("/proc/self/fd"), {
    onFailure: () => false,
    onSuccess: (stats) => stats.isDirectory()
  })
  return proc ? makeByDescriptor(given, makeMissing, rootFailure) : makeByPath(given, makeMissing, rootFailure)
})

type RootMaker = (
  given: string,
  makeMissing: Effect.Effect<void, Failure>,
  rootFailure: (failure: Failure) => Failure
) => Root

const makeByDescriptor: RootMaker = (given, makeMissing, rootFailure) => {
  /** The real path of the root, once it is known. */
  let real: string | undefined

  const openRoot = (flags: number, create: boolean): Effect.Effect<number, Failure> =>
    Calls.open(given, flags | O_DIRECTORY).pipe(
      Effect.catchIf(
        (error) => create && error.code === "ENOENT",
        () => Effect.andThen(makeMissing, Calls.open(given, flags | O_DIRECTORY))
      ),
      Effect.mapError(rootFailure)
    )

  const step = (
    parent: number,
    name: string,
    flags: number,
    create: (() => void) | undefined
  ): Effect.Effect<number, Failure> => {
    const path = `/proc/self/fd/${parent}/${name}`
    const open: Effect.Effect<number, Failure> = Calls.open(path, flags | O_DIRECTORY | O_NOFOLLOW)
    return Effect.catch(open, (error) => {
      if (isErrno(error, "ELOOP")) return Effect.fail(link())
      if (isErrno(error, "ENOTDIR")) {
        return Effect.flatMap(Calls.lstat(path), (stats) => Effect.fail(stats.isSymbolicLink() ? link() : error))
      }
      if (create === undefined || !isErrno(error, "ENOENT")) return Effect.fail(error)
      return Effect.andThen(makeDirectory(path, create), open)
    })
  }

  /** Opens a directory a component at a time. */
  const walk = Effect.fnUntraced(function*(names: ReadonlyArray<string>, create: OnMade | undefined) {
    let fd = yield* openRoot(names.length === 0 ? O_RDONLY : O_PATH, create !== undefined)
    real = (yield* pathOf(fd)) ?? real
    for (const [i, name] of names.entries()) {
      const parent = fd
      const flags = i === names.length - 1 ? O_RDONLY : O_PATH
      fd = yield* Effect.ensuring(step(parent, name, flags, create && (() => create(i))), Calls.closeQuietly(parent))
    }
    return fd
  })

  /** Opens a path in one call; `undefined` where only a walk can tell. */
  const leap = (path: string, flags: number): Effect.Effect<number | undefined, Calls.Errno> =>
    Calls.open(path, flags | O_NOFOLLOW).pipe(
      Effect.flatMap((fd) =>
        Effect.flatMap(
          pathOf(fd),
          (actual) => actual === path ? Effect.succeed(fd) : Effect.as(Calls.closeQuietly(fd), undefined)
        )
      )
    )

  const acquireDirectory = Effect.fnUntraced(function*(...[names, options]: Parameters<Root["openDirectory"]>) {
    const direct = real === undefined ? undefined : yield* Effect.catchIf(
      leap(join(real, names), O_RDONLY | O_DIRECTORY),
      unclear,
      () => Effect.succeed(undefined)
    )
    let made = false
    const note = (index: number): void => {
      made = true
      options?.onMade?.(index)
    }
    const fd = direct ?? (yield* walk(names, options?.create === true ? note : undefined))
    const directory: Directory = {
      fd,
      made,
      at: (name) => `/proc/self/fd/${fd}/${name}`,
      path: join(real ?? given, names),
      names
    }
    return directory
  })

  const openDirectory: Root["openDirectory"] = (names, options) =>
    Effect.acquireRelease(acquireDirectory(names, options), ({ fd }) => Calls.closeQuietly(fd))

  const acquireFile = Effect.fnUntraced(
    function*(names: ReadonlyArray<string>, name: string, flags: number, expected: boolean) {
      if (real !== undefined) {
        const direct = yield* Effect.catchIf(
          leap(below(join(real, names), name), flags),
          (error) => error.code === "ENOENT" ? expected : unclear(error),
          () => Effect.succeed(undefined)
        )
        if (direct !== undefined) return direct
      }
      return yield* Effect.scoped(
        Effect.flatMap(openDirectory(names), ({ at }) => Calls.open(at(name), flags | O_NOFOLLOW))
      )
    }
  )

  const peekBelow: Root["peek"] = (names, name) =>
    Effect.scoped(Effect.flatMap(openDirectory(names), ({ at }) => Calls.lstat(at(name))))

  return {
    openDirectory,
    peek: (names, name) =>
      Effect.suspend(() =>
        real === undefined
          ? peekBelow(names, name)
          : Effect.catch(Calls.lstat(below(join(real, names), name)), () => peekBelow(names, name))
      ),
    openFile: (names, name, { expected, flags }) =>
      Effect.acquireRelease(acquireFile(names, name, flags | O_RDONLY | O_NONBLOCK, expected), Calls.closeQuietly)
  }
}

/** Makes a directory and says so to `made`, unless it is there already. */
const makeDirectory = (path: string, made: () => void): Effect.Effect<void, Calls.Errno> =>
  Effect.andThen(Calls.mkdir(path), Effect.sync(made)).pipe(
    Effect.catchIf(({ code }) => code === "EEXIST", () => Effect.void)
  )

/** Errors of a path as a whole that do not say which component is to blame. */
const unclear = (error: Calls.Errno): boolean =>
  error.code === "ENOENT" || error.code === "ENOTDIR" || error.code === "ELOOP" || error.code === "ENAMETOOLONG"

const makeByPath: RootMaker = (given, makeMissing, rootFailure) => {
  const check = (path: string): Effect.Effect<void, Failure> =>
    Effect.flatMap(Calls.lstat(path), (stats) => stats.isSymbolicLink() ? Effect.fail(link()) : Effect.void)

  const acquireDirectory = Effect.fnUntraced(function*(...[names, options]: Parameters<Root["openDirectory"]>) {
    const create = options?.create === true
    let made = false
    let path = yield* Effect.mapError(
      Effect.catchIf(
        Calls.realpath(given),
        (error) => create && error.code === "ENOENT",
        () => Effect.andThen(makeMissing, Calls.realpath(given))
      ),
      rootFailure
    )
    for (const [index, name] of names.entries()) {
      path = below(path, name)
      const note = (): void => {
        made = true
        options?.onMade?.(index)
      }
      if (create) yield* makeDirectory(path, note)
      yield* check(path)
    }
    const fd = yield* Calls.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    const directory: Directory = { fd, at: (name) => below(path, name), path, names, made }
    return directory
  })

  const openDirectory: Root["openDirectory"] = (names, options) =>
    Effect.acquireRelease(acquireDirectory(names, options), ({ fd }) => Calls.closeQuietly(fd))

  return {
    openDirectory,
    peek: (names, name) => Effect.scoped(Effect.flatMap(openDirectory(names), ({ at }) => Calls.lstat(at(name)))),
    openFile: (names, name, { flags }) =>
      Effect.acquireRelease(
        Effect.scoped(
          Effect.flatMap(
            openDirectory(names),
            ({ at }) => Calls.open(at(name), flags | O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
          )
        ),
        Calls.closeQuietly
      )
  }
}
