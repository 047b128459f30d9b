'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Dialog } from '../../../_ui/dialog.tsx'
import { EnrolForm } from './enrol-form.tsx'
import type { Made } from './shapes.ts'
import { Waiting } from './waiting.tsx'

export const KINDS = ['gateway', 'agent', 'person'] as const
export type EnrolKind = (typeof KINDS)[number]

/** What was asked for, so that the last step can say how to set up this very client. */
export interface Wish {
  readonly server?: string | undefined
  readonly client?: string | undefined
}
interface Props {
  readonly kind: EnrolKind
  /** Of the code to follow; the code itself is shown once. */
  readonly codeId: string | null
  readonly atsign: string
  readonly isAdmin: boolean
  /** Keeps in the URL which code is followed, before this tab may go to the signer. */
  readonly onCode: (id: string) => Promise<unknown>
  readonly onClose: () => void
}

/**
 * From a code to somebody enrolled: asks what it is for, makes the code and opens the signer, which alone shows the join string, then
 * waits for the request and leads to its approval.
 */
export function EnrolDialog({ kind, codeId, atsign, isAdmin, onCode, onClose }: Props) {
  const t = useTranslations('codes')
  const [made, setMade] = useState<Made & Wish>()
  const own = made && made.id === codeId ? made : undefined
  return (
    <Dialog title={t(`dialog.${kind}.title`)} description={t(`dialog.${kind}.what`)} open onOpenChange={(open) => !open && onClose()}>
      {codeId ? (
        <Waiting kind={kind} codeId={codeId} made={own} onAgain={onClose} />
      ) : (
        <EnrolForm kind={kind} atsign={atsign} isAdmin={isAdmin} onMade={setMade} onCode={onCode} />
      )}
    </Dialog>
  )
}
