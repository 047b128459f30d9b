'use client'
import { useMutation } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPCClient } from '../../../_trpc/client.tsx'
import { buttonClass } from '../../../_ui/button.tsx'
import { NameChip, RiskChip } from '../../../_ui/chip.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { openSigner } from '../../../_ui/open-signer.ts'
import { Countdown, Time } from '../../../_ui/time.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'
import { InboxCard } from './card.tsx'
import type { HeldCall } from './shapes.ts'

/** A call that waits for a person. Its arguments are sealed: they open in the signer and the CLI, never here. */
export function HeldCallCard({ call }: { call: HeldCall }) {
  const t = useTranslations('inbox')
  const client = useTRPCClient()
  const { id, risk, server, tool, agent, owner, gateway, deadline, held, status, by, reason, outcome, ms, code } = call
  const isOpen = status === 'waiting'
  const open = useMutation({ mutationFn: () => openSigner(() => client.approvals.open.query({ id })) })
  return (
    <InboxCard
      head={
        <>
          <RiskChip risk={risk} />
          <strong className="min-w-0 break-words">
            <Untrusted text={`${server}.${tool}`} max={200} />
          </strong>
          <span className="ms-auto">{isOpen && <Countdown until={deadline} over={t('call.over')} label={t('call.left')} />}</span>
        </>
      }
      facts={
        <>
          <NameChip name={agent} href={`/fleet/${encodeURIComponent(agent)}`} />
          {owner && <span>{t('call.for', { owner })}</span>}
          <span>{t('call.through', { gateway })}</span>
          <Time at={held} />
          <span className="rounded border border-line px-1.5">{t('call.sealed')}</span>
        </>
      }
    >
      {isOpen ? (
        <>
          <button type="button" onClick={() => open.mutate()} className={buttonClass('primary')}>
            {t('openSigner')}
          </button>
          <CliLine command={`npx postern approve ${id}`} />
          {open.error && <Failure problem={problemOf(open.error)} />}
        </>
      ) : (
        <p role="status" className={status === 'executed' || status === 'approved' || status === 'decided' ? 'text-ok' : 'text-warn'}>
          {t(`call.stages.${status}`, { by: by ?? '?', ms: ms ?? 0, outcome: outcome ?? 'unknown', code: code ?? '' })}
          {reason && (
            <>
              {' '}
              <Untrusted text={reason} max={280} />
            </>
          )}
        </p>
      )}
    </InboxCard>
  )
}
