'use client'
import { useQuery } from '@tanstack/react-query'
import dynamic from 'next/dynamic'
import { useFormatter, useTranslations } from 'next-intl'
import { parseAsInteger, parseAsString, useQueryState } from 'nuqs'
import { useEffect, useRef, useState } from 'react'
import { problemOf, useTRPC, useTRPCClient } from '../../../_trpc/client.tsx'
import { Button, buttonClass } from '../../../_ui/button.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { useNow } from '../../../_ui/clock.tsx'
import { CopyLink } from '../../../_ui/copy-link.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { inputClass } from '../../../_ui/field.tsx'
import { withTerm } from '../../../_ui/filter.ts'
import { FilterBar } from '../../../_ui/filter-bar.tsx'
import { isTyping } from '../../../_ui/is-typing.ts'
import { useLive } from '../../../_ui/live.tsx'
import { Page } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Table } from '../../../_ui/table.tsx'
import { leftText } from '../../../_ui/time.tsx'
import { callColumns } from './columns.tsx'
import type { Call } from './shapes.ts'
import { CALL_KEYS } from './shapes.ts'
import { Stats } from './stats.tsx'
import { useLiveCalls } from './use-live-calls.ts'

const CallPanel = dynamic(() => import('./call-panel.tsx').then(({ CallPanel }) => CallPanel), { ssr: false })

const RANGES = [300, 900, 3_600, 86_400, 604_800] as const
const NO_VALUES = Object.fromEntries(CALL_KEYS.map((key) => [key, [] as string[]]))
const keyOf = ({ id }: Call): string => String(id)

