import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { places } from './config.ts'
import type { AppendFile } from './durable.ts'
import { makePrivateDirectory, openAppendFile, writeDurably } from './durable.ts'
import { errnoOf, OperationError } from './errors.ts'
import type { DirectoryLock } from './lock.ts'
import { lockDirectory } from './lock.ts'
import { readIfThere, readPrivateFile } from './private-file.ts'

/** Where one process of one name keeps what must survive it. */
export interface StateDir {
  readonly path: string
  /** Path of something inside. */
  file(...segments: string[]): string
  /** Makes a directory inside, 0700. */
  folder(...segments: string[]): Promise<string>
  /** Undefined when there is no such file. */
  read(name: string): Promise<Uint8Array | undefined>
  /** As `read`, for files with secrets: refused when others could read them (`KEY_FILE_MODE`). */
  readPrivate(name: string): Promise<Uint8Array | undefined>
  /** Durable replacement, 0600: see `writeDurably`. */
  write(name: string, bytes: Uint8Array | string): Promise<void>
  /** A file that only grows: see `openAppendFile`. */
  openAppend(name: string, options?: { readonly truncateTo?: number }): Promise<AppendFile>
  /** One process at a time may change what is here: see `lockDirectory`. */
  lock(): Promise<DirectoryLock>
}

/**
 * Opens `$XDG_STATE_HOME/postern/<role>/<name>/` and makes it, 0700, if missing. Does NOT lock it: readers need no lock.
 * @param root Instead of `$XDG_STATE_HOME/postern`, for tests and for people who keep state elsewhere.
 * @throws {OperationError} `STATE_DIR_UNSAFE` when others may write there, `STORAGE_FAILED`
 */
export async function openStateDir(role: string, name: string, root = places().state): Promise<StateDir> {
  const path = statePath(role, name, root)
  await makePrivateDirectory(path)
  await refuseSharedDirectory(path)
  const file = (...segments: string[]) => join(path, ...segments)
  return {
    path,
    file,
    async folder(...segments) {
      await makePrivateDirectory(file(...segments))
      return file(...segments)
    },
    read: (name) => readIfThere(file(name)),
    readPrivate: (name) => readPrivateFile(file(name)),
    write: (name, bytes) => writeDurably(file(name), bytes),
    openAppend: (name, options) => openAppendFile(file(name), options),
    lock: () => lockDirectory(path),
  }
}

/** Path of a state directory, whether or not it exists. Neither part may leave its parent. */
export function statePath(role: string, name: string, root = places().state): string {
  for (const part of [role, name]) {
    if (!/^[@a-z0-9_-][@a-z0-9._-]*$/i.test(part)) throw new TypeError(`not a directory name: ${JSON.stringify(part)}`)
  }
  return join(root, role, name)
}

/** True when the directory is there, whatever it holds. */
export async function hasState(role: string, name: string, root = places().state): Promise<boolean> {
  try {
    return (await stat(statePath(role, name, root))).isDirectory()
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

async function refuseSharedDirectory(path: string): Promise<void> {
  const { mode, uid } = await stat(path)
  const mine = process.getuid?.()
  if (mine !== undefined && uid !== mine) {
    throw new OperationError('STATE_DIR_UNSAFE', `${path} belongs to another user (uid ${uid}, this process runs as ${mine})`)
  }
  if ((mode & 0o022) === 0) return
  throw new OperationError('STATE_DIR_UNSAFE', `others may write in ${path} (mode ${(mode & 0o777).toString(8)})`, {
    fix: `chmod 700 '${path}'`,
  })
}
