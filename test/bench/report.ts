// What a part of the bench says: tables of absolute values, ratios (what lasts), goals, and where the time goes.
import type { Result } from './measure.ts'

export interface Goal {
  readonly name: string
  readonly value: number
  readonly goal: number
  /** Whether more is better. */
  readonly atLeast?: boolean
  readonly unit?: string
}

export interface PartReport {
  readonly title: string
  /** One row per contestant or case. */
  readonly rows: readonly Row[]
  /** Stable name → value without a unit. What `baseline.json` keeps. */
  readonly ratios: Readonly<Record<string, number>>
  readonly goals: readonly Goal[]
  /** Where the time goes, and what else a reader must know. */
  readonly notes: readonly string[]
}
export interface Row {
  readonly name: string
  readonly values: Readonly<Record<string, number | string>>
  readonly blocks?: number
  readonly disturbed?: number
}

export const rowOf = ({ name, values, blocks, disturbed }: Result): Row => ({ name, values, blocks, disturbed })
export const isReached = ({ value, goal, atLeast = false }: Goal): boolean => (atLeast ? value >= goal : value <= goal)

/** Three significant digits; integers as they are. */
export const figure = (value: number): string => {
  if (!Number.isFinite(value)) return '–'
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return String(Math.round(value))
  return String(Number(value.toPrecision(3)))
}

export function printPart(part: PartReport): string {
  const columns = [...new Set(part.rows.flatMap(({ values }) => Object.keys(values)))]
  const cells = part.rows.map(({ name, values, disturbed, blocks }) => [
    disturbed ? `${name} (disturbed: ${disturbed} of ${blocks} blocks)` : name,
    ...columns.map((column) => cell(values[column])),
  ])
  return [
    `## ${part.title}`,
    ...table(['', ...columns], cells),
    ...part.goals.map(goalLine),
    ...part.notes.map((note) => `   ${note}`),
    '',
  ].join('\n')
}

const cell = (value: number | string | undefined) => (typeof value === 'number' ? figure(value) : (value ?? ''))

function goalLine(goal: Goal): string {
  const { name, value, goal: wanted, atLeast = false, unit = '' } = goal
  const verdict = Number.isNaN(value) ? 'not measured' : isReached(goal) ? 'reached' : 'not reached'
  return `   ${verdict}: ${name} ${figure(value)}${unit} (goal ${atLeast ? '≥' : '≤'} ${figure(wanted)}${unit})`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]) =>
    `   ${row.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!))).join('  ')}`
  return [line(head), ...rows.map(line)].map((text) => text.trimEnd())
}

export interface Baseline {
  readonly about: string
  readonly machine: Readonly<Record<string, string | number>>
  readonly ratios: Readonly<Record<string, number>>
}

/** The change of each ratio against the baseline. Nothing is asserted: machines differ. */
export function printChanges(baseline: Baseline, ratios: Readonly<Record<string, number>>): string {
  const rows = Object.entries(ratios).map(([name, value]) => {
    const before = baseline.ratios[name]
    const change = before === undefined ? 'new' : `${value >= before ? '+' : '−'}${figure(Math.abs(value / before - 1) * 100)} %`
    return [name, before === undefined ? '' : figure(before), figure(value), change]
  })
  return ['## Against test/bench/baseline.json', ...table(['', 'baseline', 'now', 'change'], rows), ''].join('\n')
}
