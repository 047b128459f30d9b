'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { problemOf, useTRPC } from '../../../../_trpc/client.tsx'
import { Button, buttonClass } from '../../../../_ui/button.tsx'
import { StateChip } from '../../../../_ui/chip.tsx'
import { Copy } from '../../../../_ui/copy.tsx'
import { CopyLink } from '../../../../_ui/copy-link.tsx'
import { Empty } from '../../../../_ui/empty.tsx'
import { Failure } from '../../../../_ui/failure.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { Page } from '../../../../_ui/page.tsx'
import { Skeleton } from '../../../../_ui/skeleton.tsx'
import { StopDialog } from '../../_parts/stop-dialog.tsx'
import { EntityFacts } from './facts.tsx'
import { Keys, LogEntries } from './history.tsx'
import { LastCalls } from './last-calls.tsx'
import { Reach } from './reach.tsx'
import { ServerPins } from './server-pins.tsx'
import type { EntityData } from './shapes.ts'
import { Stops } from './stops.tsx'

/** Everything about one gateway or agent; its parts load by themselves. */
export function Entity({ name, isAdmin }: { name: string; isAdmin: boolean }) {
  const t = useTranslations('entity')
  const trpc = useTRPC()
  const entity = useQuery({ ...trpc.fleet.entity.queryOptions({ atsign: name }), retry: false })
  const title = (
    <span className="inline-flex max-w-full flex-wrap items-center gap-2">
      <a href="/fleet" className="text-muted hover:underline">
        {t('back')}
      </a>
      <span aria-hidden="true" className="text-muted">
        /
      </span>
      <span className="font-mono break-all">{name}</span>
      <Copy text={name} />
      {entity.data && <StateChip state={entity.data.member.state} />}
    </span>
  )
  if (entity.error) {
    const problem = problemOf(entity.error)
    return (
      <Page title={title}>
        {problem.code === 'NOT_FOUND' || problem.code === 'MALFORMED' ? (
          <Empty title={t('gone', { name })}>
            <p>{t('goneWhy')}</p>
            <a href="/people" className={buttonClass()}>
              {t('people')}
            </a>
          </Empty>
        ) : (
          <Failure problem={problem} retry={() => void entity.refetch()} />
        )}
      </Page>
    )
  }
  if (!entity.data) {
    return (
      <Page title={title}>
        <Skeleton label={t('loading')} lines={8} />
      </Page>
    )
  }
  return <Loaded title={title} entity={entity.data} isAdmin={isAdmin} />
}

function Loaded({ title, entity, isAdmin }: { title: React.ReactNode; entity: EntityData; isAdmin: boolean }) {
  const t = useTranslations('entity')
  const [open, setOpen] = useState<'suspend' | 'revoke'>()
  const { member } = entity
  const { atsign, kind, state, reasons } = member
  const isEnrolled = entity.identity !== undefined && state !== 'revoked'
  const mayStop = entity.mine === true
  return (
    <Page
      title={title}
      actions={
        <>
          <CopyLink />
          {isEnrolled && mayStop && (
            <>
              {state !== 'suspended' && <Button onClick={() => setOpen('suspend')}>{t('suspend')}</Button>}
              <Button look="danger" onClick={() => setOpen('revoke')}>
                {t('revoke')}
              </Button>
            </>
          )}
        </>
      }
    >
      {reasons.map((reason) => (
        <Notice key={reason} tone="warn" title={t(`why.${reason}`)}>
          {reason !== 'owner' && <p>{t('fix', { command: 'postern doctor' })}</p>}
        </Notice>
      ))}
      {isEnrolled && !mayStop && <p className="text-xs text-muted">{t('notYours')}</p>}
      <Stops entity={entity} mayStop={mayStop} isAdmin={isAdmin} />
      <EntityFacts entity={entity} />
      {kind === 'gateway' && entity.identity && <ServerPins gateway={atsign} isAdmin={isAdmin} />}
      {kind === 'agent' && entity.reach && <Reach reach={entity.reach} />}
      <LastCalls name={atsign} kind={kind} />
      {entity.identity && <Keys keys={entity.identity.keys} />}
      <LogEntries log={entity.log} />
      {open && (
        <StopDialog
          selection={{ names: [atsign] }}
          members={[{ atsign, kind }]}
          count={1}
          first={open}
          onClose={() => setOpen(undefined)}
        />
      )}
    </Page>
  )
}
