'use client'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import dynamic from 'next/dynamic'
import { useTranslations } from 'next-intl'
import { parseAsString, parseAsStringLiteral, useQueryState } from 'nuqs'
import { useEffect, useState } from 'react'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { Button, buttonClass } from '../../../_ui/button.tsx'
import { useNow } from '../../../_ui/clock.tsx'
import { CopyLink } from '../../../_ui/copy-link.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { FilterBar } from '../../../_ui/filter-bar.tsx'
import { isTyping } from '../../../_ui/is-typing.ts'
import { Page } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Table } from '../../../_ui/table.tsx'
import { grantColumns } from './columns.tsx'
import type { Grant } from './shapes.ts'

const RevokeDialog = dynamic(() => import('./revoke-dialog.tsx').then(({ RevokeDialog }) => RevokeDialog), { ssr: false })

const VIEWS = ['active', 'past'] as const
const PAGE = 200
const keyOf = ({ hash }: Grant): string => hash

/** What power is out right now. At the end of its time a grant leaves for the history by itself. */
export function Grants({ isAdmin }: { isAdmin: boolean }) {
  const t = useTranslations('grants')
  const trpc = useTRPC()
  const now = useNow()
  const [q, setQ] = useQueryState('q', parseAsString.withDefault('').withOptions({ history: 'push' }))
  const [view, setView] = useQueryState('view', parseAsStringLiteral(VIEWS).withDefault('active').withOptions({ history: 'push' }))
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [isRevoking, setRevoking] = useState(false)
  const isPast = view === 'past'
  const found = useInfiniteQuery({
    ...trpc.grants.out.infiniteQueryOptions({ q, past: isPast, limit: PAGE }, { getNextPageParam: ({ next }) => next ?? undefined }),
    placeholderData: keepPreviousData,
  })
  const first = found.data?.pages[0]
  const all = found.data?.pages.flatMap(({ grants }) => grants) ?? []
  const rows = isPast ? all : all.filter(({ expires }) => expires > now)
  const over = all.length - rows.length
  const { refetch } = found
  useEffect(() => {
    if (over > 0) void refetch()
  }, [over, refetch])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) =>
      event.key === 'Escape' && !isTyping(event.target) && !document.querySelector('[role="dialog"]') && setChosen(new Set())
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  const selected = new Set(rows.filter(({ hash, state }) => chosen.has(hash) && state === 'active').map(keyOf))
  const values = (pick: (grant: Grant) => readonly string[]) => [...new Set(all.flatMap(pick))].sort()
  const keys = {
    agent: values(({ agent }) => [agent]),
    gateway: values(({ gateway }) => [gateway]),
    server: values(({ tools }) => tools.map(({ server }) => server)),
    tool: values(({ tools }) => tools.map(({ tool }) => tool)),
    rule: values(({ tools }) => tools.flatMap(({ rule }) => rule ?? [])),
  }
  return (
    <Page title={t('title')} note={t('note')} actions={<CopyLink />}>
      <fieldset className="flex flex-wrap gap-1">
        <legend className="sr-only">{t('views')}</legend>
        {VIEWS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={view === one}
            onClick={() => void setView(one)}
            className={`inline-flex min-h-11 items-center rounded-full border px-3 text-xs sm:min-h-7 ${view === one ? 'border-accent bg-accent-soft font-medium' : 'border-line hover:bg-sunken'}`}
          >
            {t(one, { count: one === 'active' ? Math.max(0, (first?.active ?? 0) - (isPast ? 0 : over)) : (first?.past ?? 0) })}
          </button>
        ))}
      </fieldset>
      <FilterBar value={q} onChange={(next) => void setQ(next)} keys={keys} />
      {found.error && <Failure problem={problemOf(found.error)} retry={() => void refetch()} />}
      {found.isPending ? (
        <Skeleton label={t('loading')} lines={6} />
      ) : rows.length === 0 && q !== '' ? (
        <Empty title={t('nothing')}>
          <button type="button" onClick={() => void setQ('')} className={buttonClass()}>
            {t('clear')}
          </button>
        </Empty>
      ) : rows.length === 0 ? (
        <Empty title={isPast ? t('pastEmpty') : t('empty')}>
          <p>{t('emptyWhy')}</p>
        </Empty>
      ) : (
        <Table
          label={t('title')}
          columns={grantColumns(t, isPast)}
          rows={rows}
          keyOf={keyOf}
          {...(isPast || !isAdmin ? {} : { selected, onSelect: setChosen })}
          onMore={found.hasNextPage && !found.isFetchingNextPage ? () => void found.fetchNextPage() : undefined}
        />
      )}
      {selected.size > 0 && !isPast && (
        <section
          aria-label={t('bulk')}
          className="sticky bottom-2 z-20 flex flex-wrap items-center gap-2 rounded-lg border border-accent bg-surface p-2 shadow-lg max-sm:bottom-20"
        >
          <span role="status" className="grow px-2 font-medium">
            {t('chosen', { count: selected.size })}
          </span>
          <Button look="danger" onClick={() => setRevoking(true)}>
            {t('revoke')}
          </Button>
          <Button look="quiet" onClick={() => setChosen(new Set())}>
            {t('clearChoice')}
          </Button>
        </section>
      )}
      {isRevoking && (
        <RevokeDialog
          grants={all.filter(({ hash }) => chosen.has(hash))}
          onClose={() => setRevoking(false)}
          onDone={() => setChosen(new Set())}
        />
      )}
    </Page>
  )
}
