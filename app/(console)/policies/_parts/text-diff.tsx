'use client'
import { useTranslations } from 'next-intl'
import { useEffect, useRef } from 'react'
import { useStyleNonce } from '../../../_ui/style-nonce.tsx'

/** What changed between two texts, line by line and word by word. */
export function TextDiff({ before, after, label }: { before: string; after: string; label: string }) {
  const t = useTranslations('policies')
  const nonce = useStyleNonce()
  const unchanged = t('versions.unchanged')
  const parent = useRef<HTMLDivElement>(null)
  useEffect(() => {
    let made: Disposable | undefined
    let isGone = false
    void import('./codemirror-diff.ts').then(({ createDiff }) => {
      if (!isGone && parent.current)
        made = createDiff({ parent: parent.current, before, after, label, nonce, phrases: { '$ unchanged lines': unchanged } })
    })
    return () => {
      isGone = true
      made?.[Symbol.dispose]()
    }
  }, [before, after, label, nonce, unchanged])
  return <div ref={parent} className="max-h-[32rem] min-h-24 overflow-auto rounded-md border border-line bg-surface" />
}
