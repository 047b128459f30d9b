'use client'
import { useTranslations } from 'next-intl'
import { useTRPCClient } from '../../../_trpc/client.tsx'
import { buttonClass } from '../../../_ui/button.tsx'
import { NameChip, RiskChip } from '../../../_ui/chip.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
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
  const open = async () => {
    const popup = window.matchMedia('(max-width: 640px)').matches
      ? null
      : window.open('about:blank', '_blank', 'popup,width=560,height=860')
    const { url } = await client.approvals.open.query({ id })
    if (!popup) return window.location.assign(url)
    popup.opener = null
    popup.location.replace(url)
  }
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
          <button type="button" onClick={() => void open()} className={buttonClass('primary')}>
            {t('openSigner')}
          </button>
          <CliLine command={`npx postern approve ${id}`} />
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
