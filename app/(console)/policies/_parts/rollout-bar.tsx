'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { useLiveEvents } from '../../../_ui/live.tsx'

const SHOWN = 40

/** `2/3 gateways on v13`, counted from the gateways' signed acknowledgements; those that are missing by name. */
export function RolloutBar({ sha256 }: { sha256?: string }) {
  const t = useTranslations('policies')
  const trpc = useTRPC()
  const rollout = useQuery(trpc.policies.rollout.queryOptions(sha256 === undefined ? {} : { sha256 }))
  useLiveEvents(['presence'], () => void rollout.refetch())
  if (rollout.error) return <Failure problem={problemOf(rollout.error)} retry={() => void rollout.refetch()} />
  if (!rollout.data) return null
  const { version, effect } = rollout.data
  const { on, of, ms = 0, gateways } = effect
  const missing = gateways.filter(({ applied }) => !applied)
  if (of === 0) return <p className="text-muted">{t('rollout.noGateways')}</p>
  const whole = on === of
  return (
    <div role="status" className="flex flex-col gap-2">
      <p className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className={`font-medium ${whole ? 'text-ok' : 'text-danger'}`}>
          <span aria-hidden="true">{whole ? '✓ ' : '! '}</span>
          {on === 0 ? t('rollout.none', { of, version: version.version }) : t('rollout.on', { on, of, version: version.version })}
        </span>
        {on > 0 && <span className="text-muted">{t('rollout.ms', { ms })}</span>}
      </p>
      <ul aria-hidden="true" className="flex h-2 gap-px overflow-hidden rounded-full">
        {[...gateways]
          .sort((a, b) => Number(b.applied) - Number(a.applied))
          .slice(0, SHOWN)
          .map(({ gateway, applied, online }) => (
            <li key={gateway} title={gateway} className={`grow ${applied ? 'bg-ok' : online ? 'bg-warn' : 'bg-line-strong'}`} />
          ))}
      </ul>
      {missing.length > 0 && (
        <ul className="flex flex-col gap-0.5 text-danger">
          {missing.slice(0, SHOWN).map(({ gateway, online }) => (
            <li key={gateway}>{t(online ? 'rollout.behind' : 'rollout.offline', { gateway })}</li>
          ))}
        </ul>
      )}
      <CliLine command="npx postern policy rollout" />
    </div>
  )
}
