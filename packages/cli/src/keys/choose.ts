import { resolve } from 'node:path'
import type { StateDir } from '@postern/daemon'
import { readIfThere } from '@postern/daemon'
import { CliError } from '../errors.ts'
import type { PersonKey } from './person-key.ts'
import { openSshKey } from './person-key.ts'
import { listAgentKeys } from './ssh-keygen.ts'

/** Public key of ssh-agent, kept in the state directory so that `ssh-keygen` finds the private one. */
const AGENT_FILE = 'agent.pub'

/**
 * A key of OpenSSH as a person names it: `agent`, or the path of a key or its `.pub` file.
 * @throws {CliError} KEY_UNUSABLE
 */
export async function chooseSshKey(given: string, dir: StateDir): Promise<PersonKey> {
  if (given === 'agent') return chooseAgentKey(dir)
  const path = resolve(given)
  const isPrivate = !path.endsWith('.pub') && (await readIfThere(`${path}.pub`)) !== undefined
  return openSshKey(isPrivate ? `${path}.pub` : path)
}

async function chooseAgentKey(dir: StateDir): Promise<PersonKey> {
  const keys = await listAgentKeys()
  const [key] = keys
  if (!key || keys.length > 1) {
    throw new CliError('KEY_UNUSABLE', key ? `ssh-agent has ${keys.length} keys` : 'ssh-agent has no ed25519 or FIDO2 key', {
      fix: key ? 'name one: --key ~/.ssh/<file>.pub' : 'ssh-add ~/.ssh/id_ed25519',
      exit: 'failed',
    })
  }
  await dir.write(AGENT_FILE, `${key}\n`)
  return openSshKey(dir.file(AGENT_FILE))
}
