'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import type { Theme } from '../../../_ui/theme.ts'
import { chooseTheme, THEMES } from '../../../_ui/theme.ts'

/** The same choice as in the account's menu. */
export function ThemeChoice({ theme }: { theme: Theme }) {
  const t = useTranslations('shell')
  const [chosen, setChosen] = useState(theme)
  const choose = (next: Theme) => {
    chooseTheme(next)
    setChosen(next)
  }
  return (
    <fieldset className="flex flex-wrap gap-2">
      <legend className="mb-1 text-sm font-medium">{t('theme')}</legend>
      {THEMES.map((each) => (
        <label
          key={each}
          className="flex min-h-11 cursor-pointer items-center gap-2 rounded-md border border-line px-3 has-checked:border-accent has-checked:bg-accent-soft sm:min-h-8"
        >
          <input type="radio" name="theme" checked={each === chosen} onChange={() => choose(each)} className="accent-accent" />
          {t(`themes.${each}`)}
        </label>
      ))}
    </fieldset>
  )
}
