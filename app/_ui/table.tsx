'use client'
import { useVirtualizer } from '@tanstack/react-virtual'
import { ArrowDown, ArrowUp } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { KeyboardEvent, ReactNode } from 'react'
import { useEffect, useRef, useState } from 'react'

/** One column. `width` is a track of CSS grid. */
export interface Column<Row> {
  readonly id: string
  readonly title: string
  readonly width: string
  readonly cell: (row: Row) => ReactNode
  /** Sorting is the server's: a press only says which. */
  readonly sortable?: boolean
  readonly align?: 'end'
}
interface Props<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
  /** How many there are on the server; the rows that are not here yet count for screen readers. */
  readonly total?: number
  readonly sort?: string | undefined
  readonly onSort?: (sort: string) => void
  readonly selected?: ReadonlySet<string>
  readonly onSelect?: (selected: ReadonlySet<string>) => void
  readonly onOpen?: (row: Row) => void
  /** Called when the end comes near. */
  readonly onMore?: (() => void) | undefined
  readonly height?: string
}
const ROW = 40

/**
 * The one table of the console: rows are virtual, the header stays, columns sort, rows are chosen by `x`, a range by Shift-x, walked by `j` `k` or
 * arrows and opened by Enter. On a phone it scrolls sideways inside itself. Rows are drawn on the client only: their places are style attributes.
 */
