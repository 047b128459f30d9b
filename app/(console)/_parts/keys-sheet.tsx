'use client'
import { useTranslations } from 'next-intl'
import { Dialog } from '../../_ui/dialog.tsx'
import { PAGES } from '../nav.ts'

const LISTS = ['filter', 'walk', 'select', 'range', 'open', 'palette', 'help'] as const

/** Every key there is. */
export function KeysSheet({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const t = useTranslations('shell')
  return (
    <Dialog title={t('keys.title')} open={open} onOpenChange={onOpenChange}>
      <dl className="grid grid-cols-[max-content_1fr] gap-x-6 gap-y-2">
        {PAGES.map(({ id, key }) => (
          <div key={id} className="contents">
            <dt className="font-mono">{t('keys.go', { key })}</dt>
            <dd>{t(`nav.${id}`)}</dd>
          </div>
        ))}
        {LISTS.map((name) => (
          <div key={name} className="contents">
            <dt className="font-mono">{t(`keys.${name}.keys`)}</dt>
            <dd>{t(`keys.${name}.does`)}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
