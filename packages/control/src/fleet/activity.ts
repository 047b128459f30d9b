import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import { dateOf } from '../time.ts'

export const ACTIVITY_MINUTES = 15
const MAX_NAMES = 500

/** Calls per minute over the last quarter of an hour, oldest first, of the busiest names: agents as callers, gateways as servers. */
export async function readActivity(context: Context) {
  const { org } = actorOf(context)
  const { db, now } = context.control
  const minute = Math.floor(now() / 60)
  const from = minute - ACTIVITY_MINUTES + 1
  const side = (column: 'agent' | 'gateway') =>
    `SELECT ${column} AS name, floor(extract(epoch FROM started_at) / 60)::int AS minute, count(*)::int AS calls FROM receipts
     WHERE org = $1 AND started_at >= $2 GROUP BY 1, 2`
  const { rows } = await db.pool.query<{ name: string; minutes: number[]; calls: number[] }>(
    `SELECT name, array_agg(minute) AS minutes, array_agg(calls) AS calls FROM (${side('agent')} UNION ALL ${side('gateway')}) AS s
     GROUP BY name ORDER BY sum(calls) DESC LIMIT ${MAX_NAMES}`,
    [org, dateOf(from * 60)],
  )
  const activity: Record<string, number[]> = {}
  for (const { name, minutes, calls } of rows) {
    const series = Array.from({ length: ACTIVITY_MINUTES }, () => 0)
    for (const [i, at] of minutes.entries()) if (at - from < ACTIVITY_MINUTES) series[at - from] = calls[i]!
    activity[name] = series
  }
  return { from: from * 60, minutes: ACTIVITY_MINUTES, activity }
}
