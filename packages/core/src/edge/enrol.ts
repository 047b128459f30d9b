import { encodeBase64url } from '../bytes/base64url.ts'
import type { AtSign } from '../key/atsign.ts'
import { comparisonWords } from '../key/comparison.ts'
import { signDetached } from '../key/detached.ts'
import type { PublicKey } from '../key/public-key.ts'
import type { Signature } from '../key/signature.ts'
import type { EnrolmentRequest } from '../statement/enrolment-request.ts'
import { encodeEnrolmentRequest, provenKeys } from '../statement/enrolment-request.ts'
import { createControlClient } from './control-client.ts'
import { EdgeError } from './errors.ts'
import type { JoinString } from './pin.ts'
import type { EdgeSurroundings } from './surroundings.ts'
import { nowSeconds } from './surroundings.ts'

/** A request lives this long; making it again makes a new nonce and new words. */
export const REQUEST_SECONDS = 3600

/** What a machine says about itself, unsigned and for people to recognise it by. */
export type MachineFacts = { readonly host: string; readonly os: string; readonly version: string }

/** A request that is made but not posted. Its words are shown here and compared with those that the administrator sees. */
export interface Enrolment {
  readonly join: JoinString
  readonly atsign: AtSign
  readonly request: Uint8Array
  readonly proofs: readonly Signature[]
  readonly words: readonly string[]
}

/** A key to be enrolled; the ones that can sign prove themselves with it. */
export interface CandidateKey {
  readonly public: PublicKey
  readonly secret: { expose(): Uint8Array }
}

/**
 * Makes and proves an enrolment request for keys that are on this machine. Nothing is sent.
 * @throws {VerifyError} what `encodeEnrolmentRequest` finds
 * @see packages/core/spec/enrolment.md
 */
export function createEnrolment(
  join: JoinString,
  who: { readonly kind: EnrolmentRequest['kind']; readonly atsign: AtSign; readonly owner?: AtSign },
  keys: readonly CandidateKey[],
  { clock, random, suite }: Pick<EdgeSurroundings, 'clock' | 'random' | 'suite'>,
): Enrolment {
  const request = encodeEnrolmentRequest({
    ...who,
    org: join.org,
    keys: keys.map((key) => key.public),
    nonce: encodeBase64url(random(16)),
    exp: nowSeconds(clock) + REQUEST_SECONDS,
  })
  const proven = new Set(provenKeys(keys.map((key) => key.public)))
  const proofs = keys
    .filter((key) => proven.has(key.public))
    .map((key) => signDetached(key.secret.expose(), 'postern-enrolment-v1', request, suite))
  return { join, atsign: who.atsign, request, proofs, words: comparisonWords(join.org, request) }
}

/** Queues the request; the code only lets it in. @returns the id under which its fate can be read */
export async function postEnrolment(enrolment: Enrolment, facts: MachineFacts, surroundings: EdgeSurroundings): Promise<string> {
  const { join, request, proofs } = enrolment
  const client = createControlClient(join.control, undefined, surroundings)
  const json = { code: join.code, request: encodeBase64url(request), proofs, facts }
  return (await client.call<{ id: string }>('/api/v1/enrolments', { json })).id
}

interface EnrolmentStatus {
  readonly status: 'pending' | 'enrolled' | 'refused' | 'expired'
  readonly seq?: number
  readonly reason?: string
}

/**
 * Waits until the request was decided. What the control plane says here is a hint to look into the log: an edge serves when its own
 * verified copy contains its enrolment.
 * @throws {EdgeError} ENROLMENT_REFUSED with the reason given, ENROLMENT_EXPIRED
 */
export async function awaitEnrolment(
  control: string,
  id: string,
  surroundings: EdgeSurroundings,
  signal?: { readonly aborted: boolean },
): Promise<void> {
  const client = createControlClient(control, undefined, surroundings)
  for (;;) {
    const options = { timeoutMs: 40_000, ...(signal ? { signal } : {}) }
    const { status, reason } = await client.call<EnrolmentStatus>(`/api/v1/enrolments/${encodeURIComponent(id)}?wait=25`, options)
    if (status === 'enrolled') return
    if (status === 'refused') throw new EdgeError('ENROLMENT_REFUSED', `it was refused: ${reason ?? 'no reason given'}`)
    if (status === 'expired') throw new EdgeError('ENROLMENT_EXPIRED', 'the request was not decided in time; enrol again')
  }
}
