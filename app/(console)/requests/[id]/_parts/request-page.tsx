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
import { Effect } from '../../../../_ui/sign-button.tsx'
import { Skeleton } from '../../../../_ui/skeleton.tsx'
import { RequestCard } from '../../../inbox/_parts/request-card.tsx'

/** One thing to sign: who has, who is missing; afterwards where it holds. */
export function RequestPage({ id }: { id: string }) {
  const t = useTranslations('inbox')
  const trpc = useTRPC()
  const request = useQuery(trpc.requests.get.queryOptions({ id }))
  const problem = request.error ? problemOf(request.error) : undefined
  const { status, hash, reason } = request.data ?? {}
  return (
    <Page title={t('request.page')}>
      {problem?.code === 'NOT_FOUND' && (
        <Empty title={t('request.missingPage')}>
          <Link href="/inbox" className={buttonClass()}>
            {t('toInbox')}
          </Link>
        </Empty>
      )}
      {problem && problem.code !== 'NOT_FOUND' && <Failure problem={problem} retry={() => void request.refetch()} />}
      {request.isPending && <Skeleton label={t('loading')} lines={3} />}
      {request.data && (
        <ul>
          <RequestCard request={request.data} />
        </ul>
      )}
      {status === 'complete' && hash && (
        <ol className="flex flex-wrap gap-x-4 gap-y-1">
          <Effect hash={hash} />
        </ol>
      )}
      {status === 'refused' && (
        <Notice tone="warn" title={t('request.refused')}>
          {reason && <p>{reason}</p>}
        </Notice>
      )}
    </Page>
  )
}
