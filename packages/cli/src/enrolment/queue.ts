import type { ControlClient, EnrolmentRequest, Needed, Signature, Signed, State } from '@postern/core'
import { comparisonWords, decodeBase64url, decodeSigned, linkHash, parseStatement, verifyEnrolmentRequest } from '@postern/core'
import { CliError, notFound } from '../errors.ts'
import { surroundings } from '../surroundings.ts'

/** An enrolment request in the queue. The request is verified; the rest is the control plane's or the machine's own word. */
export interface WaitingEnrolment {
  readonly id: string
  readonly request: EnrolmentRequest
  readonly bytes: Uint8Array
  readonly proofs: readonly Signature[]
  /** Six words, computed here from these bytes and our own pin. */
  readonly words: readonly string[]
  /** Reported, not signed. */
  readonly facts: Readonly<Record<string, string>>
  readonly tags: readonly string[]
  readonly invitedBy: string
  readonly created: number
  readonly exp: number
}

/** A statement that wants more signatures. Named by its hash, which is computed here. */
export interface WaitingStatement {
  readonly id: string
  readonly hash: string
  readonly signed: Signed
  readonly op: string
  readonly seq: number
  readonly createdBy: string
  readonly created: number
  readonly exp: number
  readonly status: string
}

interface EnrolmentJson {
  readonly id: string
  readonly tags: readonly string[]
  readonly request: string
  readonly proofs: readonly Signature[]
  readonly facts: Record<string, string>
  readonly invited_by: string
  readonly created: number
  readonly exp: number
}
interface RequestJson {
  readonly id: string
  readonly kind: 'statement' | 'revocation' | 'invite'
  readonly status: string
  /** Absent: an invite whose key the signing page has not made yet. */
  readonly bytes?: string
  readonly signatures: readonly Signature[]
  readonly created_by: string
  readonly created: number
  readonly exp: number
}

/** Requests whose proofs do not hold are left out: nobody could approve them. */
export async function listEnrolments(client: ControlClient, state: State): Promise<readonly WaitingEnrolment[]> {
  const { enrolments } = await client.call<{ enrolments: readonly EnrolmentJson[] }>('/api/v1/enrolments')
  return enrolments.flatMap((found) => {
    try {
      return [readEnrolment(found, state)]
    } catch {
      return []
    }
  })
}

function readEnrolment({ id, tags, request, proofs, facts, invited_by, created, exp }: EnrolmentJson, state: State): WaitingEnrolment {
  const bytes = decodeBase64url(request)
  const asked = verifyEnrolmentRequest(bytes, proofs, state.site, surroundings.suite)
  return { id, request: asked, bytes, proofs, words: comparisonWords(state.org, bytes), facts, tags, invitedBy: invited_by, created, exp }
}

/** Statements, open ones only unless `all`. Drafts of revocations are signed in the signing page, or made anew here: `postern … revoke`. */
export async function listStatements(client: ControlClient, all = false): Promise<readonly WaitingStatement[]> {
  const { requests } = await client.call<{ requests: readonly RequestJson[] }>('/api/v1/requests')
  return requests.flatMap((found) => (found.kind !== 'revocation' && (all || found.status === 'open') ? readStatement(found) : []))
}

function readStatement({ id, bytes, signatures, created_by, created, exp, status }: RequestJson): readonly WaitingStatement[] {
  if (bytes === undefined) return []
  const signed = decodeSigned({ bytes, signatures })
  const { op, seq } = parseStatement(signed.bytes)
  return [{ id, hash: linkHash(signed.bytes), signed, op, seq, createdBy: created_by, created, exp, status }]
}

/** What was typed: an id, its beginning, or a name, as long as it is one thing. @throws {CliError} NOT_FOUND, USAGE */
export function pick<T>(items: readonly T[], typed: string, namesOf: (item: T) => readonly string[], what: string): T {
  const exact = items.filter((item) => namesOf(item).includes(typed))
  const found = exact.length > 0 ? exact : items.filter((item) => typed.length >= 4 && namesOf(item).some((name) => name.startsWith(typed)))
  const [first] = found
  if (!first) throw notFound(`there is no ${what} ${typed}`, 'postern pending')
  if (found.length > 1)
    throw new CliError('USAGE', `${typed} could be ${found.length} things`, {
      fix: 'type more of the id: postern pending -q',
      exit: 'usage',
    })
  return first
}

/** `1 of 2 administrators, the recovery key` that is still missing, for people. */
export function missingText({ parts }: Needed): string {
  const open = parts.filter(({ met }) => !met)
  if (open.length === 0) return 'complete'
  const texts = open.map((part) => (part.by === 'admins' ? `${part.signed.length} of ${part.m} signatures` : `the ${part.why} key`))
  return [...new Set(texts)].join(', ') // root statements count twice: by the administrators before, and by those after
}
