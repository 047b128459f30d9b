'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { useEffect } from 'react'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Page } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { useWaiting } from '../../_parts/side-nav.tsx'
import { EnrolmentCard } from './enrolment-card.tsx'
import { FirstSteps } from './first-steps.tsx'
import { HeldCallCard } from './held-call-card.tsx'
import { RequestCard } from './request-card.tsx'

/** What needs a person now. Each part loads by itself, so that one that fails hides nothing of the others. */
export function Inbox() {
  const t = useTranslations('inbox')
  const trpc = useTRPC()
  const waiting = useWaiting()
  const approvals = useQuery(trpc.approvals.list.queryOptions({ status: 'all', limit: 50 }))
  const enrolments = useQuery(trpc.enrolment.list.queryOptions())
  const requests = useQuery({ ...trpc.requests.list.queryOptions(), retry: false })
  useEffect(() => {
    const title = document.title.replace(/^\(\d+\) /, '')
    document.title = waiting > 0 ? `(${waiting}) ${title}` : title
  }, [waiting])

  const held = (approvals.data?.approvals ?? []).filter(
    ({ status, ended }) => status === 'waiting' || status === 'decided' || isRecent(ended),
  )
  const asked = enrolments.data?.enrolments ?? []
  const open = (requests.data?.requests ?? []).filter(({ status }) => status === 'open' || status === 'superseded').slice(0, 30)
  const isLoading = approvals.isPending || enrolments.isPending
  const isEmpty = held.length + asked.length + open.length === 0
  return (
    <Page title={t('title')}>
      <FirstSteps />
      {approvals.error && <Failure problem={problemOf(approvals.error)} retry={() => void approvals.refetch()} />}
      {enrolments.error && <Failure problem={problemOf(enrolments.error)} retry={() => void enrolments.refetch()} />}
      {requests.error && problemOf(requests.error).code !== 'NOT_PERMITTED' && (
        <Failure problem={problemOf(requests.error)} retry={() => void requests.refetch()} />
      )}
      {isLoading ? (
        <Skeleton label={t('loading')} lines={3} />
      ) : (
        isEmpty && (
          <Empty title={t('empty.title')}>
            <p>{t('empty.why')}</p>
          </Empty>
        )
      )}
      <Cards title={t('calls')} count={held.length}>
        {held.map((call) => (
          <HeldCallCard key={call.id} call={call} />
        ))}
      </Cards>
      <Cards title={t('enrolments')} count={asked.length}>
        {asked.map((enrolment) => (
          <EnrolmentCard key={enrolment.id} enrolment={enrolment} />
        ))}
      </Cards>
      <Cards title={t('statements')} count={open.length}>
        {open.map((request) => (
          <RequestCard key={request.id} request={request} />
        ))}
      </Cards>
    </Page>
  )
}

/** What was decided stays a moment, so that people see by whom. */
const RECENT_SECONDS = 60
const isRecent = (ended: number | undefined): boolean => ended !== undefined && ended > Date.now() / 1000 - RECENT_SECONDS

function Cards({ title, count, children }: { title: string; count: number; children: ReactNode }) {
  if (count === 0) return null
  return (
    <section aria-label={title} className="flex flex-col gap-3">
      <h2 className="text-sm font-semibold text-muted">{title}</h2>
      <ul className="flex flex-col gap-3">{children}</ul>
    </section>
  )
}
