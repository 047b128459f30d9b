'use client'
import { useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPC } from '../../../../_trpc/client.tsx'
import { buttonClass } from '../../../../_ui/button.tsx'
import { Empty } from '../../../../_ui/empty.tsx'
import { Failure } from '../../../../_ui/failure.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { Page } from '../../../../_ui/page.tsx'
import { Skeleton } from '../../../../_ui/skeleton.tsx'
import { EnrolmentCard } from '../../../inbox/_parts/enrolment-card.tsx'

const TONES = { pending: 'info', enrolled: 'ok', refused: 'warn', expired: 'warn' } as const

/** One request to join: to be decided, or what became of it. */
export function EnrolmentPage({ id }: { id: string }) {
  const t = useTranslations('inbox')
  const trpc = useTRPC()
  const request = useQuery(trpc.enrolment.get.queryOptions({ id }))
  const problem = request.error ? problemOf(request.error) : undefined
  const { status, atsign, kind, reason, seq } = request.data ?? {}
  return (
    <Page title={t('enrolment.page')}>
      {problem?.code === 'NOT_FOUND' && (
        <Empty title={t('enrolment.missing')}>
          <Link href="/inbox" className={buttonClass()}>
            {t('toInbox')}
          </Link>
        </Empty>
      )}
      {problem && problem.code !== 'NOT_FOUND' && <Failure problem={problem} retry={() => void request.refetch()} />}
      {request.isPending && <Skeleton label={t('loading')} lines={3} />}
      {request.data && status === 'pending' && (
        <ul>
          <EnrolmentCard enrolment={request.data} back={`/e/${id}`} />
        </ul>
      )}
      {status && status !== 'pending' && (
        <Notice tone={TONES[status]} title={t(`enrolment.became.${status}`, { atsign: atsign ?? '', seq: seq ?? 0 })}>
          {reason && <p>{reason}</p>}
          <Link href={status === 'enrolled' ? `/${kind === 'person' ? 'people' : 'fleet'}/${atsign}` : '/inbox'} className={buttonClass()}>
            {status === 'enrolled' ? atsign : t('toInbox')}
          </Link>
        </Notice>
      )}
    </Page>
  )
}
