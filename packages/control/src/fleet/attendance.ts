import type { Control } from '../context.ts'
import { dateOf } from '../time.ts'

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
