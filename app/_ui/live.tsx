'use client'
import { useQueryClient } from '@tanstack/react-query'
import { useSubscription } from '@trpc/tanstack-react-query'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { createContext, useContext, useEffect, useMemo, useRef, useState } from 'react'
import { useTRPC } from '../_trpc/client.tsx'

/** One thing that happened, as the stream tells it. Ids and small facts, never contents. */
export interface LiveEvent {
  readonly id: string
  readonly kind: string
  readonly data: Readonly<Record<string, unknown>>
}
type Listener = (event: LiveEvent) => void

interface Live {
  readonly state: 'live' | 'connecting' | 'lost'
  /** Milliseconds: when the last event or ping of the stream came. */
  readonly heardAt: number
  listen(listener: Listener): () => void
}
const LiveContext = createContext<Live | undefined>(undefined)

/** Kind of event → the routers whose answers it may change. `missed` changes everything. */
const CHANGES: Readonly<Record<string, readonly string[]>> = {
  log: ['fleet', 'people', 'policies', 'enrolment', 'requests', 'status', 'authority', 'grants', 'approvals', 'acks'],
  revocation: ['fleet', 'people', 'revocations', 'grants', 'approvals', 'acks', 'status'],
  request: ['requests', 'status'],
  enrolment: ['enrolment', 'status'],
  receipt: ['calls'],
  presence: ['fleet', 'status'],
  ack: ['acks', 'fleet', 'policies', 'status'],
  session: ['people'],
  grant: ['grants'],
  tools: ['fleet'],
  label: ['fleet'],
  approval: ['approvals', 'status'],
  draft: ['policies'],
}
/** Changes that come close together are read again once. */
const GATHER_MS = 250

/** The one event stream of this tab: marks what it changes as stale, and passes events on to whoever listens. Resumes by itself. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const trpc = useTRPC()
  const queries = useQueryClient()
  const listeners = useRef(new Set<Listener>())
  const stale = useRef(new Set<string>())
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const [heardAt, setHeardAt] = useState(0)

  const refresh = () => {
    timer.current = undefined
    const names = [...stale.current]
    stale.current.clear()
    for (const name of names) void queries.invalidateQueries(name === '*' ? {} : { queryKey: [[name]] })
  }
  const { status } = useSubscription(
    trpc.stream.events.subscriptionOptions(
      {},
      {
        onStarted: () => setHeardAt(Date.now()),
        onData({ id, data }) {
          setHeardAt(Date.now())
          const event: LiveEvent = { id, kind: data.kind, data: data.data as LiveEvent['data'] }
          for (const name of data.kind === 'missed' ? ['*'] : (CHANGES[data.kind] ?? [])) stale.current.add(name)
          if (stale.current.size > 0) timer.current ??= setTimeout(refresh, GATHER_MS)
          for (const listener of listeners.current) listener(event)
        },
      },
    ),
  )
  useEffect(() => () => clearTimeout(timer.current), [])

  const state = status === 'pending' ? 'live' : status === 'connecting' && heardAt === 0 ? 'connecting' : 'lost'
  const live = useMemo<Live>(
    () => ({
      ...{ state, heardAt },
      listen(listener) {
        listeners.current.add(listener)
        return () => void listeners.current.delete(listener)
      },
    }),
    [state, heardAt],
  )
  return <LiveContext value={live}>{children}</LiveContext>
}

/** @throws outside the console's own layout */
export function useLive(): Live {
  const live = useContext(LiveContext)
  if (!live) throw new Error('useLive belongs inside LiveProvider')
  return live
}

/** Calls back for every event of these kinds, as long as the component is there. */
export function useLiveEvents(kinds: readonly string[], listener: Listener): void {
  const { listen } = useLive()
  const latest = useRef(listener)
  latest.current = listener
  const wanted = kinds.join()
  // biome-ignore lint/correctness/useExhaustiveDependencies: `listen` only ever adds to one set
  useEffect(() => listen((event) => wanted.split(',').includes(event.kind) && latest.current(event)), [wanted])
}

/** `● live`, or in words and colour that the page does not follow any more. */
export function LiveChip() {
  const t = useTranslations('shell')
  const { state } = useLive()
  const look = { live: 'text-ok', connecting: 'text-muted', lost: 'rounded bg-warn-soft px-2 font-medium text-warn' }[state]
  return (
    <span role="status" className={`inline-flex items-center gap-1.5 whitespace-nowrap text-xs ${look}`}>
      <span aria-hidden="true">{{ live: '●', connecting: '◌', lost: '○' }[state]}</span>
      {t(`live.${state}`)}
    </span>
  )
}
