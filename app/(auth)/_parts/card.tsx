import type { ReactNode } from 'react'

export const Card = ({ title, children }: { title: string; children: ReactNode }) => (
  <section className="flex flex-col gap-4 rounded-xl border border-line bg-surface p-6 shadow-sm">
    <h1 className="text-xl font-semibold tracking-tight text-balance">{title}</h1>
    {children}
  </section>
)
