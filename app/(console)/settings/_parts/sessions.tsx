'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { Button } from '../../../_ui/button.tsx'
import { NameChip } from '../../../_ui/chip.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Section } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Countdown, Time } from '../../../_ui/time.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'

/** Where somebody is signed in, browsers and terminals; without `of`, where others are. Ending one is undone by signing in again. */
export function Sessions({ of, isSelf }: { of?: string; isSelf: boolean }) {
  const t = useTranslations('people')
  const trpc = useTRPC()
  const queries = useQueryClient()
  const all = useQuery(trpc.people.sessions.queryOptions())
  const whoami = useQuery(trpc.people.whoami.queryOptions())
  const refresh = { onSuccess: () => queries.invalidateQueries({ queryKey: [['people']] }) }
  const end = useMutation(trpc.people.endSession.mutationOptions(refresh))
  const endAll = useMutation(trpc.people.endOtherSessions.mutationOptions(refresh))
  const sessions = (all.data?.sessions ?? []).filter(({ atsign }) => (of ? atsign === of : atsign !== whoami.data?.atsign))
  const title = of ? t(isSelf ? 'sessions.own' : 'sessions.title') : t('sessions.others')
  const problem = all.error ?? end.error ?? endAll.error
  return (
    <Section
      title={title}
      actions={
        of &&
        sessions.some(({ current }) => !current) && (
          <Button look="danger" disabled={endAll.isPending} onClick={() => endAll.mutate({ atsign: of })}>
            {t(isSelf ? 'sessions.endOthers' : 'sessions.endAll')}
          </Button>
        )
      }
    >
      {problem && <Failure problem={problemOf(problem)} retry={() => void all.refetch()} />}
      {all.isPending && <Skeleton label={t('loading')} lines={2} />}
      {all.data && sessions.length === 0 && <p className="text-muted">{t('sessions.none')}</p>}
      <ul className="flex flex-col divide-y divide-line">
        {sessions.map(({ kid, atsign, kind, client, created, expires, current }) => (
          <li key={kid} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
            <span className="w-24 font-medium">{t(`sessions.kinds.${kind}`)}</span>
            {!of && <NameChip name={atsign} href={`/people/${atsign}`} />}
            {client && (
              <span className="min-w-0 grow basis-40 truncate text-muted" title={client}>
                <Untrusted text={client} max={120} />
              </span>
            )}
            <span className="text-muted">
              {t('sessions.since')} <Time at={created} />
            </span>
            <span className="text-muted">
              {t('sessions.left')} <Countdown until={expires} over={t('sessions.over')} label={t('sessions.left')} />
            </span>
            <span className="ms-auto">
              {current ? (
                <span className="text-ok">{t('sessions.this')}</span>
              ) : (
                <Button look="quiet" disabled={end.isPending} onClick={() => end.mutate({ kid })}>
                  {t('sessions.end')}
                </Button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {isSelf && <CliLine command="npx postern logout" />}
    </Section>
  )
}
