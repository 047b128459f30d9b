'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { problemOf, useTRPC, useTRPCClient } from '../../../_trpc/client.tsx'
import { Button } from '../../../_ui/button.tsx'
import { ShortId, Tag } from '../../../_ui/chip.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Dialog } from '../../../_ui/dialog.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { SelectField, TextField } from '../../../_ui/field.tsx'
import { Section } from '../../../_ui/page.tsx'
import { SignButton } from '../../../_ui/sign-button.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Countdown } from '../../../_ui/time.tsx'
import type { FleetToken } from './shapes.ts'

const TAG = /^[a-z0-9][a-z0-9_-]{0,31}$/
const MAX_USES = 100
const MAX_DAYS = 7

/** Signed invites for machines that nobody watches. The token is made in the signer and shown there, once. */
export function FleetTokens() {
  const t = useTranslations('codes')
  const trpc = useTRPC()
  const tokens = useQuery(trpc.enrolment.invites.queryOptions())
  const [isOpen, setOpen] = useState(false)
  return (
    <Section title={t('tokens.title')} actions={<Button onClick={() => setOpen(true)}>{t('tokens.new')}</Button>}>
      <p className="max-w-prose text-muted">{t('tokens.what')}</p>
      {tokens.error && <Failure problem={problemOf(tokens.error)} retry={() => void tokens.refetch()} />}
      {tokens.isPending && <Skeleton label={t('loading')} lines={2} />}
      {tokens.data?.invites.length === 0 && <Empty title={t('tokens.empty')} />}
      <ul className="flex flex-col divide-y divide-line">
        {tokens.data?.invites.map((token) => (
          <TokenRow key={token.kid} token={token} />
        ))}
      </ul>
      <Dialog title={t('tokens.new')} description={t('tokens.what')} open={isOpen} onOpenChange={setOpen}>
        <NewToken onDone={() => setOpen(false)} />
      </Dialog>
    </Section>
  )
}

function TokenRow({ token }: { token: FleetToken }) {
  const t = useTranslations('codes')
  const api = useTRPCClient()
  const { kid, kind, tags, uses, left, exp, state } = token
  const revoke = () =>
    api.requests.draftRevocation.mutate({ targets: [{ kind: 'invite', id: kid }], reason: t('tokens.revoked'), back: '/codes' })
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 py-2.5">
      <span className="w-28 font-medium">{t(`tokens.kinds.${kind}`)}</span>
      <ShortId id={kid} />
      <span className="flex flex-wrap gap-1">
        {tags.map((tag) => (
          <Tag key={tag}>{tag}</Tag>
        ))}
      </span>
      <span className="text-muted">{t('tokens.uses', { used: uses - left, uses })}</span>
      <span className="ms-auto flex items-center gap-3">
        {state === 'open' ? (
          <>
            <span className="text-muted">
              {t('open.left')} <Countdown until={exp} over={t('open.over')} label={t('open.left')} />
            </span>
            <SignButton look="danger" draft={revoke}>
              {t('tokens.revoke')}
            </SignButton>
          </>
        ) : (
          <span className={state === 'revoked' ? 'text-danger' : 'text-muted'}>{t(`tokens.states.${state}`)}</span>
        )}
      </span>
    </li>
  )
}

function NewToken({ onDone }: { onDone: () => void }) {
  const t = useTranslations('codes')
  const api = useTRPCClient()
  const [kind, setKind] = useState<'gateway' | 'agent'>('gateway')
  const [tags, setTags] = useState('')
  const [uses, setUses] = useState('10')
  const [days, setDays] = useState('1')
  const wanted = tags.split(/[\s,]+/).filter(Boolean)
  const badTag = wanted.find((tag) => !TAG.test(tag))
  const badUses = !isWithin(uses, MAX_USES)
  const badDays = !isWithin(days, MAX_DAYS)
  const blocked = badTag !== undefined || badUses || badDays ? t('tokens.blocked') : undefined
  return (
    <div className="flex flex-col gap-4">
      <div className="grid gap-4 sm:grid-cols-2">
        <SelectField label={t('tokens.for')} value={kind} onChange={(event) => setKind(event.target.value as typeof kind)}>
          <option value="gateway">{t('tokens.kinds.gateway')}</option>
          <option value="agent">{t('tokens.kinds.agent')}</option>
        </SelectField>
        <TextField
          label={t('form.tags')}
          hint={t('tokens.tagsHint')}
          error={badTag === undefined ? undefined : t('form.badTag', { tag: badTag })}
          value={tags}
          onChange={(event) => setTags(event.target.value)}
        />
        <TextField
          label={t('tokens.usesLabel')}
          hint={t('tokens.usesHint')}
          error={badUses ? t('tokens.badUses') : undefined}
          inputMode="numeric"
          value={uses}
          onChange={(event) => setUses(event.target.value)}
        />
        <TextField
          label={t('tokens.days')}
          hint={t('tokens.daysHint')}
          error={badDays ? t('tokens.badDays') : undefined}
          inputMode="numeric"
          value={days}
          onChange={(event) => setDays(event.target.value)}
        />
      </div>
      <SignButton
        blocked={blocked}
        onDone={onDone}
        draft={() => api.requests.draftInvite.mutate({ kind, tags: wanted, uses: Number(uses), days: Number(days) })}
      >
        {t('tokens.make')}
      </SignButton>
      <p className="text-xs text-muted">{t('tokens.once')}</p>
      <CliLine
        command={`npx postern invite new ${kind} --token-file token --uses ${uses} --days ${days}${wanted.length > 0 ? ` --tags ${wanted.join(',')}` : ''}`}
      />
    </div>
  )
}

const isWithin = (text: string, max: number): boolean => /^[1-9]\d{0,3}$/.test(text) && Number(text) <= max
