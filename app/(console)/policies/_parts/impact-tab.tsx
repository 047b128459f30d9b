'use client'
import type { MatrixCell, Outlook } from '@postern/core'
import { useTranslations } from 'next-intl'
import { useMemo } from 'react'
import { Button } from '../../../_ui/button.tsx'
import { NameChip, RiskChip } from '../../../_ui/chip.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'
import type { Analysis, ImpactGroup } from './analysis.ts'
import { impactGroups } from './analysis.ts'
import { LineLink } from './line-link.tsx'

interface Props {
  readonly analysis: Analysis
  readonly seen: ReadonlySet<string>
  readonly onSee: (ids: readonly string[]) => void
  readonly goTo: (line: number) => void
}

/** What the draft changes: in sentences, and for everybody who could call anything, whether anybody has tried it or not. */
export function ImpactTab({ analysis, seen, onSee, goTo }: Props) {
  const t = useTranslations('policies')
  const { matrix, sentences } = analysis
  const groups = useMemo(() => (matrix ? impactGroups(matrix) : []), [matrix])
  if (!analysis.policy) return <Empty title={t('impact.noPolicy')} />
  if (!matrix) return <Skeleton label={t('loading')} lines={4} />
  const gaining = groups.filter(({ gains }) => gains)
  const unseen = gaining.filter(({ id }) => !seen.has(id))
  return (
    <div className="flex flex-col gap-5">
      <section aria-label={t('impact.changes')}>
        <h2 className="font-medium">{t('impact.changes')}</h2>
        <ul className="mt-1 flex list-disc flex-col gap-1 ps-5">
          {sentences.map((sentence) => (
            <li key={sentence} className="break-words">
              <Untrusted text={sentence} max={1_500} />
            </li>
          ))}
        </ul>
      </section>
      <section aria-label={t('impact.who')} className="flex flex-col gap-3">
        <div className="flex flex-wrap items-center gap-2">
          <h2 className="grow font-medium">{t('impact.who')}</h2>
          {unseen.length > 0 && <Button onClick={() => onSee(gaining.map(({ id }) => id))}>{t('impact.openAll')}</Button>}
        </div>
        <p className="text-muted">
          {t('impact.counted', {
            agents: matrix.agents,
            newcomers: matrix.newcomers,
            tools: matrix.tools,
            changed: matrix.changed.length,
            cells: matrix.cells,
          })}
        </p>
        {groups.length === 0 && <Empty title={t('impact.nobody')} />}
        {groups.map((group) => (
          <Group key={group.id} group={group} isSeen={seen.has(group.id)} onSee={onSee} goTo={goTo} />
        ))}
      </section>
      <Notice title={t('impact.notCovered')}>{t('impact.limits')}</Notice>
      <CliLine command="npx postern policy plan policy.json" />
    </div>
  )
}

const SHOWN = 200

function Group({ group, isSeen, onSee, goTo }: { group: ImpactGroup; isSeen: boolean; onSee: Props['onSee']; goTo: Props['goTo'] }) {
  const t = useTranslations('policies')
  const { id, who, newcomers, cells, gains } = group
  const loses = cells.some((cell) => cell.loses)
  const names = [
    ...who.slice(0, 3),
    ...newcomers.map((tag) => (tag === undefined ? t('impact.newcomer') : t('impact.newcomerTagged', { tag }))),
  ]
  return (
    <details
      open={isSeen}
      onToggle={(event) => event.currentTarget.open && !isSeen && onSee([id])}
      className="rounded-md border border-line bg-surface"
    >
      <summary className="flex min-h-11 cursor-pointer flex-wrap items-center gap-x-3 gap-y-1 px-3 py-2 sm:min-h-8">
        <span className="flex min-w-0 grow flex-wrap items-center gap-x-2">
          {names.map((name) => (name.startsWith('@') ? <NameChip key={name} name={name} /> : <span key={name}>{name}</span>))}
          {who.length > 3 && <span className="text-muted">{t('impact.more', { count: who.length - 3 })}</span>}
        </span>
        {gains && (
          <span className="font-medium text-danger">{t('impact.gains', { count: cells.filter((cell) => cell.gains).length })}</span>
        )}
        {loses && <span className="font-medium text-warn">{t('impact.loses', { count: cells.filter((cell) => cell.loses).length })}</span>}
        {gains && !isSeen && <span className="text-xs text-muted">{t('impact.unopened')}</span>}
      </summary>
      {who.length > 3 && <p className="px-3 pb-2 font-mono text-xs break-words">{who.join(' ')}</p>}
      <div className="overflow-x-auto px-3 pb-3">
        <table className="w-full text-left">
          <thead className="text-xs text-muted">
            <tr>
              <th className="py-1 pe-3 font-medium">{t('impact.tool')}</th>
              <th className="py-1 pe-3 font-medium">{t('impact.before')}</th>
              <th className="py-1 pe-3 font-medium">{t('impact.after')}</th>
              <th className="py-1 font-medium">{t('impact.by')}</th>
            </tr>
          </thead>
          <tbody>
            {cells.slice(0, SHOWN).map((cell) => (
              <Row key={`${cell.server}.${cell.tool}`} cell={cell} goTo={goTo} />
            ))}
          </tbody>
        </table>
        {cells.length > SHOWN && <p className="text-muted">{t('impact.moreTools', { count: cells.length - SHOWN })}</p>}
      </div>
    </details>
  )
}

function Row({ cell, goTo }: { cell: MatrixCell; goTo: Props['goTo'] }) {
  const t = useTranslations('policies')
  const { server, tool, risk, before, after, gains, loses, rule } = cell
  const sign = gains && loses ? '±' : gains ? '▲' : '▼'
  return (
    <tr className="border-line border-t align-top">
      <td className="py-1.5 pe-3">
        <span aria-hidden="true" className={gains ? 'text-danger' : 'text-warn'}>
          {sign}{' '}
        </span>
        <span className="sr-only">{t(gains && loses ? 'impact.both' : gains ? 'impact.up' : 'impact.down')}</span>
        <span className="font-mono text-xs break-all">
          <Untrusted text={`${server}.${tool}`} max={200} />
        </span>{' '}
        <RiskChip risk={risk} />
      </td>
      <td className="py-1.5 pe-3">
        <OutlookText outlook={before} />
      </td>
      <td className="py-1.5 pe-3">
        <OutlookText outlook={after} />
      </td>
      <td className="py-1">
        {rule ? (
          <LineLink line={rule.line} goTo={goTo}>
            {t('impact.rule', { rule: rule.id, line: rule.line })}
          </LineLink>
        ) : (
          <span className="text-muted">{t('impact.noRule')}</span>
        )}
      </td>
    </tr>
  )
}

/** `allowed`, `some asked`: the best first, and only what there is. */
function OutlookText({ outlook }: { outlook: Outlook }) {
  const t = useTranslations('policies')
  const parts = (['allow', 'ask', 'deny'] as const).filter((effect) => outlook[effect] !== 'none')
  return <span>{parts.map((effect) => t(`impact.${outlook[effect] === 'all' ? 'all' : 'some'}.${effect}`)).join(', ')}</span>
}
