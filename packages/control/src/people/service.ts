import type { PublicKey } from '@postern/core'
import { encodeBase64url, keyIdOf, parseLogin, VerifyError, verifyLogin } from '@postern/core'
import type { z } from 'zod'
import { isDuplicate } from '../authority/store.ts'
import type { Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import { ControlError } from '../errors.ts'
import { readSigned } from '../fields.ts'
import { dateOf, secondsOf } from '../time.ts'
import type { loginInput } from './schema.ts'

/** How long a session key signs requests. Every act of authority is signed again, whatever the session. */
export const SESSION_SECONDS = 12 * 3600
const MAX_SESSIONS = 20

/**
 * Opens a session for the key that a signed `login` names. The login must be meant for one of our origins, fresh, by a live signing key
 * of an enrolled person, and never seen before: it and its session key serve once.
 * @throws {ControlError} REPLAYED
 * @throws {VerifyError} what `verifyLogin` finds; MALFORMED without a session key
 */
export async function login({ control }: Context, input: z.output<typeof loginInput>) {
  const { ledger, config, suite } = control
  const { state, revocations } = ledger
  const signed = readSigned(input.login)
  const { console, atsign, session_key } = parseLogin(signed.bytes)
  const [signature] = signed.signatures
  if (!state) throw new ControlError('NOT_FOUND', 'there is no organisation here yet')
  if (!signature || signed.signatures.length > 1) throw new VerifyError('MALFORMED', 'signatures: one signs in')
  if (!session_key) throw new VerifyError('MALFORMED', 'session_key: a login without a browser names one')
  const own = config.publicUrl.find((origin) => origin === console) ?? config.publicUrl[0]!
  const now = control.now()
  verifyLogin(signed, state, { console: own, revocations, now, suite })
  const expiresAt = await openSession(control, { atsign, signedBy: signature.kid, key: session_key, bytes: signed.bytes, now })
  return { atsign, role: state.identities.get(atsign)!.admin ? ('admin' as const) : ('person' as const), expires: secondsOf(expiresAt) }
}

interface NewSession {
  readonly atsign: string
  readonly signedBy: string
  readonly key: PublicKey
  readonly bytes: Uint8Array
  readonly now: number
}

async function openSession({ ledger, db, suite }: Control, { atsign, signedBy, key, bytes, now }: NewSession): Promise<Date> {
  const org = ledger.org!
  const kid = keyIdOf(key)
  if (ledger.state!.keys.has(kid)) throw new VerifyError('WRONG_KEY_USE', 'session_key: an enrolled key has another use')
  const login = encodeBase64url(suite.sha256(bytes))
  const expiresAt = dateOf(now + SESSION_SECONDS)
  try {
    await db.prisma.session.create({ data: { org, atsign, signedBy, kid, publicKey: key.key, login, createdAt: dateOf(now), expiresAt } })
  } catch (error) {
    if (isDuplicate(error)) throw new ControlError('REPLAYED', 'this login, or its session key, was used before', { cause: error })
    throw error
  }
  await endOldest(db.prisma, org, atsign, now)
  return expiresAt
}

async function endOldest(prisma: Control['db']['prisma'], org: string, atsign: string, now: number) {
  const where = { org, atsign, endedAt: null, expiresAt: { gt: dateOf(now) } }
  const old = await prisma.session.findMany({ where, orderBy: { createdAt: 'desc' }, skip: MAX_SESSIONS, select: { kid: true } })
  if (old.length > 0)
    await prisma.session.updateMany({ where: { org, kid: { in: old.map((s) => s.kid) } }, data: { endedAt: dateOf(now) } })
}

export async function whoAmI(context: Context) {
  const { org, atsign, kid, role } = actorOf(context)
  return { org, atsign, kid, role: role as 'person' | 'admin', expires: context.until ?? 0 }
}

/** Of CLIs and browsers, newest first. People see their own sessions; administrators all. */
export async function listSessions(context: Context) {
  const { org, atsign, kid, role } = actorOf(context)
  const { db, now } = context.control
  const where = { org, endedAt: null, expiresAt: { gt: dateOf(now()) }, ...(role === 'admin' ? {} : { atsign }) }
  const newest = { where, orderBy: { createdAt: 'desc' }, take: 500 } as const
  const rows = [
    ...(await db.prisma.session.findMany(newest)).map((row) => ({ ...row, kind: 'cli' as const, client: undefined })),
    ...(await db.prisma.browserSession.findMany(newest)).map((row) => ({ ...row, kid: row.id, kind: 'browser' as const })),
  ]
  const sessions = rows
    .sort((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
    .map((row) => ({
      ...{ kid: row.kid, atsign: row.atsign, kind: row.kind, current: row.kid === kid },
      ...{ created: secondsOf(row.createdAt), expires: secondsOf(row.expiresAt) },
      ...(row.client ? { client: row.client } : {}),
    }))
  return { sessions }
}

/** Ends a session at once: the person's own, or, for administrators, anybody's. @throws {ControlError} NOT_FOUND */
export async function endSession(context: Context, kid: string) {
  const { org, atsign, role } = actorOf(context)
  const { control } = context
  await control.db.prisma.$transaction(async (tx) => {
    const where = { org, endedAt: null, ...(role === 'admin' ? {} : { atsign }) }
    const data = { endedAt: dateOf(control.now()) }
    const cli = await tx.session.updateMany({ where: { ...where, kid }, data })
    const browser = await tx.browserSession.updateMany({ where: { ...where, id: kid }, data })
    if (cli.count + browser.count === 0) throw new ControlError('NOT_FOUND', 'no such session')
    await control.bus.publish(tx, { org, kind: 'session', to: atsign, data: { kid } }, control.now())
  })
  return { ok: true as const }
}

/**
 * Ends every session of a person, apart from the one that asks: their own, or, for administrators, anybody's. Drafts stay.
 * @throws {ControlError} NOT_PERMITTED
 */
export async function endOtherSessions(context: Context, name: string) {
  const { org, atsign, kid, role } = actorOf(context)
  const { control } = context
  if (role !== 'admin' && name !== atsign) throw new ControlError('NOT_PERMITTED', 'only administrators end sessions of others')
  const where = { org, atsign: name, endedAt: null, expiresAt: { gt: dateOf(control.now()) } }
  return control.db.prisma.$transaction(async (tx) => {
    const cli = await tx.session.findMany({ where: { ...where, kid: { not: kid } }, select: { kid: true } })
    const browsers = await tx.browserSession.findMany({ where: { ...where, id: { not: kid } }, select: { id: true } })
    const data = { endedAt: dateOf(control.now()) }
    await tx.session.updateMany({ where: { org, kid: { in: cli.map((row) => row.kid) } }, data })
    await tx.browserSession.updateMany({ where: { org, id: { in: browsers.map((row) => row.id) } }, data })
    const ended = [...cli.map((row) => row.kid), ...browsers.map((row) => row.id)]
    for (const each of ended) await control.bus.publish(tx, { org, kind: 'session', to: name, data: { kid: each } }, control.now())
    return { ended: ended.length }
  })
}
