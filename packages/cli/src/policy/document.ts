import type { AtSign, Policy, State, Subject } from '@postern/core'
import { lintPolicy, parsePolicy, policyDigest, runPolicyTests } from '@postern/core'
import { readIfThere } from '@postern/daemon'
import { readAuthority, syncAuthority } from '../authority/authority.ts'
import type { Context } from '../context.ts'
import { CliError, notFound } from '../errors.ts'
import type { SignedIn } from '../profile/person.ts'
import { openPerson, openSignedIn } from '../profile/person.ts'

/** @throws {CliError} NOT_FOUND */
export async function readPolicyFile(path: string): Promise<Uint8Array> {
  const bytes = await readIfThere(path)
  if (!bytes) throw notFound(`there is no file ${path}`)
  return bytes
}

/** @throws {CliError} CHECKS_FAILED with every mistake and its line */
export function parseChecked(bytes: Uint8Array, path: string): Policy {
  const problems = lintPolicy(bytes)
  if (problems.length === 0) return parsePolicy(bytes)
  const lines = problems.map(({ line, column, path: at, message }) => `${path}:${line ?? '?'}:${column ?? '?'} ${at} ${message}`)
  throw new CliError('CHECKS_FAILED', `${path} is not a policy: ${problems.length} ${problems.length === 1 ? 'mistake' : 'mistakes'}`, {
    why: lines.join('\n'),
    fix: `edit ${path}`,
    exit: 'checksFailed',
  })
}

/** Facts for tests and tries come from the verified log, if this machine has one. */
export async function knownState(context: Context): Promise<State | undefined> {
  try {
    const { dir, profile } = await openPerson(context.settings)
    return (await readAuthority(dir, profile.org))?.state
  } catch (error) {
    if (error instanceof CliError && error.code === 'NO_PROFILE') return undefined
    throw error
  }
}

export function subjectIn(state: State | undefined, atsign: AtSign): Subject | undefined {
  const identity = state?.identities.get(atsign)
  return identity && { atsign, tags: identity.tags, ...(identity.owner ? { owner: identity.owner } : {}) }
}

export const riskIn = (state: State | undefined, server: string, tool: string) => state?.servers.get(server)?.tools.get(tool)?.risk

export function runTests(policy: Policy, state: State | undefined, only?: string) {
  const results = runPolicyTests(
    policy,
    (atsign) => subjectIn(state, atsign),
    (server, tool) => riskIn(state, server, tool),
  )
  return only === undefined ? results : results.filter(({ name }) => name === only)
}

/** The bytes of a policy that the log names, checked against its digest. @throws {CliError} VERIFICATION_FAILED */
export async function fetchDocument({ client }: SignedIn, sha256: string): Promise<Uint8Array> {
  const bytes = await client.bytes(`/api/v1/policies/${sha256}`, 262_144)
  if (bytes && policyDigest(bytes) === sha256) return bytes
  throw new CliError('VERIFICATION_FAILED', 'the control plane serves another document than the one that was signed', {
    why: `expected SHA-256 ${sha256}${bytes ? `, found ${policyDigest(bytes)}` : ', found nothing'}`,
    exit: 'verification',
  })
}

/** The bytes in force. @throws {CliError} NOT_FOUND, VERIFICATION_FAILED */
export async function current(context: Context) {
  const person = await openSignedIn(context.settings)
  const { state } = await syncAuthority(person.dir, person.profile.org, person.client)
  if (!state.policy) throw notFound('no policy was signed yet: nothing is allowed', 'postern policy sign <file>')
  return { bytes: await fetchDocument(person, state.policy.sha256), ...state.policy }
}
