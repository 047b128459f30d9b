import type { AtSign, ControlClient, EdgeFiles, EdgeKeys, Pin } from '@postern/core'
import { AuthorityMirror, createControlClient, edgeKeysOf, KEY_FILE, openAuthorityStore, parseEdgeSecrets, readPin } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { hasState, openStateDir, places, Secret } from '@postern/daemon'
import type { Authority } from '../authority/authority.ts'
import { pull } from '../authority/pull.ts'
import type { Environment } from '../config.ts'
import { CliError, notFound } from '../errors.ts'
import { surroundings } from '../surroundings.ts'

/** An agent whose keys are on this machine. */
export interface LocalAgent extends Pin {
  readonly atsign: AtSign
  readonly keys: EdgeKeys<'agent'>
  readonly dir: StateDir
  /** Requests are signed by the agent's own `auth` key: nobody has to be signed in. */
  readonly client: ControlClient
}

/**
 * Makes nothing: an identity comes from an enrolment.
 * @throws {CliError} NOT_FOUND; {OperationError} KEY_FILE_MODE; {EdgeError} KEYS_INVALID, PIN_INVALID
 */
export async function openLocalAgent(atsign: AtSign, environment: Environment): Promise<LocalAgent> {
  const root = places(environment).state
  if (!(await hasState('agent', atsign, root))) throw nobody(atsign)
  const dir = await openStateDir('agent', atsign, root)
  const [bytes, pin] = await Promise.all([dir.readPrivate(KEY_FILE), readPin(dir)])
  if (!bytes || !pin) throw nobody(atsign)
  const keys = edgeKeysOf('agent', parseEdgeSecrets(bytes), (secret) => new Secret(secret))
  return { ...pin, atsign, keys, dir, client: createControlClient(pin.control, keys.auth, surroundings) }
}

const nobody = (atsign: string) =>
  notFound(`there is no agent ${atsign} on this machine`, `postern agent enroll '<join string>' --name ${atsign}`)

/**
 * The authority log as it is now, verified from the agent's own pin and from what its connectors have stored. Writes nothing: the
 * files are theirs, several of them may be running.
 * @throws as `pull`
 */
export async function readAgentAuthority({ dir, org, client }: LocalAgent): Promise<Omit<Authority, 'entries'>> {
  const store = await openAuthorityStore(await readOnly(dir))
  const mirror = await AuthorityMirror.open(org, store, surroundings)
  const warnings = await pull(mirror, client)
  const { state, revocations } = mirror.snapshot
  if (!state) throw new CliError('LOG_REFUSED', 'the control plane has no log of this organisation', { exit: 'verification' })
  return { state, revocations, warnings }
}

/** What is written is dropped. The head is read before the log: it must never say more than the log that is read after it. */
async function readOnly(dir: StateDir): Promise<EdgeFiles> {
  const head = await dir.read('head.json')
  return {
    read: (name) => (name === 'head.json' ? Promise.resolve(head) : dir.read(name)),
    readPrivate: (name) => dir.readPrivate(name),
    write: () => Promise.resolve(),
    openAppend: () => Promise.resolve({ appendDurably: () => Promise.resolve(), close: () => Promise.resolve() }),
  }
}
