'use client'
import { Menu } from '@base-ui/react/menu'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { Theme } from '../../_ui/theme.ts'
import { chooseTheme, THEMES } from '../../_ui/theme.ts'

/** Light, dark or as the device says. Takes effect at once; the cookie keeps it for the server's next page. */
export function ThemeItems({ theme }: { theme: Theme }) {
  const t = useTranslations('shell')
  const [chosen, setChosen] = useState(theme)
  const choose = (next: Theme) => {
    chooseTheme(next)
    setChosen(next)
  }
  return (
    <Menu.RadioGroup value={chosen} onValueChange={choose} aria-label={t('theme')}>
      {THEMES.map((choice) => (
        <Menu.RadioItem
          key={choice}
          value={choice}
          closeOnClick={false}
          className="flex min-h-9 cursor-pointer items-center gap-2 px-3 data-highlighted:bg-accent-soft"
        >
          <span aria-hidden="true" className="w-4">
            {choice === chosen ? '●' : '○'}
          </span>
          {t(`themes.${choice}`)}
        </Menu.RadioItem>
      ))}
    </Menu.RadioGroup>
  )
}
