import type { ControlClient, PublicKey, Signed } from '@postern/core'
import {
  createControlClient,
  describe,
  encodeBase64url,
  encodeLogin,
  encodeSigned,
  MAX_LOGIN_SECONDS,
  organisationWords,
  parseAtSign,
  writePin,
} from '@postern/core'
import type { Command } from 'commander'
import { readAuthority, syncAuthority } from '../authority/authority.ts'
import { sayAll } from '../authority/statement.ts'
import type { Context } from '../context.ts'
import { readJoinString } from '../enrolment/join.ts'
import { CliError, usageError } from '../errors.ts'
import { atSignOf } from '../inputs.ts'
import { chooseSshKey } from '../keys/choose.ts'
import { keepPasskey, PASSKEY } from '../keys/person-key.ts'
import { when } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import { freeProfileName, saveProfile } from '../profile/config-file.ts'
import type { Person, SignedIn } from '../profile/person.ts'
import { openPerson, openPersonDir, openSignedIn, stateNameFor } from '../profile/person.ts'
import { createSessionKey, forgetSession, saveSession } from '../profile/session.ts'
import { askFor } from '../prompt.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'
import { now, surroundings } from '../surroundings.ts'
import { readOverview } from '../up/health.ts'

export function register(program: Command): void {
  program
    .command('login')
    .description('Sign a login that names a session key of this machine.')
    .argument(
      '[organisation]',
      'first time on this machine: <control plane>#<organisation>, from another administrator or from your other machine',
    )
    .option('--as <atsign>', 'first time: your atSign')
    .option('--key <key>', `first time: what you sign with: ${PASSKEY} (in the browser), agent (ssh-agent), or a .pub file`, PASSKEY)
    .option('--no-browser', 'passkeys: only print the address')
    .option('--device', 'passkeys: the browser is on another machine; paste the text that it shows')
    .option(
      '--signer <origin>',
      'passkeys: where you sign; default: what the verified log says, the first time what the control plane says',
    )
    .action(act(login))
  program.command('logout').description('End this session, here and at the control plane.').action(act(logout))
  program.command('whoami').description('Who is signed in, and until when.').action(act(whoami))
}

/** A login allows requests and nothing else, so signing it is not asked about: whoever types the command wants it. */
async function login(context: Context, [organisation]: readonly string[], options: Options): Promise<Report> {
  if (organisation !== undefined) await pinHere(context, organisation, options)
  const person = await openPerson(context.settings)
  const { profile, dir } = person
  const session = createSessionKey(surroundings.random)
  const isPasskey = profile.key === PASSKEY
  const signed = isPasskey
    ? await throughBrowser(context, person, session.public, options)
    : await signHere(context, person, session.public)
  const client = createControlClient(profile.control, undefined, surroundings)
  const { role, expires } = await client.call<{ role: string; expires: number }>('/api/v1/sessions', {
    json: { login: encodeSigned(signed) },
  })
  await saveSession(dir, session.seed, expires)
  if (isPasskey) await rememberPasskey(await openSignedIn(context.settings), signed)
  return {
    schema: 'login',
    data: { atsign: profile.atsign, role, expires },
    ids: [profile.atsign],
    facts: [
      ['signed in as', profile.atsign],
      ['role', role],
      ['until', when(expires)],
    ],
  }
}

async function signHere(context: Context, person: Person, sessionKey: PublicKey): Promise<Signed> {
  const bytes = encodeLogin({ ...loginOf(person), session_key: sessionKey })
  const known = await readAuthority(person.dir, person.profile.org)
  sayAll(context, describe('login', bytes, known?.state))
  const key = await person.key()
  return { bytes, signatures: [await key.sign('postern-login-v1', bytes)] }
}

