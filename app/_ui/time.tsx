'use client'
import { Popover } from '@base-ui/react/popover'
import { useFormatter, useTranslations } from 'next-intl'
import { useNow } from './clock.tsx'
import { Copy } from './copy.tsx'

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
  const t = useTranslations('common')
  const format = useFormatter()
  const now = useNow()
  const date = new Date(at * 1_000)
  const rfc = date.toISOString().replace('.000Z', 'Z')
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const long = { dateStyle: 'medium', timeStyle: 'long' } as const
  return (
    <Popover.Root>
      <Popover.Trigger
        className="rounded whitespace-nowrap underline decoration-line-strong decoration-dotted underline-offset-2"
        aria-label={`${relativeText(at - now, 'en')}, ${rfc}`}
      >
        <time dateTime={rfc}>{relativeText(at - now, 'en')}</time>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={4}>
          <Popover.Popup className="z-50 rounded-md border border-line bg-surface p-3 text-xs shadow-lg">
            <dl className="grid grid-cols-[max-content_1fr_max-content] items-center gap-x-3 gap-y-1">
              <dt className="text-muted">{t('time.local')}</dt>
              <dd>{format.dateTime(date, { ...long, timeZone: zone })}</dd>
              <Copy text={format.dateTime(date, { ...long, timeZone: zone })} />
              <dt className="text-muted">{t('time.utc')}</dt>
              <dd>{format.dateTime(date, { ...long, timeZone: 'UTC' })}</dd>
              <Copy text={format.dateTime(date, { ...long, timeZone: 'UTC' })} />
              <dt className="text-muted">{t('time.rfc3339')}</dt>
              <dd className="font-mono">{rfc}</dd>
              <Copy text={rfc} />
            </dl>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  )
}

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
