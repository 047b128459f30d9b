'use client'
import type { ReactNode } from 'react'
import { createContext, useContext, useEffect, useState } from 'react'

const Clock = createContext<number | undefined>(undefined)

/** One clock for a page, in Unix seconds: every relative time and countdown moves in the same moment. Stands still while the page is hidden. */
export function ClockProvider({ now, children }: { now: number; children: ReactNode }) {
  const [at, setAt] = useState(now)
  useEffect(() => {
    const tick = () => document.visibilityState === 'visible' && setAt(Math.floor(Date.now() / 1000))
    tick()
    const timer = setInterval(tick, 1_000)
    document.addEventListener('visibilitychange', tick)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', tick)
    }
  }, [])
  return <Clock value={at}>{children}</Clock>
}

/** Unix seconds, moving. @throws outside a `ClockProvider` */
export function useNow(): number {
  const now = useContext(Clock)
  if (now === undefined) throw new Error('useNow belongs inside ClockProvider')
  return now
}
