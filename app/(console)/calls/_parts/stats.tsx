'use client'
import { useTranslations } from 'next-intl'
import { Sparkline } from '../../../_ui/sparkline.tsx'
import type { CallStats } from './shapes.ts'

const SERIES = [
  ['allow', 'text-ok'],
  ['deny', 'text-danger'],
  ['ask', 'text-warn'],
] as const

/** Decisions over the range, and how long calls took. */
export function Stats({ stats }: { stats: CallStats }) {
  const t = useTranslations('calls')
  return (
    <dl className="flex flex-wrap items-center gap-x-5 gap-y-1 text-xs">
      {SERIES.map(([name, tone]) => (
        <div key={name} className="flex items-center gap-2">
          <dd>
            <Sparkline
              values={stats[name]}
              tone={tone}
              label={t('stats.series', { what: t(`stats.${name}`), series: stats[name].join(' ') })}
            />
          </dd>
          <dt>
            {stats[name].reduce((sum, n) => sum + n, 0)} {t(`stats.${name}`)}
          </dt>
        </div>
      ))}
      <div className="flex gap-3">
        {stats.p50 === null ? <dd className="text-muted">{t('stats.noTimes')}</dd> : <dd>{t('stats.p50', { ms: stats.p50 })}</dd>}
        {stats.p99 !== null && <dd>{t('stats.p99', { ms: stats.p99 })}</dd>}
      </div>
      {stats.sampled && <dd className="font-medium text-warn">{t('stats.sampled', { count: stats.total })}</dd>}
    </dl>
  )
}
