'use client'
import { useEffect, useState } from 'react'
import type { Analysis } from './analysis.ts'
import { analyse } from './analysis.ts'
import type { Facts } from './shapes.ts'

/** After the last key: long enough not to nag, short enough to be there when one looks up. */
const IDLE_MS = 400

/** The analysis of the text as it was when typing last paused. `isStale` while it is of an older text. */
export function useAnalysis(text: string | undefined, current: Uint8Array | undefined, facts: Facts | undefined) {
  const [analysis, setAnalysis] = useState<Analysis>()
  const [basis, setBasis] = useState<unknown>()
  // biome-ignore lint/correctness/useExhaustiveDependencies: what it was about last does not ask for another run
  useEffect(() => {
    if (text === undefined || facts === undefined) return
    const run = () => {
      setAnalysis(analyse(text, current, facts))
      setBasis(facts)
    }
    const timer = setTimeout(run, analysis === undefined || basis !== facts ? 0 : IDLE_MS)
    return () => clearTimeout(timer)
  }, [text, current, facts])
  return { analysis, isStale: analysis === undefined || analysis.text !== text }
}
