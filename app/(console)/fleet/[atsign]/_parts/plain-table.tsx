import type { ReactNode } from 'react'

interface Row {
  readonly key: string
  readonly cells: readonly ReactNode[]
}

/** A short table that is whole on the page: scrolls sideways inside itself where the window is narrow. */
export const PlainTable = ({ label, heads, rows }: { label: string; heads: readonly string[]; rows: readonly Row[] }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard
  // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
  <div role="group" aria-label={label} tabIndex={0} className="max-h-112 overflow-auto">
    <table className="w-full text-start">
      <thead>
        <tr className="sticky top-0 border-line border-b bg-surface text-xs text-muted">
          {heads.map((head) => (
            <th key={head} scope="col" className="px-2 py-1.5 text-start font-medium whitespace-nowrap">
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, cells }) => (
          <tr key={key} className="border-line border-b last:border-0">
            {cells.map((cell, at) => (
              <td key={heads[at]} className="max-w-md px-2 py-1.5 align-middle">
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
)
