'use client'
import { Autocomplete } from '@base-ui/react/autocomplete'
import { Dialog as Base } from '@base-ui/react/dialog'
import { useQuery } from '@tanstack/react-query'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { useTRPC } from '../../_trpc/client.tsx'
import { PAGES } from '../nav.ts'

interface Found {
  readonly href: string
  readonly label: string
  readonly kind: string
}

/** Goes to a page, a name or an id. Pages are found here at once, names and ids by the server. Nothing in it signs: it only leads there. */
export function Palette({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const t = useTranslations('shell')
  const router = useRouter()
  const trpc = useTRPC()
  const [text, setText] = useState('')
  const names = useQuery({ ...trpc.status.search.queryOptions({ text: text.trim().slice(0, 100) }), enabled: open && text.trim() !== '' })
  const pages = PAGES.map(({ id, href }): Found => ({ href, label: t(`nav.${id}`), kind: t('palette.page') }))
  const wanted = text.trim().toLowerCase()
  const found: readonly Found[] = [
    ...pages.filter(({ label }) => label.toLowerCase().includes(wanted)),
    ...(names.data?.found ?? []).map(({ href, label, kind }) => ({ href, label, kind: t(`palette.${kind}`) })),
  ]
  const go = (href: string) => {
    setText('')
    onOpenChange(false)
    router.push(href)
  }
  return (
    <Base.Root open={open} onOpenChange={onOpenChange}>
      <Base.Portal>
        <Base.Backdrop className="fixed inset-0 z-40 bg-black/50" />
        <Base.Popup
          aria-label={t('search')}
          className="fixed inset-x-3 top-[12vh] z-50 mx-auto max-w-lg overflow-hidden rounded-lg border border-line bg-surface shadow-2xl"
        >
          <Autocomplete.Root
            inline
            open
            items={found}
            value={text}
            onValueChange={setText}
            mode="none"
            autoHighlight
            itemToStringValue={(item: Found) => item.label}
          >
            <Autocomplete.Input
              aria-label={t('search')}
              placeholder={t('search')}
              className="min-h-12 w-full border-line border-b bg-transparent px-4 text-base"
            />
            <Autocomplete.Empty className="px-4 py-6 text-center text-muted empty:hidden">
              {names.isFetching ? t('palette.searching') : t('palette.nothing')}
            </Autocomplete.Empty>
            <Autocomplete.List className="max-h-[50vh] overflow-y-auto p-1">
              {(item: Found) => (
                <Autocomplete.Item
                  key={item.href}
                  value={item}
                  onClick={() => go(item.href)}
                  className="flex min-h-9 cursor-pointer items-center justify-between gap-4 rounded px-3 data-highlighted:bg-accent-soft"
                >
                  <span className="truncate">{item.label}</span>
                  <span className="text-xs text-muted">{item.kind}</span>
                </Autocomplete.Item>
              )}
            </Autocomplete.List>
          </Autocomplete.Root>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  )
}
