'use client'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPC, useTRPCClient } from '../../../_trpc/client.tsx'
import { Button } from '../../../_ui/button.tsx'
import { NameChip } from '../../../_ui/chip.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { SignButton } from '../../../_ui/sign-button.tsx'
import { Countdown, Time } from '../../../_ui/time.tsx'
import { InboxCard } from './card.tsx'
import type { SigningRequest } from './shapes.ts'

/** What waits for signatures: whose it has, whose it lacks. One whose place in the log was taken can be drafted again. */
export function RequestCard({ request }: { request: SigningRequest }) {
  const t = useTranslations('inbox')
  const trpc = useTRPC()
  const client = useTRPCClient()
  const queries = useQueryClient()
  const { id, kind, op, seq, hash, status, created_by, created, exp } = request
  const refuse = useMutation(
    trpc.requests.refuse.mutationOptions({ onSuccess: () => queries.invalidateQueries({ queryKey: [['requests']] }) }),
  )
  const isOpen = status === 'open'
  const isMadeAgain = status === 'superseded' || status === 'expired'
  const name = op.replace('.', '_')
  return (
    <InboxCard
      head={
        <>
          <span aria-hidden="true" className={status === 'complete' ? 'text-ok' : 'text-warn'}>
            {status === 'complete' ? '✓' : '◔'}
          </span>
          <Link href={`/requests/${id}`} className="rounded font-semibold hover:underline">
            {t.has(`ops.${name}`) ? t(`ops.${name}`) : op}
          </Link>
          {seq !== undefined && <span className="text-muted">{t('request.place', { seq })}</span>}
          <span className="ms-auto text-muted">
            {isOpen ? <Countdown until={exp} over={t('request.over')} label={t('request.left')} /> : t(`request.states.${status}`)}
          </span>
        </>
      }
      facts={
        <>
          <span className="inline-flex items-center gap-1">
            {t('request.by')} <NameChip name={created_by} href={`/people/${created_by}`} />
          </span>
          <Time at={created} />
        </>
      }
    >
      <Signatures request={request} />
      {status === 'superseded' && <p className="w-full text-warn">{t('request.superseded')}</p>}
      {isOpen && kind === 'invite' && <p className="w-full text-muted">{t('request.invite')}</p>}
      {((isOpen && kind !== 'invite') || isMadeAgain) && kind !== 'invite' && (
        <SignButton draft={() => client.requests.redraft.mutate({ id })}>{isOpen ? t('openSigner') : t('request.redraft')}</SignButton>
      )}
      {isOpen && (
        <Button look="quiet" disabled={refuse.isPending} onClick={() => refuse.mutate({ id, reason: t('request.discarded') })}>
          {t('request.discard')}
        </Button>
      )}
      {isOpen && hash && kind === 'statement' && <CliLine command={`npx postern sign ${hash.slice(0, 12)}`} />}
      {refuse.error && <Failure problem={problemOf(refuse.error)} />}
    </InboxCard>
  )
}

function Signatures({ request: { needed = [] } }: { request: SigningRequest }) {
  const t = useTranslations('inbox')
  if (needed.length === 0) return null
  return (
    <ul className="flex w-full flex-col gap-1 text-sm">
      {needed.map((part) =>
        part.by === 'admins' ? (
          <li key={`${part.class} ${part.when}`} className="flex flex-wrap items-center gap-x-2">
            <span className={part.met ? 'text-ok' : ''}>{t('request.signatures', { have: part.signed.length, need: part.m })}</span>
            {part.signed.map((name) => (
              <span key={name} className="text-ok">
                <span aria-hidden="true">✓ </span>
                {name}
              </span>
            ))}
            {!part.met &&
              part.candidates
                .filter((name) => !part.signed.includes(name))
                .map((name) => (
                  <span key={name} className="text-muted">
                    <span aria-hidden="true">◌ </span>
                    {name}
                  </span>
                ))}
          </li>
        ) : (
          <li key={part.kid} className={part.met ? 'text-ok' : 'text-muted'}>
            <span aria-hidden="true">{part.met ? '✓ ' : '◌ '}</span>
            {t(part.met ? 'request.keySigned' : 'request.keyMissing', { why: part.why })}
          </li>
        ),
      )}
    </ul>
  )
}
