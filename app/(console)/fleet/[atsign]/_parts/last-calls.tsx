'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPCClient } from '../../../../_trpc/client.tsx'
import { buttonClass } from '../../../../_ui/button.tsx'
import { Failure } from '../../../../_ui/failure.tsx'
import { Section } from '../../../../_ui/page.tsx'
import { Skeleton } from '../../../../_ui/skeleton.tsx'
import { callColumns } from '../../../calls/_parts/columns.tsx'
import type { Call } from '../../../calls/_parts/shapes.ts'
import { PlainTable } from './plain-table.tsx'

const DAY = 86_400
const SHOWN = 50
const hrefOf = ({ id }: Call): string => `/calls?call=${id}`

/** The newest receipts of one name, read when the page is opened; the live list is a link away. */
export function LastCalls({ name, kind }: { name: string; kind: 'agent' | 'gateway' }) {
  const t = useTranslations('entity')
  const calls = useTranslations('calls')
  const client = useTRPCClient()
  const q = `${kind}:${name}`
  const found = useQuery({
    queryKey: ['last-calls', q],
    queryFn: () => client.calls.search.query({ q, from: Math.floor(Date.now() / 1000) - DAY, limit: SHOWN }),
    refetchInterval: 15_000,
  })
  const columns = callColumns(calls, hrefOf).filter(({ id }) => id !== kind && id !== 'receipt')
  return (
    <Section
      title={t('calls')}
      actions={
        <a href={`/calls?q=${encodeURIComponent(q)}`} className={buttonClass('quiet')}>
          {t('allCalls')}
        </a>
      }
    >
      {found.error ? (
        <Failure problem={problemOf(found.error)} retry={() => void found.refetch()} />
      ) : !found.data ? (
        <Skeleton label={t('loading')} lines={3} />
      ) : found.data.calls.length === 0 ? (
        <p className="text-muted">{t('callsEmpty')}</p>
      ) : (
        <PlainTable
          label={t('calls')}
          heads={columns.map(({ title }) => title)}
          rows={found.data.calls.map((call) => ({ key: String(call.id), cells: columns.map(({ cell }) => cell(call)) }))}
        />
      )}
    </Section>
  )
}
