// A directory is held by whoever wrote its highest `lock.<n>`. To take it, one creates n + 1, and only when the holder of n is dead
// or has let go: creating is atomic, so of several that try, one succeeds. The highest file is never removed, only replaced by its
// own holder, so no number is ever given out twice, however long a contender sleeps between two steps.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errnoOf, OperationError } from './errors.ts'

export interface DirectoryLock extends AsyncDisposable {
  release(): Promise<void>
}

interface Holder {
  readonly pid: number
  /** What tells two processes of one pid apart: see `identityOf`. */
  readonly start: string
  readonly boot: string
  /** Unix seconds, for the message. */
  readonly since: number
  readonly released?: boolean
}

/**
 * Takes a directory for this process. A holder that died, even by `kill -9`, is recognised (pid, its start time, boot id) and replaced.
 * Does NOT protect a directory that two machines mount, or two containers with separate process ids.
 * @throws {OperationError} `LOCKED`, naming the holder
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const { number, holder } = await highest(directory)
    if (holder && isAlive(holder)) throw lockedBy(directory, holder)
    if (!(await create(directory, number + 1))) continue
    const now = await highest(directory)
    if (now.number === number + 1) return held(directory, now.number)
    await rm(fileOf(directory, number + 1), { force: true }) // we slept, and others came and went meanwhile
  }
  throw new OperationError('LOCKED', `${directory} changes hands too quickly`, { retryable: true })
}

const fileOf = (directory: string, number: number) => join(directory, `lock.${number}`)
const numbersIn = async (directory: string) =>
  (await readdir(directory)).flatMap((name) => Number(/^lock\.(\d{1,15})$/.exec(name)?.[1] ?? []))

async function highest(directory: string): Promise<{ number: number; holder: Holder | undefined }> {
  const number = Math.max(0, ...(await numbersIn(directory)))
  if (number === 0) return { number, holder: undefined }
  try {
    return { number, holder: JSON.parse(await readFile(fileOf(directory, number), 'utf8')) }
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return highest(directory) // a higher one appeared, and its holder swept
    if (error instanceof SyntaxError) return { number, holder: undefined } // cut short by a power loss: nobody lives who wrote it
    throw error
  }
}

const me = (): Holder => ({ ...identityOf(process.pid), pid: process.pid, since: Math.floor(Date.now() / 1000) })

/** True when we made the file; false when somebody else had it. It appears with its whole content. */
async function create(directory: string, number: number): Promise<boolean> {
  const temporary = await writeTemporary(directory, me())
  try {
    await link(temporary, fileOf(directory, number))
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

async function writeTemporary(directory: string, holder: Holder): Promise<string> {
  const path = join(directory, `.lock.${randomBytes(6).toString('hex')}.tmp`)
  await writeFile(path, JSON.stringify(holder), { mode: 0o600, flag: 'wx' })
  return path
}

async function held(directory: string, number: number): Promise<DirectoryLock> {
  for (const lower of await numbersIn(directory)) if (lower < number) await rm(fileOf(directory, lower), { force: true })
  let released = false
  const release = async () => {
    if (released) return
    released = true
    await rename(await writeTemporary(directory, { ...me(), released: true }), fileOf(directory, number)).catch((error) => {
      if (errnoOf(error) !== 'ENOENT') throw error // the whole directory was removed
    })
  }
  return { release, [Symbol.asyncDispose]: release }
}

function isAlive({ pid, start, boot, released }: Holder): boolean {
  if (released) return false
  const now = identityOf(pid)
  if (now.boot !== boot) return false
  if (now.start || start) return now.start === start
  return canSignal(pid)
}

/** Start time in clock ticks since boot, from `/proc`; empty where there is none, and then a reused pid looks alive. */
function identityOf(pid: number): { start: string; boot: string } {
  const stat = readQuietly(`/proc/${pid}/stat`)
  const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // the name may hold spaces and brackets
  const isZombie = afterName[0] === 'Z'
  return { start: isZombie ? '' : (afterName[19] ?? ''), boot: readQuietly('/proc/sys/kernel/random/boot_id').trim() }
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function canSignal(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return errnoOf(error) === 'EPERM'
  }
}

function lockedBy(directory: string, { pid, since }: Holder): OperationError {
  const when = new Date(since * 1000).toISOString()
  return new OperationError('LOCKED', `${directory} is in use by process ${pid}, since ${when}`, {
    fix: `stop that process first: kill ${pid}`,
  })
}
