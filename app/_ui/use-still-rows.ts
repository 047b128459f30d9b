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

/** Rows that would come, go, or move among those that stay: as few as explain the difference. */
export function difference(shown: readonly string[], wanted: readonly string[]): number {
  const places = new Map(wanted.map((key, at) => [key, at]))
  const staying = shown.flatMap((key) => places.get(key) ?? [])
  const moved = staying.length - longestRising(staying)
  return moved + (shown.length - staying.length) + (wanted.length - staying.length)
}

/** Length of the longest rising subsequence: what need not move. */
function longestRising(numbers: readonly number[]): number {
  const ends: number[] = [] // the smallest end of a rising subsequence of each length
  for (const n of numbers) {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (ends[middle]! < n) low = middle + 1
      else high = middle
    }
    ends[low] = n
  }
  return ends.length
}
