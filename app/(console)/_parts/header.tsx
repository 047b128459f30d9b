'use client'
import { Menu } from '@base-ui/react/menu'
import { Search } from 'lucide-react'
import dynamic from 'next/dynamic'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useEffect, useState } from 'react'
import { LiveChip } from '../../_ui/live.tsx'
import type { Theme } from '../../_ui/theme.ts'
import { signOut } from './sign-out.ts'
import { ThemeItems } from './theme-items.tsx'

const Palette = dynamic(() => import('./palette.tsx').then(({ Palette }) => Palette), { ssr: false })

interface Props {
  readonly organisation: string
  readonly atsign: string
  readonly role: string
  readonly theme: Theme
}

export function Header({ organisation, atsign, role, theme }: Props) {
  const t = useTranslations('shell')
  const [isOpen, setOpen] = useState(false)
  const [isWanted, setWanted] = useState(false)
  const open = () => {
    setWanted(true)
    setOpen(true)
  }
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'k' || !(event.ctrlKey || event.metaKey)) return
      event.preventDefault()
      setWanted(true)
      setOpen(true)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
  return (
    <header className="sticky top-0 z-20 flex min-h-12 items-center gap-3 border-line border-b bg-surface px-4">
      <Link href="/inbox" className="flex items-baseline gap-2 rounded font-semibold">
        <span aria-hidden="true" className="text-accent">
          ◧
        </span>
        {t('product')}
        <span className="max-w-40 truncate font-normal text-muted max-sm:hidden">{organisation}</span>
      </Link>
      <button
        type="button"
        onClick={open}
        className="ms-auto flex min-h-11 items-center gap-2 rounded-md border border-line px-3 text-muted hover:bg-sunken sm:min-h-8 sm:w-72 max-sm:border-transparent max-sm:px-2"
      >
        <Search aria-hidden="true" className="size-4" />
        <span className="max-sm:sr-only">{t('search')}</span>
        <kbd className="ms-auto font-sans text-xs max-sm:hidden">{t('searchKey')}</kbd>
      </button>
      <LiveChip />
      <Menu.Root>
        <Menu.Trigger className="inline-flex min-h-11 max-w-44 items-center rounded-md px-2 font-mono text-[0.8125rem] hover:bg-sunken sm:min-h-8">
          <span className="truncate">{atsign}</span>
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner sideOffset={4} align="end" className="z-50">
            <Menu.Popup className="min-w-56 rounded-md border border-line bg-surface py-1 shadow-xl">
              <p className="px-3 py-1.5 text-xs break-all text-muted">{t('signedInAs', { atsign, role: t(`roles.${role}`) })}</p>
              <Menu.Separator className="my-1 h-px bg-line" />
              <ThemeItems theme={theme} />
              <Menu.Separator className="my-1 h-px bg-line" />
              <Menu.Item render={<Link href="/settings" />} className="flex min-h-9 items-center px-3 data-highlighted:bg-accent-soft">
                {t('nav.settings')}
              </Menu.Item>
              <Menu.Item
                onClick={() => void signOut()}
                className="flex min-h-9 cursor-pointer items-center px-3 data-highlighted:bg-accent-soft"
              >
                {t('signOut')}
              </Menu.Item>
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
      {isWanted && <Palette open={isOpen} onOpenChange={setOpen} />}
    </header>
  )
}
