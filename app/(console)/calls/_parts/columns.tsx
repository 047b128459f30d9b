import type { useTranslations } from 'next-intl'
import { DecisionChip, NameChip } from '../../../_ui/chip.tsx'
import type { Column } from '../../../_ui/table.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'
import type { Call } from './shapes.ts'

const two = (n: number) => String(n).padStart(2, '0')
/** The reader's own clock; the whole moment stands in the detail. */
export const clockText = (seconds: number): string => {
  const date = new Date(seconds * 1000)
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

type T = ReturnType<typeof useTranslations<'calls'>>

/** `hrefOf`: each call is a link of its own. */
export function callColumns(t: T, hrefOf: (call: Call) => string, onFollow?: (call: Call) => void): readonly Column<Call>[] {
  return [
    {
      ...{ id: 'time', title: t('columns.time'), width: '6rem' },
      cell: (call) => (
        <a
          href={hrefOf(call)}
          title={new Date(call.at * 1000).toISOString()}
          className="font-mono text-xs hover:underline"
          onClick={(event) => {
            if (!onFollow || event.metaKey || event.ctrlKey || event.shiftKey) return
            event.preventDefault()
            onFollow(call)
          }}
        >
          {clockText(call.at)}
        </a>
      ),
    },
    {
      ...{ id: 'agent', title: t('columns.agent'), width: 'minmax(8rem,1fr)' },
      cell: ({ agent }) => <NameChip name={agent} href={`/fleet/${agent}`} />,
    },
    {
      ...{ id: 'tool', title: t('columns.tool'), width: 'minmax(10rem,1.4fr)' },
      cell: ({ server, tool }) => (
        <span className="truncate font-mono text-xs">
          <Untrusted text={`${server}.${tool ?? '?'}`} max={120} />
        </span>
      ),
    },
    {
      ...{ id: 'gateway', title: t('columns.gateway'), width: 'minmax(7rem,0.8fr)' },
      cell: ({ gateway }) => <NameChip name={gateway} href={`/fleet/${gateway}`} />,
    },
    {
      ...{ id: 'decision', title: t('columns.decision'), width: 'minmax(11rem,1.1fr)' },
      cell: ({ decision, code }) => (
        <span className="flex min-w-0 items-center gap-2">
          <DecisionChip decision={decision} />
          {code !== 'OK' && <span className="truncate font-mono text-xs text-muted">{code}</span>}
        </span>
      ),
    },
    {
      ...{ id: 'rule', title: t('columns.rule'), width: 'minmax(5rem,0.7fr)' },
      cell: ({ rule }) => (
        <span className="truncate">
          {rule === undefined ? <span className="text-muted">{t('default')}</span> : <Untrusted text={rule} max={64} />}
        </span>
      ),
    },
    {
      ...{ id: 'ms', title: t('columns.ms'), width: '4.5rem', align: 'end' },
      cell: ({ ms }) => <span>{ms ?? '–'}</span>,
    },
    {
      ...{ id: 'receipt', title: t('columns.receipt'), width: '5rem' },
      cell: () => (
        <span className="text-ok">
          <span aria-hidden="true">✓</span> {t('receiptThere')}
        </span>
      ),
    },
  ]
}
