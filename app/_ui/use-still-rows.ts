'use client'
import { useRef, useState } from 'react'

interface Still<Row> {
  readonly rows: readonly Row[]
  /** How many rows stand elsewhere, came or went in what the server says now. */
  readonly moved: number
  apply(): void
}

/**
 * Live rows that do not jump: what is on the screen keeps its order while cells change in place, and the reader says when the new order holds.
 * Rows that only come at the end, and another `question` (filter, order), need no saying.
 */
export function useStillRows<Row>(incoming: readonly Row[], keyOf: (row: Row) => string, question: string): Still<Row> {
  const [applied, setApplied] = useState(0)
  const shown = useRef<{ question: string; applied: number; keys: readonly string[] }>({ question, applied, keys: [] })
  const last = useRef(new Map<string, Row>())

  const keys = incoming.map(keyOf)
  for (const row of incoming) last.current.set(keyOf(row), row)
  const before = shown.current
  const isAppended = before.keys.every((key, at) => keys[at] === key)
  if (isAppended || before.question !== question || before.applied !== applied) shown.current = { question, applied, keys }
  const now = shown.current.keys
  const moved = now === keys ? 0 : difference(now, keys)
  return { rows: now.flatMap((key) => last.current.get(key) ?? []), moved, apply: () => setApplied((n) => n + 1) }
}

/** Rows that would come, go, or stand elsewhere among those that stay. */
function difference(shown: readonly string[], wanted: readonly string[]): number {
  const [here, there] = [new Set(shown), new Set(wanted)]
  const [stayHere, stayThere] = [shown.filter((key) => there.has(key)), wanted.filter((key) => here.has(key))]
  const moved = stayHere.filter((key, at) => stayThere[at] !== key).length
  return moved + (shown.length - stayHere.length) + (wanted.length - stayThere.length)
}
