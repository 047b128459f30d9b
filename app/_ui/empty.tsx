import type { ReactNode } from 'react'

/** What a list says when there is nothing in it, and what to do about it. */
export const Empty = ({ title, children }: { title: string; children?: ReactNode }) => (
  <div className="flex flex-col items-center gap-3 rounded-lg border border-line border-dashed px-6 py-12 text-center">
    <p className="max-w-prose font-medium text-balance">{title}</p>
    {children && <div className="flex max-w-prose flex-col items-center gap-3 text-muted">{children}</div>}
  </div>
)
