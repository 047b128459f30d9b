'use client'
import { Link } from 'lucide-react'
import { useTranslations } from 'next-intl'
import { useEffect, useState } from 'react'
import { Button } from './button.tsx'

const SHOWN_MS = 2_000

/** Copies the address of the page as it stands: filter, order, range and what is open are all in it. */
export function CopyLink() {
  const t = useTranslations('common')
  const [said, setSaid] = useState<'copyLink' | 'copied' | 'copyFailed'>('copyLink')
  useEffect(() => {
    if (said === 'copyLink') return
    const timer = setTimeout(() => setSaid('copyLink'), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [said])
  const copy = () =>
    navigator.clipboard.writeText(window.location.href).then(
      () => setSaid('copied'),
      () => setSaid('copyFailed'),
    )
  return (
    <Button onClick={copy}>
      <Link aria-hidden="true" className="size-3.5" />
      <span aria-live="polite">{t(said)}</span>
    </Button>
  )
}
