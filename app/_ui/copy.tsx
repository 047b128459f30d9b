'use client'
import { Check, Copy as CopyIcon } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useEffect, useState } from 'react'

const SHOWN_MS = 2_000

/** Copies a text whole and says so, to eyes and to screen readers. */
export function Copy({ text, label, withText = false }: { text: string; label?: string; withText?: boolean }) {
  const t = useTranslations('common')
  const [state, setState] = useState<'ready' | 'copied' | 'failed'>('ready')
  useEffect(() => {
    if (state === 'ready') return
    const timer = setTimeout(() => setState('ready'), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [state])
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setState('copied'),
      () => setState('failed'),
    )
  const said = { ready: label ?? t('copy'), copied: t('copied'), failed: t('copyFailed') }[state]
  return (
    <button
      type="button"
      onClick={copy}
      aria-label={said}
      title={said}
      className="inline-flex min-h-6 min-w-6 items-center justify-center gap-1 rounded text-muted hover:bg-sunken hover:text-ink"
    >
      {state === 'copied' ? (
        <Check aria-hidden="true" className="size-3.5 text-ok" />
      ) : (
        <CopyIcon aria-hidden="true" className="size-3.5" />
      )}
      {withText && <span className="text-xs">{said}</span>}
      <span aria-live="polite" className="sr-only">
        {state === 'ready' ? '' : said}
      </span>
    </button>
  )
}
