import { open, readFile } from 'node:fs/promises'
import { errnoOf, OperationError } from './errors.ts'

/**
 * Reads a file that holds secrets. Checked on the open file, so that nothing can be swapped in between: a regular file, owned by
 * this user (or root), no permission for anybody else.
 * @returns Its bytes, or undefined when there is none.
 * @throws {OperationError} `KEY_FILE_MODE`, with the chmod that repairs it; `STORAGE_FAILED`
 */
export async function readPrivateFile(path: string): Promise<Uint8Array | undefined> {
  try {
    await using file = await open(path, 'r')
    const { mode, uid, isFile } = await file.stat().then((s) => ({ mode: s.mode, uid: s.uid, isFile: s.isFile() }))
    if (!isFile) throw new OperationError('KEY_FILE_MODE', `${path} is not a regular file`)
    refuseForeignOwner(path, uid)
    refuseWideMode(path, mode)
    return new Uint8Array(await file.readFile())
  } catch (error) {
    return absentOrThrow(path, error)
  }
}

export async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (error) {
    return absentOrThrow(path, error)
  }
}

function absentOrThrow(path: string, error: unknown): undefined {
  if (error instanceof OperationError) throw error
  if (errnoOf(error) === 'ENOENT') return undefined
  throw new OperationError('STORAGE_FAILED', `cannot read ${path}: ${(error as Error).message}`, { cause: error })
}

function refuseForeignOwner(path: string, uid: number): void {
  const mine = process.getuid?.()
  if (mine === undefined || uid === mine || uid === 0) return
  throw new OperationError('KEY_FILE_MODE', `${path} belongs to another user (uid ${uid})`, { fix: `sudo chown ${mine} '${path}'` })
}

function refuseWideMode(path: string, mode: number): void {
  if (process.platform === 'win32' || (mode & 0o077) === 0) return
  const fix = `chmod 600 '${path}'`
  throw new OperationError('KEY_FILE_MODE', `others can read ${path} (mode ${(mode & 0o777).toString(8)}); run: ${fix}`, { fix })
}
