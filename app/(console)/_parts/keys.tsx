'use client'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useEffect, useState } from 'react'
import { Dialog } from '../../_ui/dialog.tsx'
import { isTyping } from '../../_ui/filter-bar.tsx'
import { PAGES } from '../nav.ts'

const LISTS = ['filter', 'walk', 'select', 'range', 'open', 'palette', 'help'] as const
/** How long `g` waits for the second key. */
const CHORD_MS = 1_500

/** Keys that work everywhere: `g` and a page's letter, `?` for the sheet. Never inside a field; none of them decides anything. */
export function Keys() {
  const t = useTranslations('shell')
  const router = useRouter()
  const [isOpen, setOpen] = useState(false)
  useEffect(() => {
    let isChord = false
    let timer: ReturnType<typeof setTimeout>
    const onKey = (event: KeyboardEvent) => {
      if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) return
      if (event.key === '?') setOpen(true)
      const page = isChord ? PAGES.find(({ key }) => key === event.key) : undefined
      isChord = event.key === 'g' && !isChord
      clearTimeout(timer)
      if (isChord) timer = setTimeout(() => (isChord = false), CHORD_MS)
      if (page) router.push(page.href)
    }
    document.addEventListener('keydown', onKey)
    return () => {
      clearTimeout(timer)
      document.removeEventListener('keydown', onKey)
    }
  }, [router])
  return (
    <Dialog title={t('keys.title')} open={isOpen} onOpenChange={setOpen}>
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
