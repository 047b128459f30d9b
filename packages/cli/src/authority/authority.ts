import type { AuthorityStore, ControlClient, RevocationSet, Signed, State } from '@postern/core'
import { AuthorityMirror, openAuthorityStore } from '@postern/core'
import type { DirectoryLock, StateDir } from '@postern/daemon'
import { OperationError } from '@postern/daemon'
import { CliError } from '../errors.ts'
import { surroundings } from '../surroundings.ts'
import { pull } from './pull.ts'

/** One verified moment: replayed here from the pinned organisation. */
export interface Authority {
  readonly state: State
  readonly revocations: RevocationSet
  /** The whole log as it was signed. */
  readonly entries: readonly Signed[]
  /** What a person should know before signing on top of it. */
  readonly warnings: readonly string[]
}

/**
 * Fetches what is new, verifies it from the pin, and keeps it: a later run refuses a log that is shorter or another one.
 * @param dir With the pin, the log and its head.
 * @throws {CliError} WRONG_ORGANISATION, LOG_ROLLED_BACK, LOG_FORKED, LOG_REFUSED (exit code 8); LOG_HALTED
 */
export const syncAuthority = (dir: StateDir, org: string, client: ControlClient): Promise<Authority> =>
  withMirror(dir, org, async (mirror, entries) => authorityOf(mirror, entries, await pull(mirror, client)))

/** What is on this machine, without asking anybody. @returns undefined before the first sync */
export const readAuthority = (dir: StateDir, org: string): Promise<Authority | undefined> =>
  withMirror(dir, org, async (mirror, entries) => (mirror.snapshot.state ? authorityOf(mirror, entries, []) : undefined))

/** Takes up statements that did not come from the control plane: genesis, before it is handed in. @throws {VerifyError} */
export const addToAuthority = (dir: StateDir, org: string, added: readonly Signed[]): Promise<void> =>
  withMirror(dir, org, async (mirror) => {
    const { refused } = await mirror.addEntries(added)
    if (refused) throw refused
  })

function authorityOf(mirror: AuthorityMirror, entries: readonly Signed[], warnings: readonly string[]): Authority {
  const { state, revocations } = mirror.snapshot
  if (!state) throw new CliError('LOG_REFUSED', 'the control plane has no log of this organisation', { exit: 'verification' })
  return { state, revocations, entries, warnings }
}

/** One process at a time reads and extends the files; commands that run at once wait for each other. */
async function withMirror<T>(
  dir: StateDir,
  org: string,
  work: (mirror: AuthorityMirror, entries: readonly Signed[]) => Promise<T>,
): Promise<T> {
  await using _lock = await lockPatiently(dir)
  const store = await openAuthorityStore(dir as Parameters<typeof openAuthorityStore>[0])
  const entries = [...store.entries]
  const recording: AuthorityStore = {
    ...store,
    appendEntries: async (added, head) => {
      await store.appendEntries(added, head)
      entries.push(...added)
    },
  }
  try {
    return await work(await AuthorityMirror.open(org, recording, surroundings), entries)
  } finally {
    await store.close()
  }
}

const PATIENCE_MS = 10_000
async function lockPatiently(dir: StateDir): Promise<DirectoryLock> {
  for (const began = performance.now(); ; ) {
    try {
      return await dir.lock()
    } catch (error) {
      const isHeld = error instanceof OperationError && error.code === 'LOCKED'
      if (!isHeld || performance.now() - began > PATIENCE_MS) throw error
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
  }
}
