'use client'
import { useFormatter, useTranslations } from 'next-intl'
import { parseFilter, withTerm } from '../../../_ui/filter.ts'
import type { FleetPage } from './shapes.ts'

const KEYS = ['name', 'kind', 'state', 'tag', 'label', 'owner', 'server', 'version', 'policy', 'seen', 'gateway'] as const
const ATTENTION = 'state:degraded,offline,expired,pending'
const STATES = [
  ['degraded', '◐'],
  ['offline', '○'],
  ['pending', '◔'],
  ['suspended', '⊘'],
  ['expired', '◇'],
  ['revoked', '✕'],
] as const

/** Ready-made filters with their counts; the counts follow the filter. Each is an address. */
export function Views({ page, q, onChange }: { page: FleetPage; q: string; onChange: (q: string) => void }) {
  const t = useTranslations('fleet')
  const format = useFormatter()
  const { counts, matching } = page
  const narrow = (key: string, value: string) => onChange(withTerm(q, KEYS, { key, values: [value], negated: false }))
  const kindOf = parseFilter(q, KEYS).terms.find(({ key, negated }) => key === 'kind' && !negated)?.values[0]
  return (
    <div className="flex items-center gap-4 max-sm:-mx-4 max-sm:overflow-x-auto max-sm:px-4 sm:flex-wrap sm:gap-y-2">
      <fieldset className="flex gap-1 sm:flex-wrap">
        <legend className="sr-only">{t('views.counts')}</legend>
        <View isOn={q === ''} onPress={() => onChange('')}>
          {t('views.matching', { count: matching })}
        </View>
        <View isOn={kindOf === 'gateway'} onPress={() => narrow('kind', 'gateway')}>
          {t('views.gateways', { count: counts.kinds.gateway ?? 0 })}
        </View>
        <View isOn={kindOf === 'agent'} onPress={() => narrow('kind', 'agent')}>
          {t('views.agents', { count: counts.kinds.agent ?? 0 })}
        </View>
        {STATES.filter(([state]) => (counts.states[state] ?? 0) > 0).map(([state, sign]) => (
          <View key={state} isOn={q === `state:${state}`} onPress={() => narrow('state', state)}>
            <span aria-hidden="true">{sign}</span> {format.number(counts.states[state] ?? 0)} {t(`views.states.${state}`)}
          </View>
        ))}
        {counts.outdated > 0 && (
          <View isOn={q === 'version:outdated'} onPress={() => narrow('version', 'outdated')}>
            <span aria-hidden="true">↑</span> {t('views.update', { count: counts.outdated })}
          </View>
        )}
      </fieldset>
      <fieldset className="flex gap-1">
        <legend className="sr-only">{t('views.legend')}</legend>
        <View isOn={q === ATTENTION} onPress={() => onChange(ATTENTION)}>
          {t('views.attention')}
        </View>
      </fieldset>
    </div>
  )
}

function View({ isOn, onPress, children }: { isOn: boolean; onPress: () => void; children: React.ReactNode }) {
  return (
    <button
      type="button"
      aria-pressed={isOn}
      onClick={onPress}
      className={`inline-flex min-h-11 items-center gap-1 rounded-full border px-3 text-xs whitespace-nowrap sm:min-h-7 ${
        isOn ? 'border-accent bg-accent-soft font-medium' : 'border-line hover:bg-sunken'
      }`}
    >
      {children}
    </button>
  )
}
