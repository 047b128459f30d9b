import type { AuthorityAlarm, ControlClient, EdgeSurroundings, Signed, State } from '@postern/core'
import {
  AuthorityMirror,
  createControlClient,
  decodeBase64url,
  EdgeError,
  openAuthorityStore,
  parseStatement,
  pullLog,
  VerifyError,
} from '@postern/core'
import type { Device } from '../device/device.ts'
import { SignerError } from '../errors.ts'

/** One verified moment of an organisation: replayed here, from the organisation that was pinned. */
export interface Authority {
  readonly state: State
  /** 16 bytes of statement 0. */
  readonly genesisNonce: Uint8Array
  /** This statement and what follows reached this device after the time in which edges take them up. */
  readonly late?: number
}

/** By what the log may be read: a page of this origin has no session. */
export interface Access {
  readonly request?: string
  readonly enrolment?: string
  readonly approval?: string
  readonly code?: string
}

/**
 * Fetches what is new of the log, verifies it, and keeps it: later this device refuses a log that is shorter, or another one.
 * @throws {SignerError} LOG_MISSING, LOG_ROLLED_BACK, LOG_FORKED, LOG_REFUSED, LOG_HALTED, OTHER_ORGANISATION, DEVICE_STATE
 */
export function syncAuthority(control: string, org: string, access: Access, device: Device, around: EdgeSurroundings): Promise<Authority> {
  return withMirror(org, device, around, async (mirror) => {
    const { alarms, late } = await pullLog({
      mirror,
      client: clientFor(control, access, around),
      suite: around.suite,
      wantsRevocations: false,
    })
    for (const alarm of alarms) refuse(alarm)
    return { ...(await authorityOf(mirror)), ...(late === undefined ? {} : { late }) }
  })
}

/** What this device has verified before, without asking anybody. @returns undefined when that is nothing */
export const readAuthority = (org: string, device: Device, around: EdgeSurroundings): Promise<Authority | undefined> =>
  withMirror(org, device, around, async (mirror) => (mirror.snapshot.state ? authorityOf(mirror) : undefined))

/** Takes up statements that were made here: genesis. @throws {VerifyError} */
export const addToAuthority = (org: string, added: readonly Signed[], device: Device, around: EdgeSurroundings): Promise<void> =>
  withMirror(org, device, around, async (mirror) => {
    const { refused } = await mirror.addEntries(added)
    if (refused && refused.code !== 'BAD_SEQ') throw refused
  })

function withMirror<T>(org: string, device: Device, around: EdgeSurroundings, work: (mirror: AuthorityMirror) => Promise<T>): Promise<T> {
  return device.locked(org, async () => {
    try {
      return await work(await AuthorityMirror.open(org, await openAuthorityStore(device.files(org)), around))
    } catch (error) {
      if (error instanceof EdgeError) throw new SignerError('DEVICE_STATE', error.message, { cause: error })
      if (error instanceof VerifyError) throw new SignerError('LOG_REFUSED', `${error.code}: ${error.message}`, { cause: error })
      throw error
    }
  })
}

async function authorityOf(mirror: AuthorityMirror): Promise<Authority> {
  const { state } = mirror.snapshot
  const genesis = await mirror.store.readEntry(0)
  if (!state || !genesis) throw new SignerError('LOG_MISSING')
  const statement = parseStatement(genesis.bytes)
  if (statement.op !== 'genesis') throw new SignerError('LOG_MISSING')
  return { state, genesisNonce: decodeBase64url(statement.body.nonce) }
}

function clientFor(control: string, { code, ...ids }: Access, around: EdgeSurroundings): ControlClient {
  const client = createControlClient(control, undefined, around, code === undefined ? {} : { 'postern-code': code })
  const [name, id] = Object.entries(ids).find(([, value]) => value !== undefined) ?? []
  if (!name || !id) return client
  const withId = (path: string) => `${path}${path.includes('?') ? '&' : '?'}${name}=${encodeURIComponent(id)}`
  return { ...client, call: (path, options) => client.call(withId(path), options) }
}

/** @throws {SignerError} for everything that is not just late */
function refuse(alarm: AuthorityAlarm): void {
  switch (alarm.kind) {
    case 'WRONG_ORGANISATION':
      throw new SignerError('OTHER_ORGANISATION')
    case 'ROLLED_BACK':
      throw new SignerError('LOG_ROLLED_BACK', `statement ${alarm.seq} was verified on this device; the log now ends at ${alarm.found}`)
    case 'FORKED':
      throw new SignerError('LOG_FORKED', `at statement ${alarm.seq}${alarm.proven ? ', both signed by an administrator' : ''}`)
    case 'REFUSED':
      throw new SignerError('LOG_REFUSED', `statement ${alarm.seq}: ${alarm.code}`)
    case 'HALTED':
      throw new SignerError('LOG_HALTED', `statement ${alarm.seq}: ${alarm.why}`)
    case 'WAITING':
      throw new SignerError('LOG_REFUSED', `statement ${alarm.seq} is dated ahead of this device's clock: check the clock`)
    case 'REVOCATION_REFUSED':
      return
  }
}
