'use client'
import { Search } from 'lucide-react'
import dynamic from 'next/dynamic'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import type { KeyboardEvent } from 'react'
import { useEffect, useState } from 'react'
import { LiveChip } from '../../_ui/live.tsx'
import type { Theme } from '../../_ui/theme.ts'
import { useLater } from '../../_ui/use-later.ts'

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
    const onKey = (event: globalThis.KeyboardEvent) => {
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
      <AccountMenu atsign={atsign} role={role} theme={theme} />
      {isWanted && <Palette open={isOpen} onOpenChange={setOpen} />}
    </header>
  )
}

/** Who is signed in, and what they can do about it: behind a plain button until it is pressed. */
function AccountMenu(props: Omit<Props, 'organisation'>) {
  const [Menu, fetchMenu] = useLater(loadMenu)
  const trigger = {
    className: 'inline-flex min-h-11 max-w-44 items-center rounded-md px-2 font-mono text-[0.8125rem] hover:bg-sunken sm:min-h-8',
    children: <span className="truncate">{props.atsign}</span>,
  }
  if (Menu) return <Menu {...props} trigger={trigger} />
  const onKeyDown = (event: KeyboardEvent) => event.key.startsWith('Arrow') && fetchMenu()
  return <button type="button" aria-haspopup="menu" aria-expanded={false} onClick={fetchMenu} onKeyDown={onKeyDown} {...trigger} />
}
const loadMenu = () => import('./account-menu.tsx').then(({ AccountMenu }) => AccountMenu)