/** Decisions as they come. Pausing is loud; nothing moves under the pointer, and what was left out is said. */
export function Calls() {
  const t = useTranslations('calls')
  const trpc = useTRPC()
  const client = useTRPCClient()
  const now = useNow()
  const live = useLive()
  const [q, setQ] = useQueryState('q', parseAsString.withDefault('').withOptions({ history: 'push' }))
  const [range, setRange] = useQueryState('range', parseAsInteger.withDefault(3_600))
  const [open, setOpen] = useQueryState('call', parseAsInteger.withOptions({ history: 'push' }))
  const [pausedAt, setPausedAt] = useState<number>()
  const [isPointing, setPointing] = useState(false)
  const [isScrolled, setScrolled] = useState(false)
  const isHeld = pausedAt !== undefined || isPointing || isScrolled
  const calls = useLiveCalls(q, range, isHeld)
  const facets = useQuery({ queryKey: ['call-facets'], queryFn: () => client.calls.facets.query(), staleTime: 30_000 })
  const stats = useQuery({
    queryKey: ['call-stats', q, range],
    queryFn: () =>
      client.calls.stats.query({ q, from: Math.floor(Date.now() / 1000) - range, to: Math.floor(Date.now() / 1000) + 1, buckets: 30 }),
    refetchInterval: pausedAt === undefined && range <= 3_600 ? 5_000 : false,
    placeholderData: (before) => before,
  })
  const overview = useQuery(trpc.status.overview.queryOptions())
  const box = useRef<HTMLDivElement>(null)
  const { restart } = calls

  const resume = () => {
    setPausedAt(undefined)
    box.current?.querySelector('[role="table"]')?.parentElement?.scrollTo({ top: 0 })
    setScrolled(false)
    restart()
  }
  const toggle = () => (isHeld && !isPointing ? resume() : setPausedAt(Math.floor(Date.now() / 1000)))
  const latest = useRef(toggle)
  latest.current = toggle
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== ' ' || isTyping(event.target) || (event.target as HTMLElement).closest('button, a, summary, [role="dialog"]'))
        return
      event.preventDefault()
      latest.current()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  useEffect(() => {
    const element = box.current
    const onScroll = (event: Event) => event.target instanceof HTMLElement && setScrolled(event.target.scrollTop > 8)
    element?.addEventListener('scroll', onScroll, true)
    return () => element?.removeEventListener('scroll', onScroll, true)
  }, [])
  const wasHeld = useRef(false)
  useEffect(() => {
    if (wasHeld.current && !isHeld && calls.waiting > 0) restart() // the pointer went away: catch up
    wasHeld.current = isHeld
  }, [isHeld, calls.waiting, restart])

  const follow = (call: Call) => void setOpen(call.id)
  const hrefOf = ({ id }: Call) => `/calls?call=${id}`
  const isEmpty = !calls.isLoading && calls.error === undefined && calls.calls.length === 0
  const why = live.state === 'lost' ? 'lost' : pausedAt !== undefined ? 'person' : isScrolled ? 'scroll' : 'pointer'
  return (
    <Page
      title={t('title')}
      actions={
        <>
          <CopyLink />
          <Button
            look={isHeld && !isPointing ? 'primary' : 'plain'}
            onClick={toggle}
            aria-keyshortcuts="Space"
            aria-pressed={isHeld && !isPointing}
          >
            {isHeld && !isPointing ? t('resume') : t('pause')} <kbd className="font-mono text-xs opacity-80">{t('key')}</kbd>
          </Button>
        </>
      }
    >
      <div className="flex flex-wrap items-start gap-2">
        <div className="min-w-0 grow basis-80">
          <FilterBar value={q} onChange={(next) => void setQ(next)} keys={facets.data ?? NO_VALUES} />
        </div>
        <select
          aria-label={t('ranges.label')}
          value={range}
          onChange={(event) => void setRange(Number(event.target.value))}
          className={`${inputClass} w-auto!`}
        >
          {RANGES.map((seconds) => (
            <option key={seconds} value={seconds}>
              {t(`ranges.${seconds}`)}
            </option>
          ))}
        </select>
      </div>
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
        {stats.data && <Stats stats={stats.data} />}
        <Rates calls={calls} />
      </div>
      {calls.error !== undefined && <Failure problem={problemOf(calls.error)} retry={restart} />}
      {(isHeld || live.state === 'lost') && (
        <div
          role="status"
          className="flex flex-wrap items-center gap-2 rounded-md border border-warn bg-warn-soft px-3 py-2 font-medium text-warn"
        >
          <span aria-hidden="true">❚❚</span>
          <span>{t(`pausedBy.${why}`)}</span>
          {pausedAt !== undefined && <span aria-live="off">{t('pausedFor', { time: leftText(Math.max(0, now - pausedAt)) })}</span>}
          <span>{calls.waiting >= 10_000 ? t('freshMany', { count: 10_000 }) : t('fresh', { count: calls.waiting })}</span>
          {!isPointing && (
            <Button className="ms-auto" onClick={resume}>
              {t('resume')} <kbd className="font-mono text-xs">{t('key')}</kbd>
            </Button>
          )}
        </div>
      )}
      <div ref={box} onPointerMove={(event) => setPointing(isOnRow(event.target))} onPointerLeave={() => setPointing(false)}>
        {calls.isLoading && calls.calls.length === 0 ? (
          <Skeleton label={t('loading')} lines={8} />
        ) : isEmpty && q !== '' ? (
          <Empty title={t('nothing')}>
            <button type="button" onClick={() => void setQ('')} className={buttonClass()}>
              {t('clear')}
            </button>
          </Empty>
        ) : isEmpty ? (
          <Empty title={t('empty')}>
            <p>{t('emptyTry')}</p>
            <CliLine command="postern call <server>.<tool> '{}'" />
          </Empty>
        ) : (
          <Table
            label={t('title')}
            columns={callColumns(t, hrefOf, follow)}
            rows={calls.calls}
            keyOf={keyOf}
            onOpen={follow}
            onMore={calls.hasMore ? calls.more : undefined}
          />
        )}
      </div>
      {open !== null && (
        <CallPanel
          id={open}
          hasPolicy={overview.data?.policy !== undefined}
          onClose={() => void setOpen(null)}
          onFilter={(key, value, negated) => {
            void setOpen(null)
            void setQ(withTerm(q, CALL_KEYS, { key, values: [value], negated }))
          }}
        />
      )}
    </Page>
  )
}

const isOnRow = (target: EventTarget): boolean => target instanceof HTMLElement && target.closest('[data-row]') !== null

/** How much comes in and how much of it is on the screen: sampling is said, never silent. */
function Rates({ calls }: { calls: ReturnType<typeof useLiveCalls> }) {
  const t = useTranslations('calls')
  const format = useFormatter()
  const text = (n: number) => format.number(n, { maximumFractionDigits: n < 10 ? 1 : 0 })
  return (
    <span className="flex flex-wrap gap-x-3 text-xs text-muted">
      <span>{t('rate', { rate: Number(text(calls.rate).replace(/[^\d.]/g, '')) })}</span>
      {calls.skipped > 0 ? (
        <span className="font-medium text-warn">
          {t('shown', { rate: Number(text(calls.shownRate).replace(/[^\d.]/g, '')) })} · {t('skipped', { count: calls.skipped })}
        </span>
      ) : (
        <span>{t('allShown')}</span>
      )}
    </span>
  )
}
