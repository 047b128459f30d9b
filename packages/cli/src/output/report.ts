import type { Settings } from '../config.ts'
import type { ExitName } from '../exit-codes.ts'
import type { CellLike } from './cell.ts'
import { toCell } from './cell.ts'
import { escapeText, safeJson } from './escape.ts'
import type { Style } from './style.ts'

export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly CellLike[])[]
  /** What people see in place of no rows. */
  readonly empty?: string
  /** The last column may be cut to the width of the terminal: it is there to recognise a row by. */
  readonly isCut?: boolean
}

/** What a command gives back. People, pipes and programs see the same, each in their form. */
export interface Report {
  /** `gateway.list`; programs see `postern.gateway.list`. */
  readonly schema: string
  readonly data: unknown
  /** Cursor of the next page. */
  readonly next?: string | undefined
  /** What `-q` prints, one per line. */
  readonly ids?: readonly string[]
  readonly table?: Table
  readonly facts?: readonly (readonly [string, CellLike])[]
  /** Text that is the result itself, escaped by its maker. */
  readonly lines?: readonly string[]
  /** What to do next, for people only. */
  readonly hints?: readonly string[]
  readonly warnings?: readonly string[]
  /** Default: done. */
  readonly exit?: ExitName
}

/** Version of every document; a change that breaks a reader raises it. */
export const JSON_VERSION = 1

/** The text for stdout. Hints and warnings are not in it, apart from the warnings of a JSON document. */
export function renderReport(report: Report, settings: Settings, style: Style): string {
  if (settings.json !== undefined) return renderJson(report, settings)
  if (settings.quiet) return lines(report.ids ?? [])
  return settings.human ? renderHuman(report, style, settings.columns) : renderPlain(report)
}

function renderJson({ schema, data, next, warnings = [] }: Report, { json = JSON_VERSION, fields }: Settings): string {
  const newer = json > JSON_VERSION ? [`version ${json} was asked for, this is version ${JSON_VERSION}`] : []
  const document = {
    schema: `postern.${schema}`,
    v: JSON_VERSION,
    data: pick(data, fields),
    next: next ?? null,
    warnings: [...warnings, ...newer],
  }
  return `${safeJson(document)}\n`
}

function pick(data: unknown, fields: readonly string[] | undefined): unknown {
  if (!fields) return data
  if (Array.isArray(data)) return data.map((item) => pick(item, fields))
  if (typeof data !== 'object' || data === null) return data
  return Object.fromEntries(
    fields.filter((field) => Object.hasOwn(data, field)).map((field) => [field, (data as Record<string, unknown>)[field]]),
  )
}

/** The same rows, tab-separated, no header, no colour, full values. */
function renderPlain({ table, facts, lines: text = [] }: Report): string {
  const rows = [...(facts ?? []).map(([name, value]) => [name, value]), ...(table?.rows ?? [])]
  return lines([...rows.map((row) => row.map((value) => escapeText(toCell(value).exact)).join('\t')), ...text])
}

function renderHuman({ table, facts, lines: text = [] }: Report, style: Style, width: number): string {
  const parts = [
    ...(facts
      ? align(
          facts.map(([name, value]) => [dim(name), value]),
          style,
        )
      : []),
    ...(table && table.rows.length > 0
      ? align([table.columns.map((name) => dim(name.toUpperCase())), ...table.rows], style, table.isCut ? width : undefined)
      : []),
    ...(table && table.rows.length === 0 ? [table.empty ?? 'nothing'] : []),
    ...text,
  ]
  return lines(parts.map(style.plain))
}

const dim = (name: string) => ({ exact: name, shown: name, tone: 'dim' as const })

/** Columns as wide as their widest cell; the last one is not padded, and cut where there is a width to keep. */
function align(rows: readonly (readonly CellLike[])[], style: Style, width = Number.POSITIVE_INFINITY): string[] {
  const cells = rows.map((row) => row.map((value) => ({ ...toCell(value), shown: escapeText(toCell(value).shown) })))
  const widths = (cells[0] ?? []).map((_, i) => Math.max(...cells.map((row) => displayWidth(row[i]?.shown ?? ''))))
  return cells.map((row) => {
    const last = row.length - 1
    const room = Math.max(16, width - widths.slice(0, last).reduce((sum, w) => sum + w + 2, 0))
    return row
      .map(({ shown, tone }, i) => {
        const text = i === last ? cut(shown, room) : shown
        const padded = i === last ? text : text + ' '.repeat(widths[i]! - displayWidth(shown))
        return tone ? padded.replace(text, () => style.paint(tone, text)) : padded
      })
      .join('  ')
      .trimEnd()
  })
}

const cut = (text: string, room: number): string => (text.length > room ? `${text.slice(0, room - 1)}…` : text)
/** Good enough for Latin, Greek and Cyrillic names; wide characters only push their row. */
const displayWidth = (text: string): number => [...text].length

const lines = (items: readonly string[]): string => items.map((item) => `${item}\n`).join('')
