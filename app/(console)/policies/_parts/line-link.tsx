'use client'
import { useTranslations } from 'next-intl'

/** Leads to a line of the text. */
export function LineLink({ line, goTo, children }: { line: number; goTo: (line: number) => void; children?: string }) {
  const t = useTranslations('policies')
  return (
    <button
      type="button"
      onClick={() => goTo(line)}
      className="min-h-6 shrink-0 rounded px-1.5 text-xs whitespace-nowrap text-accent underline-offset-2 hover:underline max-sm:min-h-11"
    >
      {children ?? t('line', { line })}
    </button>
  )
}
