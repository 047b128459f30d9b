'use client'
import { useTranslations } from 'next-intl'
import { useNow } from '../../../_ui/clock.tsx'
import { Countdown } from '../../../_ui/time.tsx'
import type { Grant } from './shapes.ts'

const WIDTH = 56
const HEIGHT = 6

/** What is left of a grant's time, as a bar of its whole life and in figures. */
export function TimeLeft({ grant: { hash, issued, expires } }: { grant: Grant }) {
  const t = useTranslations('grants')
  const share = Math.max(0, Math.min(1, (expires - useNow()) / Math.max(1, expires - issued)))
  return (
    <span className="flex items-center gap-2">
      <svg aria-hidden="true" width={WIDTH} height={HEIGHT} className="shrink-0">
        <rect width={WIDTH} height={HEIGHT} rx={3} fill="currentColor" className="text-line" />
        <rect
          width={Math.round(WIDTH * share)}
          height={HEIGHT}
          rx={3}
          fill="currentColor"
          className={share < 0.25 ? 'text-warn' : 'text-accent'}
        />
      </svg>
      <Countdown until={expires} over={t('over')} label={t('leftLabel', { grant: hash.slice(0, 8) })} />
    </span>
  )
}
