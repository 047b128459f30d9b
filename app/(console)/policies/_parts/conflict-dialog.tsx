'use client'
import { useTranslations } from 'next-intl'
import { useEffect, useRef } from 'react'
import { Button } from '../../../_ui/button.tsx'
import { Dialog } from '../../../_ui/dialog.tsx'
import { useStyleNonce } from '../../../_ui/style-nonce.tsx'
import { Time } from '../../../_ui/time.tsx'
import type { MergeEditor } from './codemirror-diff.ts'
import type { Theirs } from './shapes.ts'

interface Props {
  readonly theirs: Theirs
  readonly mine: string
  readonly onSettle: (text: string) => void
  readonly onClose: () => void
}

/** Two people changed the same lines. Nothing is saved until one of them has put the two together. */
export function ConflictDialog({ theirs, mine, onSettle, onClose }: Props) {
  const t = useTranslations('policies')
  const nonce = useStyleNonce()
  const parent = useRef<HTMLDivElement>(null)
  const merge = useRef<MergeEditor>(undefined)
  const labels = { theirs: t('conflict.theirs', { by: theirs.by }), mine: t('conflict.mine') }
  const phrases = { '$ unchanged lines': t('versions.unchanged'), 'Revert this chunk': t('conflict.take', { by: theirs.by }) }
  // biome-ignore lint/correctness/useExhaustiveDependencies: made once for one conflict; what is typed in it stays in it
  useEffect(() => {
    let isGone = false
    void import('./codemirror-diff.ts').then(({ createMerge }) => {
      if (!isGone && parent.current)
        merge.current = createMerge({ parent: parent.current, theirs: theirs.text, mine, labels, nonce, phrases })
    })
    return () => {
      isGone = true
      merge.current?.destroy()
    }
  }, [theirs.revision])
  return (
    <Dialog
      title={t('conflict.title', { by: theirs.by })}
      description={t('conflict.what')}
      open
      onOpenChange={(isOpen) => !isOpen && onClose()}
      placement="side"
    >
      <p className="flex flex-wrap gap-x-2 text-muted">
        {t('conflict.saved', { by: theirs.by })} <Time at={theirs.at} />
      </p>
      <div className="grid grid-cols-2 gap-2 text-xs font-medium">
        <span>{labels.theirs}</span>
        <span>{labels.mine}</span>
      </div>
      <div ref={parent} className="max-h-[60vh] min-h-40 overflow-auto rounded-md border border-line" />
      <div className="flex flex-wrap gap-2">
        <Button look="primary" onClick={() => onSettle(merge.current?.text() ?? mine)}>
          {t('conflict.keepMerged')}
        </Button>
        <Button onClick={() => onSettle(theirs.text)}>{t('conflict.takeTheirs', { by: theirs.by })}</Button>
      </div>
    </Dialog>
  )
}
