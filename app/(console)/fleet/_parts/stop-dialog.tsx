'use client'
import { useQuery } from '@tanstack/react-query'
import { useFormatter, useTranslations } from 'next-intl'
import { useState } from 'react'
import { problemOf, useTRPCClient } from '../../../_trpc/client.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Dialog } from '../../../_ui/dialog.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { SelectField, TextField } from '../../../_ui/field.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { SecondPath } from '../../../_ui/second-path.tsx'
import { shellWord } from '../../../_ui/shell-word.ts'
import { SignButton } from '../../../_ui/sign-button.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import type { Blast, Member, Selection } from './shapes.ts'

const HOURS = [1, 8, 24, 72] as const
const MAX_TARGETS = 64
const KINDS = ['gateway', 'agent'] as const
/** A command with more names is folded away: it is there to be copied. */
const MAX_SHOWN = 6

interface Props {
  readonly selection: Selection
  readonly members: readonly Pick<Member, 'atsign' | 'kind'>[]
  readonly count: number
  readonly first: 'suspend' | 'revoke'
  readonly onClose: () => void
}

/**
 * Contain: what would stop, in numbers; suspending first, since it can be undone; a typed name before what cannot. One signature for all.
 */
export function StopDialog({ selection, members, count, first, onClose }: Props) {
  const t = useTranslations('fleet')
  const format = useFormatter()
  const client = useTRPCClient()
  const [mode, setMode] = useState<'suspend' | 'revoke'>(first)
  const [hours, setHours] = useState<number>(24)
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const [request, setRequest] = useState<string>()
  const blast = useQuery({ queryKey: ['blast', selection], queryFn: () => client.fleet.blast.mutate(selection), retry: false })
  const phrase = count === 1 && members[0] ? members[0].atsign : t('stop.phrase', { count })
  const draft = async () => {
    const drafted = await client.fleet.draftStop.mutate({ selection, reason: reason.trim(), ...(mode === 'suspend' ? { hours } : {}) })
    setRequest(drafted.id)
    return drafted
  }
  const waiting = blast.data?.pending ?? []
  const blocked =
    waiting.length > 0
      ? t('stop.pending', { names: format.list(waiting) })
      : count > MAX_TARGETS
        ? t('stop.tooMany', { max: MAX_TARGETS })
        : reason.trim() === ''
          ? t('stop.needsReason')
          : mode === 'revoke' && typed.trim() !== phrase
            ? t('stop.needsName', { phrase })
            : undefined
  return (
    <Dialog
      title={count === 1 && members[0] ? t(`stop.${mode}One`, { name: members[0].atsign }) : t(`stop.${mode}Many`, { count })}
      open
      onOpenChange={(open) => !open && onClose()}
    >
      {blast.error ? (
        <Failure problem={problemOf(blast.error)} />
      ) : blast.data ? (
        <BlastText blast={blast.data} />
      ) : (
        <Skeleton label={t('stop.counting')} lines={2} />
      )}
      <fieldset className="flex flex-col gap-2">
        <legend className="sr-only">{t('stop.how')}</legend>
        {(['suspend', 'revoke'] as const).map((one) => (
          <label key={one} className={`flex gap-3 rounded-md border p-3 ${mode === one ? 'border-accent bg-accent-soft' : 'border-line'}`}>
            <input type="radio" name="how" className="mt-1 accent-accent" checked={mode === one} onChange={() => setMode(one)} />
            <span className="flex min-w-0 flex-col">
              <span className="font-medium">{t(`stop.${one}`)}</span>
              <span className="text-xs text-muted">{t(`stop.${one}Means`)}</span>
            </span>
          </label>
        ))}
      </fieldset>
      {mode === 'suspend' && (
        <SelectField label={t('stop.for')} value={hours} onChange={(event) => setHours(Number(event.target.value))}>
          {HOURS.map((n) => (
            <option key={n} value={n}>
              {t('stop.hours', { count: n })}
            </option>
          ))}
        </SelectField>
      )}
      <TextField
        label={t('stop.reason')}
        hint={t('stop.reasonHint')}
        value={reason}
        maxLength={280}
        onChange={(event) => setReason(event.target.value)}
      />
      {mode === 'revoke' && (
        <TextField
          label={t('stop.type', { phrase })}
          value={typed}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          onChange={(event) => setTyped(event.target.value)}
        />
      )}
      <SignButton draft={draft} look={mode === 'revoke' ? 'danger' : 'primary'} blocked={blocked}>
        {t('stop.sign')}
      </SignButton>
      {request && <SecondPath request={request} />}
      {KINDS.map((kind) => {
        const names = members.filter((member) => member.kind === kind).map(({ atsign }) => atsign)
        if (names.length === 0) return null
        const how = mode === 'suspend' ? ` --for ${hours}h` : ''
        const command = `postern ${kind} ${mode} ${names.join(' ')}${how} --reason ${shellWord(reason.trim() || '…')}`
        if (names.length <= MAX_SHOWN) return <CliLine key={kind} command={command} />
        return (
          <details key={kind} className="flex flex-col gap-2">
            <summary className="cursor-pointer text-xs text-muted">{t('stop.longLine', { count: names.length })}</summary>
            <CliLine command={command} />
          </details>
        )
      })}
      {count > members.length && <p className="text-xs text-muted">{t('stop.moreLines', { count: count - members.length })}</p>}
    </Dialog>
  )
}

/** What stops with it, in numbers that this console knows, and what it does not know. */
export function BlastText({ blast }: { blast: Blast }) {
  const t = useTranslations('fleet')
  const format = useFormatter()
  const { grants, sessions, connected, tools, at_gateways, served, falling, admins } = blast
  return (
    <div className="flex flex-col gap-2">
      <p className="text-sm font-medium">{t('blast.title')}</p>
      <ul className="flex flex-wrap gap-x-4 gap-y-1">
        <li>{t('blast.grants', { count: grants })}</li>
        {tools > 0 && <li>{t('blast.tools', { count: tools, gateways: at_gateways })}</li>}
        {served.tools > 0 && <li>{t('blast.served', { count: served.tools, servers: served.servers })}</li>}
        <li>{t('blast.connected', { count: connected })}</li>
        {sessions > 0 && <li>{t('blast.sessions', { count: sessions })}</li>}
      </ul>
      {falling.length > 0 && (
        <p>
          {t('blast.falling', { count: falling.length })}{' '}
          <span className="font-mono text-xs">{format.list(falling.slice(0, 12).map(({ atsign }) => atsign))}</span>
        </p>
      )}
      <p className="text-xs text-muted">{t('blast.unknown')}</p>
      {admins.length > 0 && <Notice tone="warn" title={t('blast.admins', { names: admins.join(', ') })} />}
    </div>
  )
}
