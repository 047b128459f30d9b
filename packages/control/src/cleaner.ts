import { EVENT_RETENTION_SECONDS } from './bus.ts'
import type { Database } from './db/open.ts'
import { dateOf } from './time.ts'

const EVERY_MS = 60_000
const DAY = 86_400
/** How long metadata about grants is kept. */
const GRANT_DAYS = 30

/** What is bounded by time, and how long it stays after that. Authority, receipts and acks are never deleted. */
export async function deleteExpired({ prisma }: Database, now: number): Promise<void> {
  const before = (seconds: number) => ({ lt: dateOf(now - seconds) })
  await prisma.usedNonce.deleteMany({ where: { expiresAt: before(0) } })
  await prisma.grantRelay.deleteMany({ where: { expiresAt: before(0) } })
  await prisma.event.deleteMany({ where: { at: before(EVENT_RETENTION_SECONDS) } })
  await prisma.enrolmentCode.deleteMany({ where: { expiresAt: before(DAY) } })
  await prisma.enrolment.deleteMany({ where: { expiresAt: before(DAY) } })
  await prisma.session.deleteMany({ where: { expiresAt: before(DAY) } })
  await prisma.browserSession.deleteMany({ where: { expiresAt: before(DAY) } })
  await prisma.loginNonce.deleteMany({ where: { expiresAt: before(0) } })
  await prisma.signingRequest.deleteMany({ where: { expiresAt: before(7 * DAY) } })
  await prisma.labelChange.deleteMany({ where: { createdAt: before(DAY) } })
  await prisma.reportedGrant.deleteMany({ where: { expiresAt: before(DAY) } })
  await prisma.approval.updateMany({ where: { deadline: before(60), content: { not: null } }, data: { content: null } })
  await prisma.approval.deleteMany({ where: { deadline: before(7 * DAY) } })
  await prisma.grantRequest.deleteMany({ where: { askedAt: before(GRANT_DAYS * DAY) } })
}

export function startCleaner(db: Database, now: () => number, onError: (error: unknown) => void): Disposable {
  const timer = setInterval(() => void deleteExpired(db, now()).catch(onError), EVERY_MS)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
