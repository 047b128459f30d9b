import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import { dateOf } from '../time.ts'

/** How much waits for the person who asks: enrolments, statements that want signatures (administrators), held calls they may decide. */
export async function countWaiting(context: Context): Promise<{ readonly count: number }> {
  const { org, atsign, role } = actorOf(context)
  const { prisma } = context.control.db
  const live = { org, expiresAt: { gt: dateOf(context.control.now()) } }
  const isAdmin = role === 'admin'
  const mine = isAdmin ? {} : { OR: [{ owner: atsign }, { invitedBy: atsign }] }
  const [enrolments, requests, approvals] = await Promise.all([
    prisma.enrolment.count({ where: { ...live, status: 'pending', ...mine } }),
    isAdmin ? prisma.signingRequest.count({ where: { ...live, status: 'open' } }) : 0,
    prisma.approval.count({
      where: { org, status: 'waiting', deadline: { gt: dateOf(context.control.now()) }, approvers: { has: atsign } },
    }),
  ])
  return { count: enrolments + requests + approvals }
}

const MAX_FOUND = 12

/** Where the command palette can lead: names that contain the text, and ids that are it. Reads the ledger and two indexes, no more. */
export async function search(context: Context, { text }: { readonly text: string }) {
  const { org } = actorOf(context)
  const { ledger, db } = context.control
  const wanted = text.trim().toLowerCase()
  if (wanted === '') return { found: [] }
  const names = [...(ledger.state?.identities.values() ?? [])].filter(({ atsign }) => atsign.includes(wanted))
  const [enrolment, request] = await Promise.all([
    db.prisma.enrolment.findFirst({ where: { id: text, org }, select: { id: true, atsign: true } }),
    db.prisma.signingRequest.findFirst({ where: { id: text, org }, select: { id: true, op: true } }),
  ])
  return {
    found: [
      ...names.slice(0, MAX_FOUND).map(({ atsign, kind }) => ({ kind, label: atsign as string, href: pageOf(kind, atsign) })),
      ...(enrolment ? [{ kind: 'enrolment', label: enrolment.atsign, href: `/e/${enrolment.id}` }] : []),
      ...(request ? [{ kind: 'request', label: request.op, href: `/requests/${request.id}` }] : []),
    ],
  }
}

const pageOf = (kind: string, atsign: string): string => `/${kind === 'person' ? 'people' : 'fleet'}/${encodeURIComponent(atsign)}`
