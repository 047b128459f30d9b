'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { useTRPC } from '../../../_trpc/client.tsx'
import { buttonClass } from '../../../_ui/button.tsx'
import { useNow } from '../../../_ui/clock.tsx'
import { Copy } from '../../../_ui/copy.tsx'
import { useLiveEvents } from '../../../_ui/live.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { Time } from '../../../_ui/time.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'
import { addCommand, clientOf, configText } from './clients.ts'

/** Some clients read their config only when they start. */
const SILENCE_SECONDS = 30

/** Three ways to put an enrolled agent into its MCP client, and whether the client has really come. No join string: it is enrolled. */
export function ClientSetup({
  agent,
  server,
  client: id = 'other',
}: {
  agent: string
  server?: string | undefined
  client?: string | undefined
}) {
  const t = useTranslations('codes')
  const client = clientOf(id)
  const served = { agent, server: server || 'fs' }
  const config = configText(client, served)
  const link = client.link?.(served)
  const own = client.command?.(served)
  return (
    <section aria-label={t('setup.title')} className="flex flex-col gap-3 rounded-md border border-line p-3">
      <h3 className="font-semibold">{id === 'other' ? t('setup.other') : t('setup.of', { client: client.title })}</h3>
      <Handshake agent={agent} />
      {link && (
        <p className="flex flex-wrap items-center gap-2">
          <a href={link} className={buttonClass()}>
            {t('setup.link', { client: client.title })}
          </a>
          <Copy text={link} />
        </p>
      )}
      <Line label={t('setup.command')} text={addCommand(client, served)} />
      {own && <Line label={t('setup.ownCommand')} text={own} />}
      <details>
        <summary className="cursor-pointer text-sm font-medium">{t('setup.config')}</summary>
        <p className="mt-1 text-xs text-muted">{client.file ? t('setup.file', { file: client.file }) : t('setup.anyFile')}</p>
        <div className="relative mt-1">
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scroller must be reachable by keyboard */}
          <pre tabIndex={0} className="overflow-x-auto rounded bg-sunken p-3 pe-10 font-mono text-xs">
            {config}
          </pre>
          <span className="absolute end-2 top-2">
            <Copy text={config} />
          </span>
        </div>
        <p className="mt-1 text-xs text-muted">{t('setup.path')}</p>
      </details>
    </section>
  )
}

const Line = ({ label, text }: { label: string; text: string }) => (
  <div className="flex flex-col gap-1">
    <p className="text-sm font-medium">{label}</p>
    <div className="flex min-w-0 items-center gap-2 rounded bg-sunken px-2 py-1 text-xs">
      <code className="min-w-0 grow font-mono break-all">{text}</code>
      <Copy text={text} />
    </div>
  </div>
)

/** Facts, not the finding of a file: what the client called itself, how many tools it was listed, when it first called. */
function Handshake({ agent }: { agent: string }) {
  const t = useTranslations('codes')
  const trpc = useTRPC()
  const now = useNow()
  const [since] = useState(now)
  const seen = useQuery(trpc.enrolment.handshake.queryOptions({ agent }))
  useLiveEvents(['presence', 'receipt'], ({ data }) => (data.atsign === agent || data.agent === agent) && void seen.refetch())
  if (!seen.data) return null
  const { client, call } = seen.data
  if (!client && !call)
    return (
      <div role="status" className="flex flex-col gap-1">
        <p className="text-muted">
          <span aria-hidden="true">◌ </span>
          {t('setup.waiting')}
        </p>
        {now - since > SILENCE_SECONDS && (
          <Notice tone="warn" title={t('setup.silent')}>
            <p>{t('setup.restart')}</p>
          </Notice>
        )}
      </div>
    )
  return (
    <p role="status" className="text-ok">
      <span aria-hidden="true">✓ </span>
      {client && (
        <>
          {t('setup.handshake')} <Untrusted text={`${client.name} ${client.version}`} max={80} />
          {client.tools !== undefined && ` · ${t('setup.tools', { count: client.tools })}`}
        </>
      )}
      {call && (
        <>
          {client && ' · '}
          {t('setup.call')} <Time at={call.at} />
        </>
      )}
    </p>
  )
}
