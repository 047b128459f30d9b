import type { ReactNode } from 'react'

/** A page's head and body. One h1; actions at the end of its line. */
export const Page = ({
  title,
  note,
  actions,
  children,
}: {
  title: ReactNode
  note?: ReactNode
  actions?: ReactNode
  children: ReactNode
}) => (
  <div className="flex flex-col gap-4 p-4 sm:p-6">
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <h1 className="min-w-0 grow text-xl font-semibold tracking-tight">{title}</h1>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      {note && <div className="w-full text-muted">{note}</div>}
    </div>
    {children}
  </div>
)

/** A titled part of a page. */
export const Section = ({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) => (
  <section aria-label={title} className="flex flex-col gap-3 rounded-lg border border-line bg-surface p-4">
    <div className="flex flex-wrap items-center gap-2">
      <h2 className="grow font-semibold">{title}</h2>
      {actions}
    </div>
    {children}
  </section>
)

/** Facts as term and value. */
export const Facts = ({ facts }: { facts: readonly (readonly [term: string, value: ReactNode])[] }) => (
  <dl className="grid grid-cols-[max-content_1fr] gap-x-6 gap-y-2 max-sm:grid-cols-1 max-sm:gap-y-0.5">
    {facts.map(([term, value]) => (
      <div key={term} className="contents">
        <dt className="text-muted max-sm:mt-2">{term}</dt>
        <dd className="min-w-0 break-words">{value}</dd>
      </div>
    ))}
  </dl>
)
