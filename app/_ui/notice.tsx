import type { ReactNode } from 'react'

const TONES = {
  info: { icon: 'i', look: 'border-line bg-surface', role: 'status' },
  ok: { icon: '✓', look: 'border-ok bg-ok-soft', role: 'status' },
  warn: { icon: '!', look: 'border-warn bg-warn-soft', role: 'status' },
  danger: { icon: '✕', look: 'border-danger bg-danger-soft', role: 'alert' },
} as const
export type Tone = keyof typeof TONES

/** A message that stays where it is said: icon, title, what it means, what to do. */
export function Notice({ tone = 'info', title, children }: { tone?: Tone; title: string; children?: ReactNode }) {
  const { icon, look, role } = TONES[tone]
  return (
    <div role={role} className={`flex gap-3 rounded-md border p-3 ${look}`}>
      <span aria-hidden="true" className="w-4 shrink-0 text-center font-bold">
        {icon}
      </span>
      <div className="flex min-w-0 flex-col gap-2">
        <p className="font-medium">{title}</p>
        {children && <div className="text-sm break-words">{children}</div>}
      </div>
    </div>
  )
}
