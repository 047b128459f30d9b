'use client'
import { useEffect, useState } from 'react'
import type { Analysis } from './analysis.ts'
import { analyse, withImpact } from './analysis.ts'
import type { Facts } from './shapes.ts'

/** After the last key: long enough not to nag, short enough to be there when one looks up. */
const IDLE_MS = 400
/** The results of the tests are on the screen before the next step begins. */
const PAINT_MS = 50

/** The analysis of the text as it was when typing last paused. `isStale` while it is of an older text. */
export function useAnalysis(text: string | undefined, current: Uint8Array | undefined, facts: Facts | undefined) {
  const [analysis, setAnalysis] = useState<Analysis>()
  const [basis, setBasis] = useState<unknown>()
  // biome-ignore lint/correctness/useExhaustiveDependencies: what it was about last does not ask for another run
  useEffect(() => {
    if (text === undefined || facts === undefined) return
    let timer = setTimeout(run, analysis === undefined || basis !== facts ? 0 : IDLE_MS)
    function run() {
      const made = analyse(text!, current, facts!)
      setAnalysis(made)
      setBasis(facts)
      timer = setTimeout(() => setAnalysis(withImpact(made, current, facts!)), PAINT_MS)
    }
    return () => clearTimeout(timer)
  }, [text, current, facts])
  return { analysis, isStale: analysis === undefined || analysis.text !== text }
}
