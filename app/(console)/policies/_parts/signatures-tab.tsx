'use client'
import { decodeBase64url, decodeUtf8 } from '@postern/core'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPC, useTRPCClient } from '../../../_trpc/client.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { SignButton } from '../../../_ui/sign-button.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Countdown } from '../../../_ui/time.tsx'

/** Statements that would put a policy in force: whose signatures they have and want. Read out of their own bytes. */
export function SignaturesTab({ sha256 }: { sha256: string | undefined }) {
  const t = useTranslations('policies')
  const trpc = useTRPC()
  const client = useTRPCClient()
  const requests = useQuery(trpc.requests.list.queryOptions())
  if (requests.error) return <Failure problem={problemOf(requests.error)} retry={() => void requests.refetch()} />
  if (!requests.data) return <Skeleton label={t('loading')} lines={3} />
  const open = requests.data.requests.flatMap((request) => {
    if (request.op !== 'policy.set' || request.status !== 'open' || !request.bytes) return []
    return [{ ...request, names: namedBy(request.bytes) }]
  })
  if (open.length === 0) return <Empty title={t('signatures.none')}>{t('signatures.how')}</Empty>
  return (
    <ul className="flex flex-col gap-3">
      {open.map(({ id, names, created_by, exp, needed = [] }) => (
        <li key={id} className="flex flex-col gap-2 rounded-md border border-line p-3">
          <p className="flex flex-wrap items-center gap-x-3">
            <span className="font-medium">{t(names === sha256 ? 'signatures.thisText' : 'signatures.otherText')}</span>
            <span className="text-muted">{t('signatures.by', { by: created_by })}</span>
            <span className="ms-auto">
              <Countdown until={exp} over={t('signatures.over')} label={t('signatures.left')} />
            </span>
          </p>
          {needed.map((part) =>
            part.by === 'admins' ? (
              <p key={`${part.class} ${part.when}`} className={part.met ? 'text-ok' : ''}>
                <span aria-hidden="true">{part.met ? '✓ ' : '◌ '}</span>
                {t('signatures.quorum', { have: part.signed.length, need: part.m })}
                {part.signed.length > 0 && ` · ${t('signatures.signed', { names: part.signed.join(', ') })}`}
                {!part.met &&
                  ` · ${t('signatures.missing', { names: part.candidates.filter((name) => !part.signed.includes(name)).join(', ') })}`}
              </p>
            ) : (
              <p key={part.kid}>{part.why}</p>
            ),
          )}
          <SignButton draft={() => client.requests.redraft.mutate({ id })}>{t('review.sign')}</SignButton>
          <CliLine command={`npx postern sign ${id}`} />
        </li>
      ))}
    </ul>
  )
}

/** The policy that a `policy.set` names. The server has parsed it; the signer reads it again before anybody signs. */
const namedBy = (bytes: string): string => (JSON.parse(decodeUtf8(decodeBase64url(bytes))) as { body: { sha256: string } }).body.sha256
