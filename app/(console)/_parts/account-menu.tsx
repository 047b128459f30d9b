'use client'
import { Menu } from '@base-ui/react/menu'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import type { Theme } from '../../_ui/theme.ts'
import { useOpenAtOnce } from '../../_ui/use-later.ts'
import { signOut } from './sign-out.ts'
import { ThemeItems } from './theme-items.tsx'

interface Props {
  readonly atsign: string
  readonly role: string
  readonly theme: Theme
  readonly trigger: { readonly className: string; readonly children: ReactNode }
}

export function AccountMenu({ atsign, role, theme, trigger }: Props) {
  const t = useTranslations('shell')
  const [ref, isOpen, setOpen] = useOpenAtOnce()
  return (
    <Menu.Root open={isOpen} onOpenChange={setOpen}>
      <Menu.Trigger ref={ref} {...trigger} />
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
  )
}
