'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { Button, buttonClass } from '../../../_ui/button.tsx'
import { Copy } from '../../../_ui/copy.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { openSigner } from '../../../_ui/open-signer.ts'
import { Qr } from '../../../_ui/qr.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Countdown } from '../../../_ui/time.tsx'
import { EnrolmentCard } from '../../inbox/_parts/enrolment-card.tsx'
import { ClientSetup } from './client-setup.tsx'
import type { EnrolKind, Wish } from './enrol-dialog.tsx'
import type { Code, Made } from './shapes.ts'

interface Props {
  readonly kind: EnrolKind
  readonly codeId: string
  /** The code and its link, in the tab that made it. */
  readonly made: (Made & Wish) | undefined
  readonly onAgain: () => void
}

/** Follows one code: open, used by a request that waits, decided. Pushed by the event stream, never polled. */
export function Waiting({ kind, codeId, made, onAgain }: Props) {
  const t = useTranslations('codes')
  const trpc = useTRPC()
  const codes = useQuery(trpc.enrolment.codes.queryOptions())
  const code = codes.data?.codes.find(({ id }) => id === codeId)
  if (codes.error) return <Failure problem={problemOf(codes.error)} retry={() => void codes.refetch()} />
  if (codes.isPending) return <Skeleton label={t('loading')} lines={4} />
  if (code?.request) return <Requested id={code.request.id} kind={kind} wish={made} onAgain={onAgain} />
  if (!code && !made) return <Gone onAgain={onAgain} />
  return <Open kind={kind} code={code} made={made} onAgain={onAgain} />
}

function Gone({ onAgain }: { onAgain: () => void }) {
  const t = useTranslations('codes')
  return (
    <Notice tone="warn" title={t('waiting.gone')}>
      <Button onClick={onAgain}>{t('waiting.close')}</Button>
    </Notice>
  )
}

function Open({ kind, code, made, onAgain }: Omit<Props, 'codeId'> & { code: Code | undefined }) {
  const t = useTranslations('codes')
  const trpc = useTRPC()
  const queries = useQueryClient()
  const end = useMutation(
    trpc.enrolment.voidCode.mutationOptions({
      onSuccess: async () => {
        await queries.invalidateQueries({ queryKey: [['enrolment', 'codes']] })
        onAgain()
      },
    }),
  )
  const id = code?.id ?? made?.id ?? ''
  const exp = code?.exp ?? made?.exp ?? 0
  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-wrap items-start gap-6">
        <div className="flex min-w-0 grow flex-col gap-3">
          {made && (
            <p className="flex flex-wrap items-center gap-2">
              <code className="rounded-md bg-sunken px-3 py-1.5 font-mono text-2xl font-semibold tracking-wider">{made.code}</code>
              <Copy text={made.code} label={t('waiting.copy')} />
            </p>
          )}
          <p className="text-muted">
            {t('waiting.left')} <Countdown until={exp} over={t('waiting.over')} label={t('waiting.left')} />
            {' · '}
            {t('waiting.once')}
          </p>
          <p>{t(`waiting.next.${kind}`)}</p>
          <ul className="flex list-disc flex-col gap-1 ps-5 text-sm text-muted">
            <li>{t('waiting.compare')}</li>
            <li>{t('waiting.install')}</li>
          </ul>
        </div>
        {made && (
          <figure className="flex flex-col items-center gap-1">
            <Qr text={made.url} label={t('waiting.qr')} />
            <figcaption className="max-w-44 text-center text-xs text-muted">{t('waiting.qr')}</figcaption>
          </figure>
        )}
      </div>
      <p role="status" className="flex items-center gap-2 rounded-md border border-line bg-sunken px-3 py-2">
        <span aria-hidden="true">◌</span>
        {t(`waiting.for.${kind}`)}
      </p>
      {end.error && <Failure problem={problemOf(end.error)} />}
      <div className="flex flex-wrap gap-2">
        {made && (
          <Button look="primary" onClick={() => void openSigner(async () => made)}>
            {t('waiting.open')}
          </Button>
        )}
        <Button look="danger" disabled={end.isPending} onClick={() => end.mutate({ id })}>
          {t('open.void')}
        </Button>
      </div>
    </div>
  )
}

function Requested({ id, kind, wish, onAgain }: { id: string; kind: EnrolKind; wish: Wish | undefined; onAgain: () => void }) {
  const t = useTranslations('codes')
  const trpc = useTRPC()
  const request = useQuery(trpc.enrolment.get.queryOptions({ id }))
  if (request.error) return <Failure problem={problemOf(request.error)} retry={() => void request.refetch()} />
  if (!request.data) return <Skeleton label={t('loading')} lines={4} />
  const { status, atsign, reason, seq } = request.data
  if (status === 'pending')
    return (
      <ul>
        <EnrolmentCard enrolment={request.data} back={`/e/${id}`} />
      </ul>
    )
  if (status !== 'enrolled')
    return (
      <Notice tone="warn" title={t(`waiting.${status}`, { atsign })}>
        {reason && <p>{reason}</p>}
        <Button onClick={onAgain}>{t('waiting.close')}</Button>
      </Notice>
    )
  const page = kind === 'person' ? `/people/${atsign}` : `/fleet/${atsign}`
  return (
    <div className="flex flex-col gap-4">
      <Notice tone="ok" title={t('waiting.enrolled', { atsign })}>
        <p>{t('waiting.statement', { seq: seq ?? 0 })}</p>
      </Notice>
      {kind === 'agent' && <ClientSetup agent={atsign} server={wish?.server} client={wish?.client} />}
      {kind === 'gateway' && <p>{t('waiting.pins')}</p>}
      <div className="flex flex-wrap gap-2">
        <a href={page} className={buttonClass('primary')}>
          {t('waiting.show', { atsign })}
        </a>
        <Button onClick={onAgain}>{t('waiting.close')}</Button>
      </div>
    </div>
  )
}
