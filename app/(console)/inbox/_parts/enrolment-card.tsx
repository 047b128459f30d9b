'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { problemOf, useTRPC, useTRPCClient } from '../../../_trpc/client.tsx'
import { Button } from '../../../_ui/button.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { TextField } from '../../../_ui/field.tsx'
import { SignButton } from '../../../_ui/sign-button.tsx'
import { Countdown, Time } from '../../../_ui/time.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'
import { InboxCard } from './card.tsx'
import type { Enrolment } from './shapes.ts'

const DAYS = { person: 365, agent: 30, gateway: 180 } as const
const TAG = /^[a-z0-9][a-z0-9_-]{0,31}$/

/** Somebody or something that wants to join. What is decided here is only drafted; the words are compared where it is signed. */
export function EnrolmentCard({ enrolment, back = '/inbox' }: { enrolment: Enrolment; back?: string }) {
  const t = useTranslations('inbox')
  const trpc = useTRPC()
  const client = useTRPCClient()
  const queries = useQueryClient()
  const { id, kind, atsign, owner, invited_by, created, exp, facts } = enrolment
  const [tags, setTags] = useState(enrolment.tags.join(' '))
  const [days, setDays] = useState(String(DAYS[kind]))
  const [holder, setHolder] = useState(owner ?? (kind === 'agent' ? invited_by : ''))
  const [agents, setAgents] = useState('3')
  const [isAdmin, setAdmin] = useState(false)
  const who = useQuery(trpc.people.whoami.queryOptions())
  const refuse = useMutation(
    trpc.enrolment.refuse.mutationOptions({ onSuccess: () => queries.invalidateQueries({ queryKey: [['enrolment']] }) }),
  )

  const wanted = tags.split(/[\s,]+/).filter(Boolean)
  const badTag = wanted.find((tag) => !TAG.test(tag))
  const badDays = !/^[1-9]\d{0,3}$/.test(days) || Number(days) > 3650
  const badAgents = !/^\d{1,4}$/.test(agents) || Number(agents) > 1000
  const blocked = badTag
    ? t('enrolment.badTag', { tag: badTag })
    : badDays
      ? t('enrolment.badDays')
      : badAgents
        ? t('enrolment.badAgents')
        : undefined
  const summary = isAdmin
    ? [t('enrolment.summary.admin')]
    : [
        t('enrolment.summary.tags', { count: wanted.length, tags: wanted.join(', ') }),
        t('enrolment.summary.days', { days }),
        ...(kind === 'agent' ? [holder ? t('enrolment.summary.owner', { owner: holder }) : t('enrolment.summary.service')] : []),
        ...(kind === 'person' ? [t('enrolment.summary.agents', { count: Number(agents) || 0 })] : []),
      ]
  const isOwnDecision = who.data?.role === 'admin' || kind === 'agent'
  const draft = () =>
    client.requests.draftEnrolment.mutate({
      enrolment: id,
      tags: wanted,
      ...(isAdmin ? {} : { days: Number(days) }),
      ...(kind === 'agent' && holder ? { owner: holder } : {}),
      ...(kind === 'person' && !isAdmin && Number(agents) > 0 ? { delegation: { agents: Number(agents) } } : {}),
      ...(isAdmin ? { admin: true } : {}),
      back,
    })
  return (
    <InboxCard
      head={
        <>
          <span aria-hidden="true" className="text-warn">
            ◔
          </span>
          <Link href={`/e/${id}`} className="rounded font-semibold break-all hover:underline">
            {t(`enrolment.wants.${kind}`, { atsign })}
          </Link>
          <span className="ms-auto">
            <Countdown until={exp} over={t('enrolment.over')} label={t('enrolment.left')} />
          </span>
        </>
      }
      facts={
        <>
          <span>{t('enrolment.code', { by: invited_by })}</span>
          <Time at={created} />
          {Object.entries(facts).map(([name, value]) => (
            <span key={name}>
              {t.has(`enrolment.facts.${name}`) ? t(`enrolment.facts.${name}`) : name} <Untrusted text={value} max={128} />
            </span>
          ))}
          <span className="w-full text-xs">{t('enrolment.unverified')}</span>
        </>
      }
    >
      {isOwnDecision && (
        <details className="w-full" open={blocked !== undefined || undefined}>
          <summary className="cursor-pointer">
            {t(`kinds.${kind}`)} · {summary.join(' · ')} <span className="text-sm text-accent underline">{t('enrolment.adjust')}</span>
          </summary>
          <div className="grid w-full gap-3 pt-3 sm:grid-cols-3">
            {!isAdmin && (
              <TextField
                label={t('enrolment.tags')}
                hint={t('enrolment.tagsHint')}
                error={badTag && t('enrolment.badTag', { tag: badTag })}
                value={tags}
                onChange={(event) => setTags(event.target.value)}
              />
            )}
            {!isAdmin && (
              <TextField
                label={t('enrolment.days')}
                error={badDays ? t('enrolment.badDays') : undefined}
                inputMode="numeric"
                value={days}
                onChange={(event) => setDays(event.target.value)}
              />
            )}
            {kind === 'agent' && (
              <TextField
                label={t('enrolment.owner')}
                hint={t('enrolment.ownerHint')}
                value={holder}
                onChange={(event) => setHolder(event.target.value)}
              />
            )}
            {kind === 'person' && !isAdmin && (
              <TextField
                label={t('enrolment.agents')}
                hint={t('enrolment.agentsHint')}
                error={badAgents ? t('enrolment.badAgents') : undefined}
                inputMode="numeric"
                value={agents}
                onChange={(event) => setAgents(event.target.value)}
              />
            )}
            {kind === 'person' && (
              <label className="flex items-center gap-2 self-end pb-1.5">
                <input
                  type="checkbox"
                  checked={isAdmin}
                  onChange={(event) => setAdmin(event.target.checked)}
                  className="size-4 accent-accent"
                />
                {t('enrolment.admin')}
              </label>
            )}
          </div>
        </details>
      )}
      <SignButton draft={draft} blocked={isOwnDecision ? blocked : t('enrolment.notYours')}>
        {t('openSigner')}
      </SignButton>
      <Button look="quiet" disabled={refuse.isPending} onClick={() => refuse.mutate({ id, reason: t('enrolment.refusedHere') })}>
        {t('enrolment.refuse')}
      </Button>
      <CliLine command={`npx postern approve ${id}`} />
      {refuse.error && <Failure problem={problemOf(refuse.error)} />}
    </InboxCard>
  )
}
