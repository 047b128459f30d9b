import type { useTranslations } from 'next-intl'
import { NameChip, ShortId } from '../../../_ui/chip.tsx'
import type { Column } from '../../../_ui/table.tsx'
import { Time } from '../../../_ui/time.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'
import { markedText } from '../../../_ui/untrusted-text.ts'
import type { Grant } from './shapes.ts'
import { TimeLeft } from './time-left.tsx'

type T = ReturnType<typeof useTranslations<'grants'>>

export function grantColumns(t: T, isPast: boolean): readonly Column<Grant>[] {
  const common: readonly Column<Grant>[] = [
    { ...{ id: 'grant', title: t('columns.grant'), width: '8.5rem' }, cell: ({ hash }) => <ShortId id={hash} chars={8} /> },
    {
      ...{ id: 'agent', title: t('columns.agent'), width: 'minmax(8rem,1fr)' },
      cell: ({ agent }) => <NameChip name={agent} href={`/fleet/${agent}`} />,
    },
    {
      ...{ id: 'tools', title: t('columns.tools'), width: 'minmax(11rem,1.6fr)' },
      cell: ({ tools }) => (
        <span
          className="truncate font-mono text-xs"
          title={tools.map(({ server, tool }) => markedText(`${server}.${tool}`, 120)).join('\n')}
        >
          <Untrusted text={`${tools[0]?.server}.${tools[0]?.tool}`} max={80} />
          {tools.length > 1 && <span className="text-muted"> {t('more', { count: tools.length - 1 })}</span>}
        </span>
      ),
    },
    {
      ...{ id: 'rule', title: t('columns.rule'), width: 'minmax(6rem,0.8fr)' },
      cell: ({ tools }) => {
        const rules = [...new Set(tools.flatMap(({ rule }) => rule ?? []))]
        return <span className="truncate">{rules.length === 0 ? t('noRule') : <Untrusted text={rules.join(', ')} max={80} />}</span>
      },
    },
    {
      ...{ id: 'used', title: t('columns.used'), width: '5rem', align: 'end' },
      cell: ({ used, max }) => (max === undefined ? t('usedFree', { used }) : t('usedOf', { used, max })),
    },
    {
      ...{ id: 'gateway', title: t('columns.gateway'), width: 'minmax(7rem,0.8fr)' },
      cell: ({ gateway }) => <NameChip name={gateway} href={`/fleet/${gateway}`} />,
    },
  ]
  const state: Column<Grant> = {
    ...{ id: 'state', title: t('columns.state'), width: '8rem' },
    cell: (grant) => <StateText state={grant.state} t={t} />,
  }
  if (isPast) {
    return [
      ...common,
      state,
      { ...{ id: 'ended', title: t('columns.ended'), width: '8rem' }, cell: ({ expires }) => <Time at={expires} /> },
    ]
  }
  return [...common, state, { ...{ id: 'left', title: t('columns.left'), width: '10rem' }, cell: (grant) => <TimeLeft grant={grant} /> }]
}

const SIGNS = { active: ['●', 'text-ok'], revoked: ['✕', 'text-danger'], expired: ['◇', 'text-muted'], ended: ['◇', 'text-muted'] } as const

function StateText({ state, t }: { state: Grant['state']; t: T }) {
  const [sign, look] = SIGNS[state]
  return (
    <span className={`inline-flex items-center gap-1 ${look}`} title={state === 'ended' ? t('endedMeans') : undefined}>
      <span aria-hidden="true">{sign}</span>
      {t(`states.${state}`)}
    </span>
  )
}
