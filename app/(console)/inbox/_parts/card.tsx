import type { ReactNode } from 'react'

/** One thing to decide: what, who and when above; what can be done below. */
export const InboxCard = ({ head, facts, children }: { head: ReactNode; facts?: ReactNode; children?: ReactNode }) => (
  <li className="flex flex-col gap-3 rounded-lg border border-line bg-surface p-4">
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">{head}</div>
    {facts && <div className="flex flex-wrap gap-x-4 gap-y-1 text-muted">{facts}</div>}
    {children && <div className="flex flex-wrap items-start gap-2">{children}</div>}
  </li>
)
