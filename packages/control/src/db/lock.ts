import { chmodSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { lockDirectory as lock, OperationError } from '@postern/daemon'

/**
 * Makes a PGlite directory if it is missing, mode 700 (PGlite writes its files world-readable), and takes it for this process alone:
 * two processes on one directory silently lose each other's data, and PGlite does not look. The lock stands beside the directory.
 * @returns gives the directory free again.
 * @throws {OperationError} DATABASE_IN_USE, naming the holder
 */
export async function lockDirectory(dir: string): Promise<() => Promise<void>> {
  mkdirSync(dirname(dir), { recursive: true })
  for (const each of [dir, `${dir}.lock`]) {
    mkdirSync(each, { recursive: true, mode: 0o700 })
    chmodSync(each, 0o700)
  }
  try {
    const held = await lock(`${dir}.lock`)
    return () => held.release()
  } catch (cause) {
    if (!(cause instanceof OperationError) || cause.code !== 'LOCKED') throw cause
    throw new OperationError('DATABASE_IN_USE', cause.message.replace(`${dir}.lock`, dir), {
      cause,
      fix: 'stop that process, or choose another directory with DATABASE_URL=pglite:<directory>',
    })
  }
}
