import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import { dateOf } from '../time.ts'

export const ACTIVITY_MINUTES = 15

/** Calls per minute of some names over the last quarter of an hour, oldest first; of agents as callers, of gateways as servers. */
export async function activityOf(context: Context, names: readonly string[]) {
  const { org } = actorOf(context)
  const { db, now } = context.control
  const minute = Math.floor(now() / 60)
  const from = minute - ACTIVITY_MINUTES + 1
  const side = (column: 'agent' | 'gateway') =>
    `SELECT ${column} AS name, floor(extract(epoch FROM started_at) / 60)::int AS minute, count(*)::int AS calls FROM receipts
     WHERE org = $1 AND started_at >= $2 AND ${column} = ANY($3) GROUP BY 1, 2`
  const { rows } = await db.pool.query<{ name: string; minute: number; calls: number }>(`${side('agent')} UNION ALL ${side('gateway')}`, [
    ...[org, dateOf(from * 60), names],
  ])
  const activity: Record<string, number[]> = {}
  for (const { name, minute: at, calls } of rows) {
    const series = activity[name] ?? Array.from({ length: ACTIVITY_MINUTES }, () => 0)
    if (at - from < ACTIVITY_MINUTES) series[at - from] = calls
    activity[name] = series
  }
  return { from: from * 60, minutes: ACTIVITY_MINUTES, activity }
}
