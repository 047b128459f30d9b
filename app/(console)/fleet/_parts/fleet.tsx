'use client'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { useFormatter, useTranslations } from 'next-intl'
import { parseAsString, useQueryState } from 'nuqs'
import { useCallback, useEffect, useState } from 'react'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { buttonClass } from '../../../_ui/button.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { CopyLink } from '../../../_ui/copy-link.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { FilterBar } from '../../../_ui/filter-bar.tsx'
import { isTyping } from '../../../_ui/is-typing.ts'
import { Page } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Table } from '../../../_ui/table.tsx'
import { useStillRows } from '../../../_ui/use-still-rows.ts'
import { BulkBar } from './bulk-bar.tsx'
import { fleetColumns } from './columns.tsx'
import { ExportButton } from './export-button.tsx'
import type { Member } from './shapes.ts'
import { Views } from './views.tsx'

const PAGE = 200
const HEARTBEAT_MS = 10_000
const NO_VALUES = {
  name: [],
  kind: [],
  state: [],
  tag: [],
  label: [],
  owner: [],
  server: [],
  version: [],
  policy: [],
  seen: [],
  gateway: [],
}
const keyOf = ({ atsign }: Member): string => atsign

/** Gateways and agents in one list: filter and order are in the address, cells live, rows stay where they are until somebody says otherwise. */
export function Fleet({ isAdmin }: { isAdmin: boolean }) {
  const t = useTranslations('fleet')
  const format = useFormatter()
  const trpc = useTRPC()
  const router = useRouter()
  const [q, setQ] = useQueryState('q', parseAsString.withDefault('').withOptions({ history: 'push' }))
  const [sort, setSort] = useQueryState('sort', parseAsString.withDefault('state'))
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [isAll, setAll] = useState(false)
  const search = useInfiniteQuery({
    ...trpc.fleet.search.infiniteQueryOptions({ q, sort, limit: PAGE }, { getNextPageParam: ({ next }) => next ?? undefined }),
    placeholderData: keepPreviousData,
    refetchInterval: HEARTBEAT_MS, // silence is no event: who falls silent is offline after a while
  })
  const facets = useQuery(trpc.fleet.facets.queryOptions())
  const activity = useQuery(trpc.fleet.activity.queryOptions(undefined, { refetchInterval: 15_000 }))
  const members = search.data?.pages.flatMap((page) => page.members) ?? []
  const still = useStillRows(members, keyOf, `${q}\n${sort}`)
  const first = search.data?.pages[0]
  const clear = useCallback(() => {
    setChosen(new Set())
    setAll(false)
  }, [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question has other rows
  useEffect(clear, [q])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('[role="dialog"]')) return
      if (event.key === 'Escape') clear()
      if (event.key === 'e') router.push(isAdmin ? '/codes?new=gateway' : '/codes?new=agent')
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [clear, isAdmin, router])

  const shown = isAll ? new Set(still.rows.map(keyOf)) : chosen
  const choose = (next: ReadonlySet<string>) => {
    setAll(false)
    setChosen(next)
  }
  const selection = isAll ? { filter: q, expected: first?.matching ?? 1 } : { names: [...chosen] }
  const number = (n: number) => format.number(n)
  return (
    <Page
      title={t('title')}
      actions={
        <>
          <ExportButton q={q} sort={sort} />
          <CopyLink />
          <EnrolLinks isAdmin={isAdmin} />
        </>
      }
    >
      <FilterBar
        value={q}
        onChange={(next) => void setQ(next)}
        keys={facets.data ?? NO_VALUES}
        {...(first ? { count: t('count', { matching: number(first.matching), total: number(first.total) }) } : {})}
      />
      {first && <Views page={first} q={q} onChange={(next) => void setQ(next)} />}
      {search.error && <Failure problem={problemOf(search.error)} retry={() => void search.refetch()} />}
      {still.moved > 0 && (
        <div role="status" className="flex justify-end">
          <button type="button" onClick={still.apply} className={buttonClass()}>
            {t('wouldMove', { count: still.moved })}
          </button>
        </div>
      )}
      {search.isPending ? (
        <Skeleton label={t('loading')} lines={8} />
      ) : first?.total === 0 ? (
        <Empty title={t('empty.title')}>
          <p>{t('empty.why')}</p>
          <div className="flex flex-wrap justify-center gap-2">
            <EnrolLinks isAdmin={isAdmin} />
          </div>
          <CliLine command="postern code new gateway" />
        </Empty>
      ) : first && members.length === 0 ? (
        <Empty title={t('nothing.title')}>
          <button type="button" onClick={() => void setQ('')} className={buttonClass()}>
            {t('nothing.clear')}
          </button>
        </Empty>
      ) : (
        <Table
          label={t('title')}
          columns={fleetColumns(t, { activity: activity.data?.activity ?? {}, policy: first?.policy ?? 0, number })}
          rows={still.rows}
          keyOf={keyOf}
          {...(first ? { total: first.matching } : {})}
          sort={sort}
          onSort={(next) => void setSort(next)}
          selected={shown}
          onSelect={choose}
          onOpen={({ atsign, state }) => router.push(state === 'pending' ? '/inbox' : `/fleet/${atsign}`)}
          onMore={search.hasNextPage && !search.isFetchingNextPage ? () => void search.fetchNextPage() : undefined}
        />
      )}
      {shown.size > 0 && first && (
        <BulkBar
          selection={selection}
          members={still.rows.filter((member) => shown.has(member.atsign))}
          count={isAll ? first.matching : chosen.size}
          {...(!isAll && first.matching > chosen.size ? { onAll: () => setAll(true), matching: first.matching } : {})}
          isAdmin={isAdmin}
          onClear={clear}
        />
      )}
    </Page>
  )
}

/** Where a code is made and the signer shows the command to run. */
function EnrolLinks({ isAdmin }: { isAdmin: boolean }) {
  const t = useTranslations('fleet')
  return (
    <>
      <a href="/codes?new=agent" className={buttonClass(isAdmin ? 'plain' : 'primary')}>
        {t('enrolAgent')}
      </a>
      {isAdmin && (
        <a href="/codes?new=gateway" className={buttonClass('primary')}>
          {t('enrolGateway')}
        </a>
      )}
    </>
  )
}
