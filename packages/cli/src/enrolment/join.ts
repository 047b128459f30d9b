import { arch, hostname, platform, release } from 'node:os'
import type { Enrolment, JoinString, KeyId, MachineFacts, Signed, State } from '@postern/core'
import { applyStatement, createControlClient, decodeSigned, keyIdOf, parseEnrolmentRequest, parseJoinString, replay } from '@postern/core'
import { CliError } from '../errors.ts'
import { surroundings } from '../surroundings.ts'

interface LogPage {
  readonly org: string
  readonly entries: readonly { readonly seq: number; readonly bytes: string; readonly signatures: Signed['signatures'] }[]
  readonly next: number | null
}

/** The log as somebody may read it who is not enrolled yet. */
export interface PublicLog {
  readonly entries: readonly Signed[]
  readonly state: State
}

/**
 * Reads the whole log by a live code, by the id of a pending enrolment, or by an invite, and verifies it from the pin of the join string.
 * @throws {CliError} WRONG_ORGANISATION (exit code 8); {VerifyError} when it does not verify
 */
export async function readPublicLog({ control, org, code }: JoinString, shown?: string | { readonly invite: KeyId }): Promise<PublicLog> {
  const client = createControlClient(control, undefined, surroundings, shown ? {} : { 'postern-code': code })
  const by = !shown ? '' : typeof shown === 'string' ? `&enrolment=${encodeURIComponent(shown)}` : `&invite=${shown.invite}`
  const entries: Signed[] = []
  let state: State | undefined
  for (let from: number | null = 0; from !== null; ) {
    const page: LogPage = await client.call<LogPage>(`/api/v1/log?from=${from}&limit=256${by}`)
    if (page.org !== org) throw wrongOrganisation(control, org, page.org)
    const more = page.entries.map(({ bytes, signatures }) => decodeSigned({ bytes, signatures }))
    state = extend(state, org, more) // page by page: what does not verify ends it, so that no log is without an end
    entries.push(...more)
    from = more.length > 0 ? page.next : null
  }
  return { entries, state: state ?? replay(org, entries, surroundings.suite) }
}

function extend(state: State | undefined, org: string, entries: readonly Signed[]): State | undefined {
  if (!state) return entries.length > 0 ? replay(org, entries, surroundings.suite) : undefined
  return entries.reduce((before, signed) => applyStatement(before, signed, surroundings.suite), state)
}

const wrongOrganisation = (control: string, expected: string, found: string) =>
  new CliError('WRONG_ORGANISATION', 'this is not the organisation of the join string', {
    why: `expected ${expected}, ${new URL(control).host} serves ${found}: wrong address, another organisation, or an attack`,
    fix: "compare the join string with the one of 'postern org show'; never continue without it",
    exit: 'verification',
  })

/** @throws {EdgeError} JOIN_STRING_INVALID */
export const readJoinString = (text: string): JoinString => parseJoinString(text)

/** What this machine says about itself, for people to recognise it by. */
export const machineFacts = (version: string): MachineFacts => ({ host: hostname(), os: `${platform()} ${release()} ${arch()}`, version })

/**
 * Who signed the enrolment of exactly these keys, by the log and not by anybody's word.
 * @throws {CliError} VERIFICATION_FAILED when the log does not contain it
 */
export function approversOf({ entries, state }: PublicLog, { atsign, request }: Pick<Enrolment, 'atsign' | 'request'>): readonly string[] {
  const identity = state.identities.get(atsign)
  const asked = parseEnrolmentRequest(request).keys.map(keyIdOf)
  const enrolled = new Set<KeyId>(identity?.keys.map(keyIdOf) ?? [])
  if (!identity || !asked.every((kid) => enrolled.has(kid))) {
    throw new CliError('VERIFICATION_FAILED', `the log does not contain the enrolment of ${atsign} with the keys of this machine`, {
      why: 'the control plane says that it is approved',
      exit: 'verification',
    })
  }
  const entry = entries[identity.enrolledSeq]
  const names = entry?.signatures.map(({ kid }) => state.keys.get(kid)?.atsign ?? state.invites.get(kid)?.kid)
  return [...new Set(names?.flatMap((name) => name ?? []))]
}