/** The page shows what the login says; it is made there. */
async function throughBrowser(context: Context, { dir, profile }: Person, sessionKey: PublicKey, options: Options): Promise<Signed> {
  const { loginInBrowser } = await import('../browser/login.ts')
  const known = await readAuthority(dir, profile.org)
  const signer: string | undefined = options.signer ?? known?.state.site.origins[0] ?? (await readOverview(profile.control))?.signer
  if (signer === undefined) throw usageError('it is not known where your passkey signs', 'add --signer <origin of the signing page>')
  const wish = { org: profile.org, atsign: parseAtSign(profile.atsign), console: new URL(profile.control).origin, sessionKey, signer }
  return loginInBrowser(context, wish, { browser: options.browser !== false, device: options.device === true })
}

/** Which of the passkeys it was: found in the verified log, by the signature. @throws {CliError} VERIFICATION_FAILED */
async function rememberPasskey({ dir, profile, client }: SignedIn, { signatures }: Signed): Promise<void> {
  const { state } = await syncAuthority(dir, profile.org, client)
  const known = signatures.map(({ kid }) => state.keys.get(kid)).find((key) => key?.live && key.atsign === profile.atsign)
  if (known) return keepPasskey(dir, known.key)
  throw new CliError('VERIFICATION_FAILED', `the verified log knows no passkey of ${profile.atsign} that signed this`, {
    why: 'the control plane let it pass',
    exit: 'verification',
  })
}

/**
 * Somebody who is enrolled already comes to this machine: pins the organisation and remembers the key. What the link says is the pin, so it
 * comes from people, never from a page of the control plane.
 * @throws {CliError} USAGE, KEY_UNUSABLE
 */
async function pinHere(context: Context, link: string, options: Options): Promise<void> {
  const { environment, input } = context.settings
  const { control, org } = readJoinString(`${link}.none`)
  const atsign = atSignOf(options.as ?? (await askFor('Your atSign', input, '--as')))
  const state = await stateNameFor(atsign, org, environment)
  const dir = await openPersonDir(state, environment)
  const where = options.key === PASSKEY ? PASSKEY : (await chooseSshKey(options.key, dir)).where
  context.say(`Organisation ${org}, words: ${organisationWords(org).join(' ')}. Another administrator sees the same words.`)
  await context.confirm('Pin this organisation on this machine?')
  await writePin(dir, { org, control })
  const name = await freeProfileName(`${atsign} ${organisationWords(org)[0]}`, org, environment)
  await saveProfile({ name, control, org, atsign, state, key: where }, environment)
}

function loginOf({ profile }: Person) {
  const at = now()
  const nonce = encodeBase64url(surroundings.random(16))
  return {
    org: profile.org,
    atsign: parseAtSign(profile.atsign),
    console: new URL(profile.control).origin,
    nonce,
    at,
    exp: at + MAX_LOGIN_SECONDS,
  }
}

async function logout(context: Context): Promise<Report> {
  const { client, dir, profile } = await openSignedIn(context.settings)
  await endThere(client)
  await forgetSession(dir)
  return { schema: 'logout', data: { atsign: profile.atsign }, lines: [`${profile.atsign} is signed out`] }
}

/** A session that the control plane has ended already is just as gone. */
async function endThere(client: ControlClient): Promise<void> {
  try {
    await client.call('/api/v1/sessions', { method: 'DELETE' })
  } catch (error) {
    if ((error as { status?: number }).status !== 401) throw error
  }
}

interface WhoAmI {
  readonly org: string
  readonly atsign: string
  readonly role: string
  readonly kid: string
  readonly expires: number
}

async function whoami(context: Context): Promise<Report> {
  const { client, profile } = await openSignedIn(context.settings)
  const who = await client.call<WhoAmI>('/api/v1/sessions')
  return {
    schema: 'whoami',
    data: { ...who, profile: profile.name, control: profile.control },
    ids: [who.atsign],
    facts: [
      ['atsign', who.atsign],
      ['role', who.role],
      ['organisation', who.org],
      ['control plane', profile.control],
      ['profile', profile.name],
      ['session key', who.kid],
      ['until', when(who.expires)],
    ],
  }
}
