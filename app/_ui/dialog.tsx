'use client'
import { Dialog as Base } from '@base-ui/react/dialog'
import { X } from 'lucide-react'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'

interface Props {
  readonly title: string
  readonly description?: string
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  readonly children: ReactNode
  /** `side`: a panel at the end of the page, for the detail of a row. */
  readonly placement?: 'center' | 'side'
}

const PLACES = {
  center: 'inset-x-3 top-[8vh] mx-auto max-h-[84vh] max-w-xl rounded-lg',
  side: 'inset-y-0 end-0 w-full max-w-2xl border-y-0 border-e-0',
} as const

/** A dialog or side panel: traps focus, closes by Esc and gives the focus back. */
export function Dialog({ title, description, open, onOpenChange, children, placement = 'center' }: Props) {
  const t = useTranslations('common')
  return (
    <Base.Root open={open} onOpenChange={onOpenChange}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-black/50" />
        <Base.Popup className={`fixed z-50 flex flex-col overflow-hidden border border-line bg-surface shadow-2xl ${PLACES[placement]}`}>
          <div className="flex items-start gap-3 border-line border-b px-4 py-3">
            <div className="min-w-0 grow">
              <Base.Title className="text-base font-semibold break-words">{title}</Base.Title>
              {description && <Base.Description className="mt-0.5 text-muted">{description}</Base.Description>}
            </div>
            <Base.Close
              aria-label={t('close')}
              className="inline-flex size-11 items-center justify-center rounded hover:bg-sunken sm:size-8"
            >
              <X aria-hidden="true" className="size-4" />
            </Base.Close>
          </div>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard */}
          <section tabIndex={0} aria-label={title} className="flex min-h-0 grow flex-col gap-4 overflow-y-auto p-4">
            {children}
          </section>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
