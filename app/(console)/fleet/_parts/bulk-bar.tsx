'use client'
import dynamic from 'next/dynamic'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../../_ui/button.tsx'
import type { Member, Selection } from './shapes.ts'

const LabelDialog = dynamic(() => import('./label-dialog.tsx').then(({ LabelDialog }) => LabelDialog), { ssr: false })
const StopDialog = dynamic(() => import('./stop-dialog.tsx').then(({ StopDialog }) => StopDialog), { ssr: false })

interface Props {
  readonly selection: Selection
  /** Those of the selection that are on the page. */
  readonly members: readonly Member[]
  readonly count: number
  readonly matching?: number
  readonly onAll?: () => void
  readonly isAdmin: boolean
  readonly onClear: () => void
}

/** What can be done with the rows that were chosen. Stays at the bottom of the window while there are any. */
export function BulkBar({ selection, members, count, matching, onAll, isAdmin, onClear }: Props) {
  const t = useTranslations('fleet')
  const [open, setOpen] = useState<'label' | 'suspend' | 'revoke'>()
  return (
    <section
      aria-label={t('bulk.label')}
      className="sticky bottom-2 z-20 flex flex-wrap items-center gap-2 rounded-lg border border-accent bg-surface p-2 shadow-lg max-sm:bottom-20"
    >
      <span role="status" className="px-2 font-medium">
        {t('bulk.chosen', { count })}
      </span>
      {onAll && matching !== undefined && (
        <Button look="quiet" onClick={onAll}>
          {t('bulk.all', { count: matching })}
        </Button>
      )}
      <span className="grow" />
      {isAdmin && <Button onClick={() => setOpen('label')}>{t('bulk.labels')}</Button>}
      <Button onClick={() => setOpen('suspend')}>{t('bulk.suspend')}</Button>
      <Button look="danger" onClick={() => setOpen('revoke')}>
        {t('bulk.revoke')}
      </Button>
      <Button look="quiet" onClick={onClear}>
        {t('bulk.clear')}
      </Button>
      {open === 'label' && <LabelDialog selection={selection} members={members} count={count} onClose={() => setOpen(undefined)} />}
      {(open === 'suspend' || open === 'revoke') && (
        <StopDialog selection={selection} members={members} count={count} first={open} onClose={() => setOpen(undefined)} />
      )}
    </section>
  )
}
