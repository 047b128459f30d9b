import type { ControlClient, Pin } from '@postern/core'
import { createControlClient, readPin, writePin } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { openStateDir, places } from '@postern/daemon'
import type { Environment, Settings } from '../config.ts'
import { CliError } from '../errors.ts'
import type { PersonKey } from '../keys/person-key.ts'
import { openPersonKey } from '../keys/person-key.ts'
import { surroundings } from '../surroundings.ts'
import type { Profile } from './config-file.ts'
import { readConfigFile } from './config-file.ts'
import type { Session } from './session.ts'
import { readSession, signInError } from './session.ts'

/** A person at this machine: their profile and the directory that is theirs. */
export interface Person {
  readonly profile: Profile
  readonly dir: StateDir
  /** @throws {CliError} KEY_UNUSABLE; {OperationError} KEY_FILE_MODE */
  key(): Promise<PersonKey>
}

/** A person who is signed in: requests are signed by their session key. */
export interface SignedIn extends Person {
  readonly session: Session
  readonly client: ControlClient
}

/** @throws {CliError} NO_PROFILE */
export async function findProfile({ profile, environment }: Pick<Settings, 'profile' | 'environment'>): Promise<Profile> {
  const { profile: current, profiles } = await readConfigFile(environment)
  const name = profile ?? current
  if (name !== undefined && Object.hasOwn(profiles, name)) return { ...profiles[name]!, name }
  if (profile !== undefined) {
    const known = Object.keys(profiles).join(', ') || 'none'
    throw new CliError('NO_PROFILE', `there is no profile ${profile}`, { why: `known profiles: ${known}`, exit: 'usage' })
  }
  throw new CliError('NO_PROFILE', 'this machine belongs to nobody yet', {
    why: 'there is no profile in config.toml',
    fix: "postern genesis '<link>' --name <organisation> --as @you, or postern people enroll '<join string>' --as @you",
    exit: 'signIn',
  })
}

export const openPersonDir = (state: string, environment: Environment): Promise<StateDir> =>
  openStateDir('person', state, places(environment).state)

/** @throws {CliError} NO_PROFILE; {EdgeError} WRONG_ORGANISATION when config and state name different ones */
export async function openPerson(settings: Settings): Promise<Person> {
  const profile = await findProfile(settings)
  const dir = await openPersonDir(profile.state, settings.environment)
  await keepPin(dir, pinOf(profile))
  return { profile, dir, key: () => openPersonKey(profile.key, dir) }
}

/** Written when it is new or the address has changed, and not with every command. */
async function keepPin(dir: StateDir, pin: Pin): Promise<void> {
  const known = await readPin(dir)
  if (known?.org !== pin.org || known.control !== pin.control) await writePin(dir, pin)
}

const pinOf = ({ org, control }: Profile): Pin => ({ org, control: control.replace(/\/+$/, '') })

/** @throws {CliError} SIGN_IN */
export async function openSignedIn(settings: Settings): Promise<SignedIn> {
  const person = await openPerson(settings)
  const session = await readSession(person.dir)
  if (!session) throw signInError()
  return { ...person, session, client: createControlClient(person.profile.control, session, surroundings) }
}

/**
 * The name of a person's directory: the atSign; where that is another organisation's on this machine, with a number behind it.
 * @param org undefined: of an organisation that does not exist yet.
 */
export async function stateNameFor(atsign: string, org: string | undefined, environment: Environment): Promise<string> {
  for (let i = 1; ; i += 1) {
    const name = i === 1 ? atsign : `${atsign}.${i}`
    const pinned = await readPin(await openPersonDir(name, environment))
    if (!pinned || pinned.org === org) return name
  }
}
