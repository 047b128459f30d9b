'use client'
import type { KnownNames } from '@postern/core'
import { useTranslations } from 'next-intl'
import type { RefObject } from 'react'
import { useEffect, useImperativeHandle, useRef, useState } from 'react'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { useStyleNonce } from '../../../_ui/style-nonce.tsx'
import type { Editor, Mark } from './codemirror.ts'

export interface TextEditorHandle {
  goTo(line: number): void
}
interface Props {
  readonly text: string
  readonly label: string
  readonly marks?: readonly Mark[]
  readonly isReadOnly: boolean
  readonly known?: KnownNames | undefined
  readonly onChange?: (text: string) => void
  readonly handle?: RefObject<TextEditorHandle | null>
}

/** The policy text. The editor is loaded when it is first shown. */
export function TextEditor({ text, label, marks = [], isReadOnly, known, onChange, handle }: Props) {
  const t = useTranslations('policies')
  const nonce = useStyleNonce()
  const parent = useRef<HTMLDivElement>(null)
  const [editor, setEditor] = useState<Editor>()
  const latest = useRef({ known, onChange, text })
  latest.current = { known, onChange, text }

  useEffect(() => {
    let made: Editor | undefined
    let isGone = false
    void import('./codemirror.ts').then(({ createEditor }) => {
      if (isGone || !parent.current) return
      made = createEditor({
        ...{ parent: parent.current, text: latest.current.text, label, nonce, isReadOnly },
        known: () => latest.current.known,
        onChange: (next) => latest.current.onChange?.(next),
      })
      setEditor(made)
    })
    return () => {
      isGone = true
      made?.destroy()
      setEditor(undefined)
    }
  }, [label, nonce, isReadOnly])
  useEffect(() => editor?.setText(text), [editor, text])
  useEffect(() => editor?.setMarks(marks), [editor, marks])
  useImperativeHandle(handle, () => ({ goTo: (line) => editor?.goTo(line) }), [editor])
  return (
    <div className="relative flex min-h-0 grow flex-col overflow-hidden rounded-lg border border-line bg-surface">
      {!editor && (
        <div className="p-4">
          <Skeleton label={t('editor.loading')} lines={8} />
        </div>
      )}
      <div ref={parent} className="min-h-0 grow overflow-hidden" />
    </div>
  )
}
