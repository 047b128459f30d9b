import { watch } from 'node:fs'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeSigned, parseRevocation, parseStrictJson, readPin, revocationHash, VerifyError } from '@postern/core'
import type { Log, StateDir } from '@postern/daemon'
import { makePrivateDirectory, openStateDir, readIfThere, writeDurably } from '@postern/daemon'
import { GatewayError } from '../errors.ts'

const folder = 'inbox'
const limits = { maxBytes: 1 << 20, maxDepth: 16 }

/** A directory through which an administrator hands over revocations when the control plane does not: by file, SSH, memory stick. */
export interface Inbox extends Disposable {
  /** Takes up what lies there. */
  sweep(): Promise<void>
}

/** @param take Throws `VerifyError` for what does not count. */
export async function openInbox(state: StateDir, take: (bytes: Uint8Array) => Promise<unknown>, log: Log): Promise<Inbox> {
  const directory = await state.folder(folder)
  const sweep = async () => {
    for (const file of (await readdir(directory)).filter((name) => name.endsWith('.json'))) await takeFile(join(directory, file), take, log)
  }
  let turn = Promise.resolve()
  const next = () => {
    turn = turn.then(sweep).catch((err) => log.error({ err }, 'the inbox cannot be read'))
    return turn
  }
  const watcher = watch(directory, { persistent: false }, () => void next())
  watcher.on('error', () => {}) // the sweep every few seconds remains
  return { sweep: next, [Symbol.dispose]: () => watcher.close() }
}

async function takeFile(path: string, take: (bytes: Uint8Array) => Promise<unknown>, log: Log): Promise<void> {
  const bytes = await readFile(path).catch(() => undefined)
  if (!bytes) return
  try {
    await take(bytes)
    await rm(path, { force: true })
    log.warn('a revocation from the inbox was applied')
  } catch (error) {
    const code = (error as { code?: string }).code
    if (!(error instanceof VerifyError)) return log.warn({ code }, 'a revocation in the inbox has to wait')
    await rename(path, `${path}.refused`)
    log.error({ code }, 'a revocation in the inbox was refused')
  }
}

/** What became of a revocation handed over by file. `waiting`: no gateway is running here; it counts from the next start. */
export type Applied = 'applied' | 'refused' | 'waiting'

/**
 * Hands a signed revocation (`{bytes, signatures}`) to the gateway on this machine, running or not. The gateway verifies it; here only its
 * form and its organisation are looked at.
 * @param waitMs How long to wait for a running gateway.
 * @throws {VerifyError} when it is not a revocation
 * @throws {GatewayError} NOT_ENROLLED, WRONG_ORGANISATION
 */
export async function applyRevocationFile(
  atsign: string,
  file: Uint8Array,
  { stateRoot, waitMs = 5_000 }: { stateRoot?: string; waitMs?: number } = {},
): Promise<Applied> {
  const state = await openStateDir('gateway', atsign, stateRoot)
  const pin = await readPin(state)
  if (!pin) throw new GatewayError('NOT_ENROLLED', `${atsign} is not enrolled on this machine`)
  const { bytes } = decodeSigned(parseStrictJson(file, limits))
  if (parseRevocation(bytes).org !== pin.org) throw new GatewayError('WRONG_ORGANISATION', 'the revocation is of another organisation')
  await makePrivateDirectory(state.file(folder))
  const path = state.file(folder, `${revocationHash(bytes)}.json`)
  await rm(`${path}.refused`, { force: true })
  await writeDurably(path, file)
  return await outcomeOf(path, waitMs)
}

async function outcomeOf(path: string, waitMs: number): Promise<Applied> {
  const until = performance.now() + waitMs
  for (;;) {
    // In this order: a file that is gone was removed or renamed, and both happen at once.
    if (!(await readIfThere(path))) return (await readIfThere(`${path}.refused`)) ? 'refused' : 'applied'
    if (performance.now() > until) return 'waiting'
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
