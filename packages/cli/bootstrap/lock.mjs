// One setup at a time in a clone. A lock is a directory with its holder's pid inside; a dead holder's lock is taken over.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A holder that shows no sign of life for so long is gone, although its pid (by now somebody else's) lives. */
const silentMs = 120_000
const beatMs = 5_000

/** Runs `work` while holding the lock; waits for another holder, after one call of `onWait(pid)`. */
export async function withLock(path, onWait, work) {
  mkdirSync(dirname(path), { recursive: true })
  for (let isFirst = true; !take(path); isFirst = false) {
    const holder = holderOf(path)
    if (holder !== undefined && isGone(path, holder)) takeOver(path, holder)
    else {
      if (isFirst && holder !== undefined) onWait(holder)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const beat = setInterval(() => utimesSync(path, new Date(), new Date()), beatMs)
  try {
    return await work()
  } finally {
    clearInterval(beat)
    rmSync(path, { recursive: true, force: true })
  }
}

/** Prepared aside and renamed, so that a lock never exists without its pid. Renaming onto a directory with content fails. */
function take(path) {
  const aside = `${path}-${process.pid}`
  rmSync(aside, { recursive: true, force: true })
  mkdirSync(aside)
  writeFileSync(join(aside, 'pid'), String(process.pid))
  try {
    renameSync(aside, path)
    return true
  } catch {
    rmSync(aside, { recursive: true, force: true })
    return false
  }
}

function holderOf(path) {
  try {
    return Number(readFileSync(join(path, 'pid'), 'utf8'))
  } catch {
    return undefined
  }
}

function isGone(path, pid) {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return error.code === 'ESRCH'
  }
  try {
    return Date.now() - statSync(path).mtimeMs > silentMs
  } catch {
    return false
  }
}

/** Moves the dead holder's lock away; if somebody else took it over meanwhile, moves theirs back. */
function takeOver(path, deadPid) {
  const aside = `${path}-stale-${process.pid}`
  try {
    renameSync(path, aside)
    if (holderOf(aside) !== deadPid) renameSync(aside, path)
  } catch {
    // somebody else was faster
  }
  rmSync(aside, { recursive: true, force: true })
}
