import type { useTranslations } from 'next-intl'
import { NameChip, StateChip, Tag } from '../../../_ui/chip.tsx'
import { Sparkline } from '../../../_ui/sparkline.tsx'
import type { Column } from '../../../_ui/table.tsx'
import { Time } from '../../../_ui/time.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'
import type { Member } from './shapes.ts'

type T = ReturnType<typeof useTranslations<'fleet'>>
interface Around {
  readonly activity: Readonly<Record<string, readonly number[]>>
  /** Number of the policy in force. */
  readonly policy: number
  readonly number: (n: number) => string
}
const NO_CALLS = Array.from({ length: 15 }, () => 0)

export function fleetColumns(t: T, { activity, policy, number }: Around): readonly Column<Member>[] {
  const nothing = <span className="text-muted">–</span>
  return [
    {
      ...{ id: 'name', title: t('columns.name'), width: 'minmax(9.5rem,1.5fr)', sortable: true },
      cell: ({ atsign, state }) => <NameChip name={atsign} href={state === 'pending' ? '/inbox' : `/fleet/${atsign}`} />,
    },
    {
      ...{ id: 'state', title: t('columns.state'), width: 'minmax(10rem,1.5fr)', sortable: true },
      cell: ({ state, reasons }) => (
        <span className="flex min-w-0 items-center gap-1.5">
          <StateChip state={state} />
          {reasons.length > 0 && (
            <span className="truncate text-xs text-muted" title={reasons.map((reason) => t(`reasons.${reason}`)).join(' · ')}>
              {reasons.map((reason) => t(`reasons.${reason}`)).join(' · ')}
            </span>
          )}
        </span>
      ),
    },
    {
      ...{ id: 'kind', title: t('columns.kind'), width: '5.5rem', sortable: true },
      cell: ({ kind }) => <span className="text-muted">{t(`kinds.${kind}`)}</span>,
    },
    {
      ...{ id: 'version', title: t('columns.version'), width: '6rem', sortable: true },
      cell: ({ version, outdated }) =>
        version === undefined ? (
          nothing
        ) : (
          <span className="flex min-w-0 items-center gap-1">
            <span className="truncate">
              <Untrusted text={version} max={24} />
            </span>
            {outdated && (
              <span role="img" aria-label={t('outdated')} title={t('outdated')} className="text-warn">
                ↑
              </span>
            )}
          </span>
        ),
    },
    {
      ...{ id: 'policy', title: t('columns.policy'), width: '4.5rem', sortable: true },
      cell: ({ kind, state, policy: own }) =>
        kind !== 'gateway' || policy === 0 || state === 'pending' ? (
          nothing
        ) : own === undefined ? (
          <span className="text-warn">{t('noPolicy')}</span>
        ) : (
          <span
            className={own < policy ? 'font-medium text-warn' : ''}
            title={own < policy ? t('stalePolicy', { own, policy }) : undefined}
          >
            {t('policyVersion', { version: own })}
            {own < policy && ' !'}
          </span>
        ),
    },
    {
      ...{ id: 'seen', title: t('columns.seen'), width: '7rem', sortable: true },
      cell: ({ seen }) => (seen === undefined ? <span className="text-muted">{t('never')}</span> : <Time at={seen} />),
    },
    {
      ...{ id: 'calls', title: t('columns.calls'), width: '8.5rem', align: 'end' },
      cell: ({ atsign }) => {
        const series = activity[atsign] ?? NO_CALLS
        const last = series.at(-1) ?? 0
        return (
          <span className="flex items-center gap-2">
            <Sparkline values={series} label={t('callsSaid', { series: series.join(' ') })} />
            <span className="min-w-6 text-end">{number(last)}</span>
          </span>
        )
      },
    },
    {
      ...{ id: 'tags', title: t('columns.tags'), width: 'minmax(9rem,1.2fr)', sortable: true },
      cell: ({ tags, labels }) => (
        <span className="flex min-w-0 items-center gap-1 overflow-hidden">
          {tags.map((tag) => (
            <Tag key={tag} title={t('tagMeaning')}>
              {tag}
            </Tag>
          ))}
          {labels.map((label) => (
            <Label key={label} title={t('labelMeaning')}>
              {label}
            </Label>
          ))}
        </span>
      ),
    },
    {
      ...{ id: 'owner', title: t('columns.owner'), width: 'minmax(6rem,0.8fr)', sortable: true },
      cell: ({ owner }) => (owner ? <NameChip name={owner} href={`/people/${owner}`} /> : nothing),
    },
  ]
}

/** A note of this console. Dashed, so that nobody takes it for a tag, which is signed and which policies see. */
export const Label = ({ children, title }: { children: string; title?: string }) => (
  <span title={title} className="rounded border border-line-strong border-dashed px-1.5 text-xs whitespace-nowrap">
    {children}
  </span>
)
