import type { AtSign, EdgeKeys, Enrolment, Pin } from '@postern/core'
import {
  createEnrolment,
  edgeKeysOf,
  encodeEdgeSecrets,
  generateEdgeSecrets,
  KEY_FILE,
  parseAtSign,
  parseEdgeSecrets,
  parseJoinString,
  readPin,
  secretOf,
  writePin,
} from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { openStateDir, Secret } from '@postern/daemon'
import type { GatewayDeps } from './deps.ts'
import { GatewayError } from './errors.ts'

/** Encrypts the journal; nobody's identity, and it never leaves the machine. */
const journalSecret = 'journal'

export interface Identity {
  readonly atsign: AtSign
  readonly pin: Pin
  readonly keys: EdgeKeys<'gateway'>
  readonly journalKey: Secret<Uint8Array>
}

/**
 * Who this gateway is, from its state directory.
 * @throws {GatewayError} NOT_ENROLLED when nothing was made here yet
 * @throws {OperationError} KEY_FILE_MODE when others could read the keys
 * @throws {EdgeError} KEYS_INVALID, PIN_INVALID
 */
export async function readIdentity(state: StateDir, atsign: string): Promise<Identity> {
  const [pin, file] = await Promise.all([readPin(state), state.readPrivate(KEY_FILE)])
  if (!pin || !file) {
    throw new GatewayError('NOT_ENROLLED', `${atsign} has no keys on this machine`, { fix: 'postern gateway enroll <join string>' })
  }
  const secrets = parseEdgeSecrets(file)
  const keys = edgeKeysOf('gateway', secrets, hide)
  return { atsign: parseAtSign(atsign), pin, keys, journalKey: hide(secretOf(secrets, journalSecret)) }
}

/**
 * Makes the keys of a gateway (or takes those that are there), pins the organisation of the join string and signs an enrolment request.
 * Nothing is sent: `postEnrolment` of @postern/core does that.
 * @param stateRoot Parent of `gateway/<atsign>/`.
 * @throws {EdgeError} JOIN_STRING_INVALID, WRONG_ORGANISATION when the gateway is another organisation's
 * @throws {VerifyError} BAD_ATSIGN
 */
export async function enrolGateway(
  joinString: string,
  { atsign, stateRoot }: { readonly atsign: string; readonly stateRoot?: string },
  deps: Pick<GatewayDeps, 'clock' | 'random' | 'suite'>,
): Promise<Enrolment> {
  const join = parseJoinString(joinString)
  const name = parseAtSign(atsign)
  const state = await openStateDir('gateway', name, stateRoot)
  await writePin(state, { org: join.org, control: join.control })
  if (!(await state.readPrivate(KEY_FILE))) {
    await state.write(KEY_FILE, encodeEdgeSecrets(generateEdgeSecrets('gateway', deps.random, [journalSecret])))
  }
  const { keys } = await readIdentity(state, name)
  return createEnrolment(join, { kind: 'gateway', atsign: name }, Object.values(keys), deps)
}

const hide = (bytes: Uint8Array) => new Secret(bytes)
