'use client'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useTRPCClient } from '../../../_trpc/client.tsx'
import { useLiveEvents } from '../../../_ui/live.tsx'
import type { Call } from './shapes.ts'

const PAGE = 200
/** New rows per look; more than these are left out, and said to be. */
const BURST = 50
const LOOK_MS = 500
/** People who are not administrators hear of no receipts: they look by themselves. */
const LOOK_ANYWAY_MS = 5_000
/** Older rows than so many go while the list runs. */
const MAX_ROWS = 1_000
const RATE_SECONDS = 10

export interface LiveCalls {
  readonly calls: readonly Call[]
  readonly isLoading: boolean
  readonly error: unknown
  /** New since it was held. */
  readonly waiting: number
  /** Receipts a second that came in, of whatever kind, and those of them that were shown. */
  readonly rate: number
  readonly shownRate: number
  /** Rows that were left out because too many came at once. */
  readonly skipped: number
  readonly hasMore: boolean
  more(): void
  /** Reads the newest page anew. */
  restart(): void
}

interface State {
  readonly calls: readonly Call[]
  readonly next: number | null
  readonly skipped: number
  readonly error: unknown
  readonly isLoading: boolean
}
const START: State = { calls: [], next: null, skipped: 0, error: undefined, isLoading: true }

/**
 * The newest calls that match, kept up to date by the event stream as long as `isHeld` is false. While it is held nothing moves: only a
 * counter grows, and `restart` catches up.
 */
export function useLiveCalls(q: string, rangeSeconds: number, isHeld: boolean): LiveCalls {
  const client = useTRPCClient()
  const [state, setState] = useState<State>(START)
  const [waiting, setWaiting] = useState(0)
  const [rates, setRates] = useState({ rate: 0, shown: 0 })
  const [round, setRound] = useState(0)
  const top = useRef(0)
  const heard = useRef<{ at: number; count: number; shown: number }[]>([])
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const held = useRef(isHeld)
  held.current = isHeld
  const newest = state.calls[0]?.id ?? 0
  top.current = Math.max(newest, state.isLoading ? 0 : top.current)

  const from = useCallback(() => Math.floor(Date.now() / 1000) - rangeSeconds, [rangeSeconds])
  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` asks for a new start
  useEffect(() => {
    let isOver = false
    setState((before) => ({ ...before, isLoading: true }))
    client.calls.search.query({ q, from: from(), limit: PAGE }).then(
      ({ calls, next }) => {
        if (isOver) return
        top.current = calls[0]?.id ?? 0
        setState({ calls, next, skipped: 0, error: undefined, isLoading: false })
        setWaiting(0)
      },
      (error: unknown) => !isOver && setState({ ...START, error, isLoading: false }),
    )
    return () => {
      isOver = true
    }
  }, [client, q, from, round])

  const lookSoon = () => {
    timer.current ??= setTimeout(() => void look(), LOOK_MS)
  }
  const look = async () => {
    timer.current = undefined
    const after = top.current
    const isCounting = held.current
    try {
      const { calls, fresh } = await client.calls.search.query({ q, from: from(), after, limit: isCounting ? 1 : BURST })
      if (isCounting) return setWaiting(fresh)
      if (top.current !== after) return lookSoon() // the first page came meanwhile, and may be older than what was heard
      if (calls.length === 0) return
      heard.current.push({ at: Date.now(), count: 0, shown: calls.length })
      setState((before) => ({
        ...before,
        calls: [...calls, ...before.calls].slice(0, MAX_ROWS),
        skipped: before.skipped + Math.max(0, fresh - calls.length),
      }))
    } catch {
      // the next event looks again; a stream that is gone says so itself
    }
  }
  useLiveEvents(['receipt', 'missed'], ({ data }) => {
    heard.current.push({ at: Date.now(), count: typeof data.count === 'number' ? data.count : 0, shown: 0 })
    lookSoon()
  })
  const latest = useRef(look)
  latest.current = look
  useEffect(() => {
    const again = setInterval(() => {
      timer.current ??= setTimeout(() => void latest.current(), 0)
    }, LOOK_ANYWAY_MS)
    return () => clearInterval(again)
  }, [])
  useEffect(() => {
    const tick = setInterval(() => {
      const since = Date.now() - RATE_SECONDS * 1000
      heard.current = heard.current.filter(({ at }) => at > since)
      const sum = (name: 'count' | 'shown') => heard.current.reduce((total, one) => total + one[name], 0) / RATE_SECONDS
      setRates({ rate: sum('count'), shown: sum('shown') })
    }, 1_000)
    return () => {
      clearInterval(tick)
      clearTimeout(timer.current)
      timer.current = undefined
    }
  }, [])

  const isFetching = useRef(false)
  const more = () => {
    if (state.next === null || isFetching.current) return
    isFetching.current = true
    client.calls.search
      .query({ q, from: from(), cursor: state.next, limit: PAGE })
      .then(({ calls, next }) => setState((before) => ({ ...before, calls: [...before.calls, ...calls], next })))
      .catch(() => undefined) // the rows that are there stay; scrolling asks again
      .finally(() => {
        isFetching.current = false
      })
  }
  return {
    ...{ calls: state.calls, isLoading: state.isLoading, error: state.error, skipped: state.skipped, waiting },
    ...{ rate: rates.rate, shownRate: rates.shown, hasMore: state.next !== null, more },
    restart: () => setRound((n) => n + 1),
  }
}
