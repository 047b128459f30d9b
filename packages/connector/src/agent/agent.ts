import type { AtSign, EdgeKeys, Pin } from '@postern/core'
import { edgeKeysOf, KEY_FILE, parseAtSign, parseEdgeSecrets, readPin } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { hasState, openStateDir, Secret } from '@postern/daemon'
import { ConnectorError } from '../errors.ts'

/** Who this process speaks for, and with which keys. Several processes may speak for the same one. */
export interface Agent extends Pin {
  readonly atsign: AtSign
  readonly keys: EdgeKeys<'agent'>
  readonly directory: StateDir
}

/**
 * Reads the keys and the pinned organisation of an agent. Makes nothing: an identity comes from an enrolment and never from a start.
 * @throws {ConnectorError} NOT_SET_UP. {OperationError} KEY_FILE_MODE when others can read the keys. {EdgeError} KEYS_INVALID, PIN_INVALID
 */
export async function openAgent(name: string, stateRoot: string): Promise<Agent> {
  const atsign = parseAtSign(name)
  if (!(await hasState('agent', atsign, stateRoot))) throw notSetUp(atsign)
  const directory = await openStateDir('agent', atsign, stateRoot)
  const [bytes, pin] = await Promise.all([directory.readPrivate(KEY_FILE), readPin(directory)])
  if (!bytes || !pin) throw notSetUp(atsign)
  const keys = edgeKeysOf('agent', parseEdgeSecrets(bytes), (secret) => new Secret(secret))
  return { ...pin, atsign, keys, directory }
}

function notSetUp(atsign: AtSign): ConnectorError {
  const fix = `postern agent enroll '<join string>' --name ${atsign}`
  return new ConnectorError('NOT_SET_UP', `there is no agent ${atsign} on this machine; enrol it first: ${fix}`, { fix })
}
