'use client'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPC, useTRPCClient } from '../../../_trpc/client.tsx'
import { Button } from '../../../_ui/button.tsx'
import { NameChip } from '../../../_ui/chip.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { SignButton } from '../../../_ui/sign-button.tsx'
import { Countdown, Time } from '../../../_ui/time.tsx'
import { InboxCard } from './card.tsx'
import type { SigningRequest } from './shapes.ts'

/** A statement that wants signatures: whose it has, whose it lacks. One whose place was taken can be drafted again. */
export function RequestCard({ request }: { request: SigningRequest }) {
  const t = useTranslations('inbox')
  const trpc = useTRPC()
  const client = useTRPCClient()
  const queries = useQueryClient()
  const { id, op, seq, status, created_by, created, exp, needed = [] } = request
  const refuse = useMutation(
    trpc.requests.refuse.mutationOptions({ onSuccess: () => queries.invalidateQueries({ queryKey: [['requests']] }) }),
  )
  return (
    <InboxCard
      head={
        <>
          <strong>{t.has(`ops.${op.replace('.', '_')}`) ? t(`ops.${op.replace('.', '_')}`) : op}</strong>
          {seq !== undefined && <span className="text-muted">{t('request.place', { seq })}</span>}
          <span className="ms-auto">
            <Countdown until={exp} over={t('request.over')} label={t('request.left')} />
          </span>
        </>
      }
      facts={
        <>
          <span>{t('request.by')}</span>
          <NameChip name={created_by} href={`/people/${encodeURIComponent(created_by)}`} />
          <Time at={created} />
          {needed.map((part) =>
            part.by === 'admins' ? (
              <span key={`${part.class} ${part.when}`}>
                {t('request.signatures', { have: part.signed.length, need: part.m })}
                {part.signed.length > 0 && ` (${part.signed.join(', ')})`}
                {part.signed.length < part.m &&
                  ` ${t('request.missing', { names: part.candidates.filter((name) => !part.signed.includes(name)).join(', ') })}`}
              </span>
            ) : (
              <span key={part.kid}>{t(part.met ? 'request.keySigned' : 'request.keyMissing', { why: part.why })}</span>
            ),
          )}
        </>
      }
    >
      {status === 'superseded' && <p className="w-full text-warn">{t('request.superseded')}</p>}
      <SignButton draft={() => client.requests.redraft.mutate({ id })}>
        {status === 'open' ? t('openSigner') : t('request.redraft')}
      </SignButton>
      <Button look="quiet" disabled={refuse.isPending} onClick={() => refuse.mutate({ id, reason: t('request.discarded') })}>
        {t('request.discard')}
      </Button>
      {refuse.error && <Failure problem={problemOf(refuse.error)} />}
    </InboxCard>
  )
}
