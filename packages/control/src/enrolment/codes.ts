import { encodeBase64url, parseAtSign, utf8 } from '@postern/core'
import type { z } from 'zod'
import type { Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import { ControlError } from '../errors.ts'
import { placeOf, signerLink } from '../requests/signer-url.ts'
import { dateOf, secondsOf } from '../time.ts'
import type { newCodeInput, newJoinInput } from './schema.ts'

/** 32 characters that are not mistaken for one another; O, I and L are read as 0, 1 and 1. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const DEFAULT_MINUTES = 15
const MAX_LIVE_PER_PERSON = 100

/**
 * A one-time code that lets one machine queue one enrolment request. 40 random bits, shown once, stored hashed; it enrols nobody: a person
 * compares words and signs.
 * @throws {ControlError} NOT_PERMITTED outside a delegation, TOO_MANY
 */
export async function createCode(context: Context, { kind, tags = [], minutes = DEFAULT_MINUTES }: z.output<typeof newCodeInput>) {
  const { control } = context
  const { org, atsign } = actorOf(context)
  checkMayInvite(context, kind, tags)
  const now = control.now()
  const where = { org, createdBy: atsign, usedAt: null, expiresAt: { gt: dateOf(now) } }
  if ((await control.db.prisma.enrolmentCode.count({ where })) >= MAX_LIVE_PER_PERSON)
    throw new ControlError('TOO_MANY', 'too many codes are open')
  const code = codeFrom(control.random(5))
  const id = encodeBase64url(control.random(16))
  const exp = now + minutes * 60
  const data = { id, org, hash: hashOf(control, code), kind, tags, createdBy: atsign, createdAt: dateOf(now), expiresAt: dateOf(exp) }
  await control.db.prisma.enrolmentCode.create({ data })
  return { id, code, exp }
}

/** Administrators invite anybody; a person with a delegation invites agents with its tags. */
function checkMayInvite(context: Context, kind: string, tags: readonly string[]) {
  const { role, atsign } = actorOf(context)
  if (role === 'admin') return
  const { ledger, now } = context.control
  const delegation = ledger.state?.identities.get(atsign)?.delegation
  if (!delegation || delegation.exp <= now())
    throw new ControlError('NOT_PERMITTED', 'only administrators and people with a delegation make codes')
  if (kind !== 'agent') throw new ControlError('NOT_PERMITTED', 'a delegation covers agents only')
  const foreign = tags.find((tag) => !delegation.tags.includes(tag))
  if (foreign) throw new ControlError('NOT_PERMITTED', `the delegation does not cover tag ${foreign}`)
}

/** 40 bits as `F4KD-9TWP`. */
function codeFrom(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const characters = (bits.match(/.{5}/g) ?? []).map((five) => ALPHABET[Number.parseInt(five, 2)])
  return `${characters.slice(0, 4).join('')}-${characters.slice(4).join('')}`
}

const normalise = (code: string) => code.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
const hashOf = ({ suite }: Control, code: string) => encodeBase64url(suite.sha256(utf8(`postern-code-v1\0${normalise(code)}`)))

/** @throws {ControlError} BAD_CODE; TOO_MANY while too many wrong ones come in */
export async function findLiveCode(control: Control, code: string) {
  control.limits.guesses.check()
  const row = await control.db.prisma.enrolmentCode.findUnique({ where: { hash: hashOf(control, code) } })
  if (row && !row.usedAt && row.expiresAt > dateOf(control.now())) return row
  control.limits.guesses.spend()
  throw new ControlError('BAD_CODE', 'no such code: wrong, expired, void or already used', { fix: 'ask for a new one: postern code new' })
}

/** People see their own; administrators all. Codes themselves cannot be shown again. */
export async function listCodes(context: Context) {
  const { org, atsign, role } = actorOf(context)
  const { db, now } = context.control
  const where = { org, expiresAt: { gt: dateOf(now()) }, ...(role === 'admin' ? {} : { createdBy: atsign }) }
  const rows = await db.prisma.enrolmentCode.findMany({ where, orderBy: { createdAt: 'desc' }, take: 500 })
  const used = rows.filter(({ usedAt }) => usedAt !== null).map(({ id }) => id)
  const asked = await db.prisma.enrolment.findMany({ where: { org, code: { in: used } }, select: REQUEST })
  const requests = new Map(asked.map((row) => [row.code, row]))
  const codes = rows.map(({ id, kind, tags, createdBy, expiresAt, usedAt }) => {
    const request = requests.get(id)
    return {
      ...{ id, tags, created_by: createdBy, exp: secondsOf(expiresAt), used: usedAt !== null },
      kind: kind as 'person' | 'gateway' | 'agent',
      ...(request ? { request: { id: request.id, atsign: request.atsign, status: statusAt(request, now()) } } : {}),
    }
  })
  return { codes }
}

const REQUEST = { id: true, atsign: true, status: true, expiresAt: true, code: true } as const
type RequestStatus = 'pending' | 'enrolled' | 'refused' | 'expired'
const statusAt = ({ status, expiresAt }: { status: string; expiresAt: Date }, now: number): RequestStatus =>
  status === 'pending' && expiresAt <= dateOf(now) ? 'expired' : (status as RequestStatus)

/**
 * A code, and the link at which the signing page shows the join string or invitation link: the pin in it must not come from here, or the
 * console could choose whom the other side obeys.
 * @throws {ControlError} as `createCode`
 * @throws {VerifyError} MALFORMED, BAD_ATSIGN for a name or server that no join string can have
 */
export async function createJoin(context: Context, { name, server, client, ...wanted }: z.output<typeof newJoinInput>) {
  const { control } = context
  const link = { ...placeOf(control), kind: 'join', for: wanted.kind } as const
  const about = {
    ...(name === undefined ? {} : { name: parseAtSign(name) }),
    ...(server === undefined ? {} : { server }),
    ...(client === undefined ? {} : { client }),
  }
  const made = await createCode(context, wanted)
  return { ...made, url: signerLink(control, { ...link, ...about, code: made.code }) }
}

/** @throws {ControlError} NOT_FOUND */
export async function voidCode(context: Context, id: string) {
  const { org, atsign, role } = actorOf(context)
  const { prisma } = context.control.db
  const { count } = await prisma.enrolmentCode.deleteMany({
    where: { id, org, usedAt: null, ...(role === 'admin' ? {} : { createdBy: atsign }) },
  })
  if (count === 0) throw new ControlError('NOT_FOUND', 'no such open code')
  return { ok: true as const }
}