export function Table<Row>(props: Props<Row>) {
  const {
    label,
    columns,
    rows,
    keyOf,
    total = rows.length,
    sort,
    onSort,
    selected,
    onSelect,
    onOpen,
    onMore,
    height = 'h-[max(20rem,calc(100dvh-18rem))]',
  } = props
  const t = useTranslations('common')
  const scroller = useRef<HTMLDivElement>(null)
  const [focused, setFocused] = useState(0)
  const [anchor, setAnchor] = useState<number>()
  const [isClient, setClient] = useState(false)
  useEffect(() => setClient(true), [])
  const virtual = useVirtualizer({
    count: isClient ? rows.length : 0,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  })
  const items = virtual.getVirtualItems()
  const lastShown = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (onMore && lastShown >= rows.length - 20) onMore()
  }, [lastShown, rows.length, onMore])

  const tracks = [...(onSelect ? ['2.5rem'] : []), ...columns.map(({ width }) => width)].join(' ')
  const toggle = (index: number, isRange: boolean) => {
    if (!onSelect || !selected) return
    const next = new Set(selected)
    const from = isRange && anchor !== undefined ? Math.min(anchor, index) : index
    const to = isRange && anchor !== undefined ? Math.max(anchor, index) : index
    const isOn = !selected.has(keyOf(rows[index]!))
    for (const row of rows.slice(from, to + 1)) isOn ? next.add(keyOf(row)) : next.delete(keyOf(row))
    setAnchor(index)
    onSelect(next)
  }
  const move = (to: number) => {
    const index = Math.max(0, Math.min(rows.length - 1, to))
    setFocused(index)
    virtual.scrollToIndex(index)
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-row="${index}"]`)?.focus())
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const isInside = event.target instanceof HTMLElement && event.target.closest('[data-row]') !== null
    if (!isInside || event.ctrlKey || event.metaKey || event.altKey) return
    if (event.target instanceof HTMLElement && event.key === 'Enter' && !event.target.matches('[data-row]')) return
    const row = rows[focused]
    if (event.key === 'j' || event.key === 'ArrowDown') move(focused + 1)
    else if (event.key === 'k' || event.key === 'ArrowUp') move(focused - 1)
    else if (event.key === 'Home') move(0)
    else if (event.key === 'End') move(rows.length - 1)
    else if (event.key.toLowerCase() === 'x') toggle(focused, event.shiftKey)
    else if (event.key === 'Enter' && row) onOpen?.(row)
    else return
    event.preventDefault()
  }
  const isAll = rows.length > 0 && rows.every((row) => selected?.has(keyOf(row)))
  return (
    <div
      ref={scroller}
      role="region"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard, also while its rows are not there yet
      tabIndex={0}
      className={`overflow-auto rounded-lg border border-line bg-surface ${height}`}
    >
      <div
        role="table"
        aria-label={label}
        aria-rowcount={total + 1}
        aria-colcount={columns.length + (onSelect ? 1 : 0)}
        onKeyDown={onKeyDown}
        className="min-w-max"
      >
        <div role="rowgroup" className="sticky top-0 z-10 border-line border-b bg-surface">
          <Row role="row" index={1} tracks={tracks}>
            {onSelect && (
              <div role="columnheader" className="flex items-center justify-center">
                <input
                  type="checkbox"
                  aria-label={t('table.selectAll')}
                  checked={isAll}
                  onChange={() => onSelect(isAll ? new Set() : new Set(rows.map(keyOf)))}
                  className="size-4 accent-accent"
                />
              </div>
            )}
            {columns.map((column) => (
              <Head key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </Row>
        </div>
        <div role="rowgroup" ref={(body) => setHeight(body, virtual.getTotalSize())} className="relative">
          {items.map(({ index, start }) => {
            const row = rows[index]!
            const isSelected = selected?.has(keyOf(row)) ?? false
            return (
              <Row
                key={keyOf(row)}
                role="row"
                index={index + 2}
                tracks={tracks}
                top={start}
                dataRow={index}
                tabIndex={index === focused ? 0 : -1}
                selected={onSelect ? isSelected : undefined}
                onFocus={() => setFocused(index)}
              >
                {onSelect && (
                  <div role="cell" className="flex items-center justify-center">
                    <input
                      type="checkbox"
                      tabIndex={-1}
                      aria-label={t('table.select', { name: keyOf(row) })}
                      checked={isSelected}
                      onClick={(event) => toggle(index, event.shiftKey)}
                      onChange={() => undefined}
                      className="size-4 accent-accent"
                    />
                  </div>
                )}
                {columns.map(({ id, cell, align }) => (
                  <div
                    key={id}
                    role="cell"
                    className={`flex min-w-0 items-center overflow-hidden px-2 ${align === 'end' ? 'justify-end' : ''}`}
                  >
                    {cell(row)}
                  </div>
                ))}
              </Row>
            )
          })}
        </div>
      </div>
    </div>
  )
}

function setHeight(element: HTMLElement | null, pixels: number): void {
  if (element) element.style.height = `${pixels}px`
}

interface RowProps {
  readonly role: 'row'
  readonly index: number
  readonly tracks: string
  readonly top?: number
  readonly dataRow?: number
  readonly tabIndex?: number
  readonly selected?: boolean | undefined
  readonly onFocus?: () => void
  readonly children: ReactNode
}
/** Places are set through the style object: the page's policy forbids style attributes in what the server writes. */
function Row({ index, tracks, top, dataRow, tabIndex, selected, onFocus, children }: RowProps) {
  const place = (element: HTMLDivElement | null) => {
    if (!element) return
    element.style.gridTemplateColumns = tracks
    element.style.height = `${ROW}px`
    if (top !== undefined) element.style.transform = `translateY(${top}px)`
  }
  const look = top === undefined ? '' : 'absolute inset-x-0 top-0 border-line border-b hover:bg-sunken focus-visible:-outline-offset-2'
  return (
    <div
      role="row"
      ref={place}
      aria-rowindex={index}
      aria-selected={selected}
      data-row={dataRow}
      tabIndex={tabIndex}
      onFocus={onFocus}
      className={`grid ${look} ${selected ? 'bg-accent-soft' : ''}`}
    >
      {children}
    </div>
  )
}

function Head<R>({
  column,
  sort,
  onSort,
}: {
  column: Column<R>
  sort?: string | undefined
  onSort?: ((sort: string) => void) | undefined
}) {
  const { id, title, sortable, align } = column
  const direction = sort === id ? 'ascending' : sort === `-${id}` ? 'descending' : undefined
  const end = align === 'end' ? 'justify-end' : ''
  return (
    <div
      role="columnheader"
      aria-sort={sortable ? (direction ?? 'none') : undefined}
      className={`flex items-center px-2 text-xs font-medium text-muted ${end}`}
    >
      {sortable && onSort ? (
        <button
          type="button"
          onClick={() => onSort(direction === 'ascending' ? `-${id}` : id)}
          className="inline-flex min-h-6 items-center gap-1 rounded hover:text-ink"
        >
          {title}
          {direction === 'ascending' && <ArrowUp aria-hidden="true" className="size-3" />}
          {direction === 'descending' && <ArrowDown aria-hidden="true" className="size-3" />}
        </button>
      ) : (
        title
      )}
    </div>
  )
}
