import type { AtSign, ControlClient, HeldCall, KeyId, Receipt, RiskClass, State, VerifiedHeld } from '@postern/core'
import { decodeBase64url, keyIdOf, liveKey, openHold, readHeld, VerifyError, verifyReceipt } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { CliError } from '../errors.ts'
import { openSealKey } from '../keys/seal-key.ts'
import { now, surroundings } from '../surroundings.ts'

export type HeldStatus = 'waiting' | 'decided' | 'approved' | 'refused' | 'timed_out' | 'ended' | 'executed'

/** A held call as the control plane tells of it: its word, until what is sealed was opened and verified. */
export interface HeldEntry {
  readonly id: string
  readonly gateway: AtSign
  readonly epoch: string
  readonly agent: AtSign
  readonly owner?: AtSign
  readonly server: string
  readonly tool: string
  readonly risk: RiskClass
  readonly rule: string
  readonly gth: string
  readonly cth: string
  readonly schema: string
  readonly a: string
  readonly approvers: readonly AtSign[]
  readonly held: number
  readonly deadline: number
  readonly status: HeldStatus
  readonly by?: AtSign
  readonly reason?: string
  readonly code?: string
  readonly outcome?: 'ok' | 'error' | 'unknown' | 'not_run'
  readonly ms?: number
  readonly ended?: number
}
/** With what is sealed. */
export interface SealedEntry extends HeldEntry {
  readonly content?: string
  readonly sealed: readonly { readonly kid: KeyId; readonly bytes: string }[]
  /** Once it is over: what the gateway signed about it. */
  readonly receipt?: string
}

/** Calls that wait for a decision, and that this person may see. */
export const listHeld = async (client: ControlClient): Promise<readonly HeldEntry[]> =>
  (await client.call<{ approvals: readonly HeldEntry[] }>('/api/v1/approvals')).approvals

/** @param seen waits for another status than this one, up to 20 s. */
export const readEntry = (client: ControlClient, id: string, seen?: HeldStatus): Promise<SealedEntry> =>
  client.call<SealedEntry>(`/api/v1/approvals/${id}${seen === undefined ? '' : `?wait=20&seen=${seen}`}`, { timeoutMs: 40_000 })

/** What a decision about it names, by the control plane's word. */
export const heldCallOfEntry = (org: string, entry: HeldEntry): HeldCall => {
  const { gateway, epoch, agent, gth, cth, server, tool, schema, a, deadline: exp } = entry
  return { org, gateway, epoch, agent, gth, cth, server, tool, schema, a, exp }
}

/**
 * The gateway's receipt for this very call, verified here: what the control plane says became of it is then no longer only its word.
 * @returns undefined while there is none, or none that verifies
 */
export function receiptOf({ receipt: token, cth, gateway }: SealedEntry, state: State): Receipt | undefined {
  if (token === undefined) return undefined
  try {
    const context = { org: state.org, now: now(), suite: surroundings.suite }
    const receipt = verifyReceipt(token, (iss, kid, use) => liveKey(state, iss, kid, use), context)
    return receipt.cth === cth && receipt.iss === gateway ? receipt : undefined
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

/**
 * Opens what was sealed to this machine's key and verifies it against the verified log: what comes out is the gateway's signed word about
 * exactly the request that was asked for.
 * @throws {CliError} NO_SEAL_KEY, saying what to do; {VerifyError} (exit code 8) what `openHold` and `readHeld` find
 */
export async function openEntry(entry: SealedEntry, state: State, dir: StateDir, atsign: string): Promise<VerifiedHeld> {
  const key = await openSealKey(dir)
  const sealed = key && entry.sealed.find(({ kid }) => kid === keyIdOf(key.public))
  if (!key || !sealed) throw noKey(entry, state, atsign, key !== undefined)
  if (entry.content === undefined) throw new CliError('CONFLICT', 'it is over: what was sealed is gone', { exit: 'conflict' })
  const { org } = state
  const at = { org, gateway: entry.gateway, cth: entry.cth, key: key.public }
  const parts = { content: decodeBase64url(entry.content), key: decodeBase64url(sealed.bytes) }
  const opened = openHold(parts, key.secret.expose(), at, surroundings.suite)
  return readHeld(opened, entry, (iss, kid, use) => liveKey(state, iss, kid, use), { org, now: now(), suite: surroundings.suite })
}

function noKey(entry: SealedEntry, state: State, atsign: string, hasKey: boolean): CliError {
  const enrolled = state.identities.get(atsign as AtSign)?.keys.filter(({ use }) => use === 'seal').length ?? 0
  const again = `ask an administrator for a join string, then: postern people enroll '<join string>' --as ${atsign}`
  if (!entry.approvers.includes(atsign as AtSign))
    return new CliError('NOT_ENTITLED', `${atsign} may not decide about this call`, {
      why: `rule ${entry.rule} names ${entry.approvers.join(', ')}${enrolled === 0 ? `; and ${atsign} has no seal key` : ''}`,
      exit: 'notPermitted',
      ...(enrolled === 0 ? { fix: again } : {}),
    })
  return new CliError('NO_SEAL_KEY', 'its arguments are not sealed to a key of this machine', {
    why: hasKey ? 'the key here is not the one in the log' : 'there is no seal key here',
    fix: enrolled > 0 ? 'decide where your seal key is: on the machine where you enrolled, or in the signing page' : again,
    exit: 'failed',
  })
}
