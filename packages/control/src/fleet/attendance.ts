import type { Control } from '../context.ts'
import { dateOf } from '../time.ts'

/** An edge that neither holds a stream nor reported within this time is shown as offline. */
const PRESENCE_SECONDS = 60

/** Whether an edge is here: it holds an event stream of this process, or was seen lately and has not left since. */
export function isPresent(seen: { readonly seenAt: Date; readonly leftAt: Date | null } | undefined, isAttached: boolean, now: number) {
  if (isAttached) return true
  return seen !== undefined && seen.seenAt > dateOf(now - PRESENCE_SECONDS) && !(seen.leftAt && seen.leftAt >= seen.seenAt)
}

/** Writes down who comes and goes by its event stream, and keeps `seen_at` of those who stay. Never stands in a request's way. */
export function keepAttendance(control: Pick<Control, 'db' | 'bus' | 'streams' | 'ledger' | 'now' | 'log'>): Disposable {
  const { db, bus, streams, ledger, now, log } = control
  const report = (error: unknown) => log.warn({ err: error }, 'presence was not written')
  streams.onAttach(({ org, atsign, role }, isAttached) => {
    if (role !== 'gateway' && role !== 'agent') return
    const at = dateOf(now())
    const data = isAttached ? { seenAt: at, leftAt: null } : { leftAt: at }
    db.prisma
      .$transaction(async (tx) => {
        await tx.presence.updateMany({ where: { org, atsign }, data })
        await bus.publish(tx, { org, kind: 'presence', data: { atsign, online: isAttached } }, now())
      })
      .catch(report)
  })
  const timer = setInterval(() => {
    const names = ledger.org ? streams.attached(ledger.org) : []
    if (names.length === 0) return
    db.prisma.presence
      .updateMany({ where: { org: ledger.org!, atsign: { in: [...names] } }, data: { seenAt: dateOf(now()) } })
      .catch(report)
  }, 30_000)
  timer.unref()
  return { [Symbol.dispose]: () => clearInterval(timer) }
}
