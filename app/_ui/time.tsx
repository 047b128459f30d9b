'use client'
import { useNow } from './clock.tsx'
import { useLater } from './use-later.ts'

const STEPS = [
  ['second', 60],
  ['minute', 3_600],
  ['hour', 86_400],
  ['day', 86_400 * 45],
] as const

/** Seconds between two moments in the largest unit that fits: −125 → `2 min. ago`. */
export function relativeText(seconds: number, locale: string): string {
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'always', style: 'narrow' })
  const size = Math.abs(seconds)
  let below = 1
  for (const [unit, upTo] of STEPS) {
    if (size < upTo) return format.format(Math.trunc(seconds / below), unit)
    below = upTo === 86_400 * 45 ? below : upTo
  }
  return format.format(Math.trunc(seconds / (86_400 * 30)), 'month')
}

/** A moment: relative in the line; local, UTC and RFC 3339 on a click, with copy. */
export function Time({ at }: { at: number }) {
  const [TimePopover, fetchPopover] = useLater(loadPopover)
  const relative = relativeText(at - useNow(), 'en')
  const rfc = new Date(at * 1_000).toISOString().replace('.000Z', 'Z')
  const look = {
    className: 'rounded whitespace-nowrap underline decoration-line-strong decoration-dotted underline-offset-2',
    'aria-label': `${relative}, ${rfc}`,
    children: <time dateTime={rfc}>{relative}</time>,
  }
  if (TimePopover) return <TimePopover at={at} rfc={rfc} trigger={look} />
  return <button type="button" aria-haspopup="dialog" aria-expanded={false} onClick={fetchPopover} {...look} />
}
const loadPopover = () => import('./time-popover.tsx').then(({ TimePopover }) => TimePopover)

/** Time left as `4:38`, `1:02:09` or days; `over` when there is none. Not announced each second: `label` says what it counts. */
export function Countdown({ until, over, label }: { until: number; over: string; label: string }) {
  const left = until - useNow()
  if (left <= 0) return <span className="text-muted">{over}</span>
  return (
    <span role="timer" aria-live="off" aria-label={label} className={`font-mono ${left < 60 ? 'text-warn' : ''}`}>
      {leftText(left)}
    </span>
  )
}

export function leftText(seconds: number): string {
  if (seconds >= 2 * 86_400) return `${Math.floor(seconds / 86_400)} d`
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60]
  const [hours, minutes, rest] = parts as [number, number, number]
  const two = (n: number) => String(n).padStart(2, '0')
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
