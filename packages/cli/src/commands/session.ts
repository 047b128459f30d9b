import type { ControlClient } from '@postern/core'
import { createControlClient, describe, encodeBase64url, encodeLogin, encodeSigned, MAX_LOGIN_SECONDS, parseAtSign } from '@postern/core'
import type { Command } from 'commander'
import { readAuthority } from '../authority/authority.ts'
import { sayAll } from '../authority/statement.ts'
import type { Context } from '../context.ts'
import { when } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import type { Person } from '../profile/person.ts'
import { openPerson, openSignedIn } from '../profile/person.ts'
import { createSessionKey, forgetSession, saveSession } from '../profile/session.ts'
import { act } from '../run.ts'
import { now, surroundings } from '../surroundings.ts'

export function register(program: Command): void {
  program.command('login').description('Sign a login that names a session key of this machine.').action(act(login))
  program.command('logout').description('End this session, here and at the control plane.').action(act(logout))
  program.command('whoami').description('Who is signed in, and until when.').action(act(whoami))
}

/** A login allows requests and nothing else, so signing it is not asked about: whoever types the command wants it. */
async function login(context: Context): Promise<Report> {
  const person = await openPerson(context.settings)
  const { profile, dir } = person
  const session = createSessionKey(surroundings.random)
  const bytes = encodeLogin({ ...loginOf(person), session_key: session.public })
  const known = await readAuthority(dir, profile.org)
  sayAll(context, describe('login', bytes, known?.state))
  const key = await person.key()
  const signed = { bytes, signatures: [await key.sign('postern-login-v1', bytes)] }
  const client = createControlClient(profile.control, undefined, surroundings)
  const { role, expires } = await client.call<{ role: string; expires: number }>('/api/v1/sessions', {
    json: { login: encodeSigned(signed) },
  })
  await saveSession(dir, session.seed, expires)
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
