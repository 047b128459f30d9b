import type { Enrolment, JoinString, PublicKey } from '@postern/core'
import { comparisonWords, encodeBase64url, encodeEnrolmentRequest, keyIdOf, parseEnrolmentRequest } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { hasState, places } from '@postern/daemon'
import type { Environment } from '../config.ts'
import { CliError, notFound } from '../errors.ts'
import type { PersonKey } from '../keys/person-key.ts'
import { freeProfileName, readConfigFile } from '../profile/config-file.ts'
import { openPersonDir, stateNameFor } from '../profile/person.ts'
import { now, surroundings } from '../surroundings.ts'

/** As long as a machine's request lives. */
const REQUEST_SECONDS = 3600

/**
 * A person's request, proven by the key that they will sign with: wherever that key is. Nothing is sent.
 * @param seal To which held calls are sealed for this person.
 */
export async function createPersonEnrolment(
  join: JoinString,
  atsign: Enrolment['atsign'],
  key: PersonKey,
  seal: PublicKey,
): Promise<Enrolment> {
  const request = encodeEnrolmentRequest({
    ...{ org: join.org, kind: 'person', atsign, keys: [key.public, seal] },
    nonce: encodeBase64url(surroundings.random(16)),
    exp: now() + REQUEST_SECONDS,
  })
  const proofs = [await key.sign('postern-enrolment-v1', request)]
  return { join, atsign, request, proofs, words: comparisonWords(join.org, request) }
}

/** @throws {CliError} KEY_UNUSABLE when the request that waits is for another key */
export function requireSameKey({ request }: Pick<Enrolment, 'request'>, key: PersonKey): void {
  const asked = parseEnrolmentRequest(request).keys.map(keyIdOf)
  if (asked.includes(keyIdOf(key.public))) return
  throw new CliError('KEY_UNUSABLE', 'the request that waits is for another key', { fix: 'add --key as it was given then', exit: 'usage' })
}

/** A directory of the person's own, for an organisation that may be one of several on this machine. */
export async function openNewPerson(atsign: string, org: string, environment: Environment): Promise<{ state: string; dir: StateDir }> {
  const state = await stateNameFor(atsign, org, environment)
  return { state, dir: await openPersonDir(state, environment) }
}

/** The last directory of that name from which a request was posted. @throws {CliError} NOT_FOUND */
export async function findAsking(atsign: string, environment: Environment): Promise<{ state: string; dir: StateDir }> {
  const root = places(environment).state
  let found: { state: string; dir: StateDir } | undefined
  for (let i = 1, state = atsign; await hasState('person', state, root); i += 1, state = `${atsign}.${i}`) {
    const dir = await openPersonDir(state, environment)
    if (await dir.read('enrolment.json')) found = { state, dir }
  }
  if (!found) throw notFound(`no request was posted for ${atsign} from here`, 'enrol with a join string')
  return found
}

/** The organisation's name; where that is another person's profile on this machine, with the person's name behind it. */
export async function profileNameFor(organisation: string, org: string, atsign: string, environment: Environment): Promise<string> {
  const { profiles } = await readConfigFile(environment)
  const name = await freeProfileName(organisation, org, environment)
  const isOthers = Object.hasOwn(profiles, name) && profiles[name]!.atsign !== atsign
  return isOthers ? freeProfileName(`${organisation} ${atsign}`, org, environment) : name
}
