'use client'
import { useTranslations } from 'next-intl'
import { DecisionChip, NameChip, RiskChip } from '../../../../_ui/chip.tsx'
import { Section } from '../../../../_ui/page.tsx'
import { Untrusted } from '../../../../_ui/untrusted.tsx'
import { PlainTable } from './plain-table.tsx'
import type { EntityData } from './shapes.ts'

/** Tools that the policy could let an agent call. */
export function Reach({ reach }: { reach: NonNullable<EntityData['reach']> }) {
  const t = useTranslations('entity')
  const columns = ['tool', 'gateway', 'risk', 'effect', 'rule'] as const
  return (
    <Section title={`${t('reach')} (${reach.length})`}>
      <p className="text-xs text-muted">{t('reachNote')}</p>
      {reach.length === 0 ? (
        <p>{t('reachEmpty')}</p>
      ) : (
        <PlainTable
          label={t('reach')}
          heads={columns.map((column) => t(`columns.${column}`))}
          rows={reach.map(({ server, tool, gateway, risk, effect, rule }) => ({
            key: `${server} ${tool}`,
            cells: [
              <span key="t" className="font-mono text-xs">
                <Untrusted text={`${server}.${tool}`} max={120} />
              </span>,
              <NameChip key="g" name={gateway} href={`/fleet/${gateway}`} />,
              <RiskChip key="r" risk={risk} />,
              effect === 'allow' ? (
                <DecisionChip key="e" decision="allow" />
              ) : (
                <span key="e" className="text-warn">
                  ? {t('effects.ask')}
                </span>
              ),
              rule === undefined ? '–' : <Untrusted key="u" text={rule} max={64} />,
            ],
          }))}
        />
      )}
    </Section>
  )
}
