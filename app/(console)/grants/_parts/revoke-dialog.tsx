'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { useTRPCClient } from '../../../_trpc/client.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { useNow } from '../../../_ui/clock.tsx'
import { Dialog } from '../../../_ui/dialog.tsx'
import { TextField } from '../../../_ui/field.tsx'
import { SecondPath } from '../../../_ui/second-path.tsx'
import { shellWord } from '../../../_ui/shell-word.ts'
import { SignButton } from '../../../_ui/sign-button.tsx'
import { Countdown } from '../../../_ui/time.tsx'
import type { Grant } from './shapes.ts'

const MAX = 64
const MAX_LINES = 3

/** Ends chosen grants before their time, with one signature. They end by themselves soon: the dialog keeps saying when. */
export function RevokeDialog({ grants: given, onClose, onDone }: { grants: readonly Grant[]; onClose: () => void; onDone: () => void }) {
  const t = useTranslations('grants')
  const client = useTRPCClient()
  const now = useNow()
  const [grants] = useState(given) // what was chosen, though rows leave the list meanwhile
  const [reason, setReason] = useState('')
  const [request, setRequest] = useState<string>()
  const longest = Math.max(...grants.map(({ expires }) => expires))
  const draft = async () => {
    const drafted = await client.grants.draftStop.mutate({ hashes: grants.map(({ hash }) => hash), reason: reason.trim() })
    setRequest(drafted.id)
    return drafted
  }
  const blocked =
    grants.length > MAX
      ? t('dialog.tooMany', { max: MAX })
      : longest <= now
        ? t('dialog.over')
        : reason.trim() === ''
          ? t('dialog.needsReason')
          : undefined
  return (
    <Dialog
      title={t('dialog.title', { count: grants.length })}
      description={t('dialog.means')}
      open
      onOpenChange={(open) => !open && onClose()}
    >
      <p>
        {t('dialog.ends')} <Countdown until={longest} over={t('over')} label={t('dialog.ends')} />
      </p>
      <TextField
        label={t('dialog.reason')}
        hint={t('dialog.reasonHint')}
        value={reason}
        maxLength={280}
        onChange={(event) => setReason(event.target.value)}
      />
      <SignButton draft={draft} look="danger" blocked={blocked} onDone={onDone}>
        {t('dialog.sign')}
      </SignButton>
      {request && <SecondPath request={request} />}
      {grants.slice(0, MAX_LINES).map(({ hash }) => (
        <CliLine key={hash} command={`postern grant revoke ${hash} --reason ${shellWord(reason.trim() || '…')}`} />
      ))}
    </Dialog>
  )
}
