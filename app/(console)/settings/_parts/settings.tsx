'use client'
import { useQuery } from '@tanstack/react-query'
import { useFormatter, useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { NameChip, ShortId } from '../../../_ui/chip.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Facts, Page, Section } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import type { Theme } from '../../../_ui/theme.ts'
import { ExportLog } from './export-log.tsx'
import { Sessions } from './sessions.tsx'
import { ThemeChoice } from './theme-choice.tsx'

/** What this organisation is by its log, where people are signed in, how this browser shows it. Nothing of it is decided here. */
export function Settings({ atsign, isAdmin, theme }: { atsign: string; isAdmin: boolean; theme: Theme }) {
  const t = useTranslations('settings')
  return (
    <Page title={t('title')} note={t('note')}>
      <Organisation />
      <Sessions of={atsign} isSelf />
      {isAdmin && <Sessions isSelf={false} />}
      <Section title={t('look.title')}>
        <ThemeChoice theme={theme} />
        <p className="text-sm text-muted">{t('look.language')}</p>
      </Section>
      <Section title={t('export.title')}>
        <p className="max-w-prose">{t('export.what')}</p>
        <ExportLog />
        <CliLine command="npx postern audit export evidence.json" />
      </Section>
      {isAdmin && <Danger />}
    </Page>
  )
}

function Organisation() {
  const t = useTranslations('settings')
  const trpc = useTRPC()
  const format = useFormatter()
  const organisation = useQuery(trpc.authority.organisation.queryOptions())
  if (organisation.error) return <Failure problem={problemOf(organisation.error)} retry={() => void organisation.refetch()} />
  if (!organisation.data) return <Skeleton label={t('loading')} lines={6} />
  const { name, org, founded, thresholds, rp_id, signer_origins, console_origins, recovery, admins, head, version, relays } =
    organisation.data
  const threshold = (of: keyof typeof thresholds) => {
    const { m, kinds } = thresholds[of]
    const rule = t('organisation.threshold', { m, of: admins.length })
    return kinds.length > 0 ? `${rule}, ${t('organisation.kinds', { kinds: kinds.map((kind) => t(`kinds.${kind}`)).join(', ') })}` : rule
  }
  const facts: (readonly [string, ReactNode])[] = [
    [t('organisation.name'), name],
    [t('organisation.id'), <ShortId key="id" id={org} chars={43} />],
    ...(founded
      ? [
          [
            t('organisation.founded'),
            t('organisation.foundedBy', {
              by: founded.by.join(', '),
              at: format.dateTime(new Date(founded.at * 1000), { dateStyle: 'long' }),
            }),
          ] as const,
        ]
      : []),
    [
      t('organisation.admins'),
      <span key="admins" className="flex flex-wrap gap-x-3">
        {admins.map((each) => (
          <NameChip key={each} name={each} href={`/people/${each}`} />
        ))}
      </span>,
    ],
    [t('organisation.root'), threshold('root')],
    [t('organisation.sensitive'), threshold('sensitive')],
    [t('organisation.routine'), threshold('routine')],
    [t('organisation.signer'), <Origins key="signer" of={signer_origins} />],
    [t('organisation.rp'), <code key="rp">{rp_id}</code>],
    [t('organisation.console'), <Origins key="console" of={console_origins} />],
    [t('organisation.relays'), <Origins key="relays" of={relays} />],
    [t('organisation.recovery'), <ShortId key="recovery" id={recovery.kid} />],
    ...(head ? [[t('organisation.head'), t('organisation.size', { size: head.seq + 1 })] as const] : []),
    [t('organisation.version'), version],
  ]
  return (
    <Section title={t('organisation.title')}>
      <Facts facts={facts} />
      <p className="max-w-prose text-sm text-muted">{t('organisation.words')}</p>
      <CliLine command="npx postern org show" />
    </Section>
  )
}

const Origins = ({ of }: { of: readonly string[] }) => <span className="font-mono text-[0.8125rem] break-all">{of.join(' ')}</span>

const DANGERS = ['signer', 'recovery', 'admins'] as const
function Danger() {
  const t = useTranslations('settings')
  return (
    <section aria-label={t('danger.title')} className="flex flex-col gap-3 rounded-lg border border-danger bg-surface p-4">
      <h2 className="font-semibold text-danger">{t('danger.title')}</h2>
      <dl className="grid max-w-prose gap-3">
        {DANGERS.map((each) => (
          <div key={each}>
            <dt className="font-medium">{t(`danger.${each}.what`)}</dt>
            <dd className="text-muted">{t(`danger.${each}.why`)}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
