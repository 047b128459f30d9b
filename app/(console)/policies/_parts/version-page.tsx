'use client'
import { describePolicyChange } from '@postern/core'
import { useTranslations } from 'next-intl'
import { problemOf } from '../../../_trpc/client.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { Page, Section } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'
import { RolloutBar } from './rollout-bar.tsx'
import type { Version } from './shapes.ts'
import { TextDiff } from './text-diff.tsx'
import { TextEditor } from './text-editor.tsx'
import { useCurrent, useDocument } from './use-current.ts'
import { VersionRow } from './version-row.tsx'

/** One policy that came into force: its text, checked against the digest that was signed, and what it changed. */
export function VersionPage({ seq, isAdmin }: { seq: number; isAdmin: boolean }) {
  const t = useTranslations('policies')
  const { versions = [], error, isPending } = useCurrent()
  const at = versions.findIndex((version) => version.seq === seq)
  const version = versions[at]
  if (error)
    return (
      <Page title={t('title')}>
        <Failure problem={problemOf(error)} />
      </Page>
    )
  if (isPending)
    return (
      <Page title={t('title')}>
        <Skeleton label={t('loading')} />
      </Page>
    )
  if (!version)
    return (
      <Page title={t('title')}>
        <Empty title={t('version.unknown', { seq })} />
      </Page>
    )
  return (
    <Page title={t('versions.number', { name: version.name, version: version.version })}>
      <ul className="rounded-lg border border-line bg-surface px-4">
        <VersionRow version={version} isCurrent={at === 0} isAdmin={isAdmin} isHere />
      </ul>
      {at === 0 && (
        <Section title={t('version.rollout')}>
          <RolloutBar sha256={version.sha256} />
        </Section>
      )}
      <VersionTexts version={version} before={versions[at + 1]} />
      <CliLine command={`npx postern policy restore ${version.seq} --out policy.json`} />
    </Page>
  )
}

function VersionTexts({ version, before }: { version: Version; before: Version | undefined }) {
  const t = useTranslations('policies')
  const document = useDocument(version.bytes === undefined ? undefined : version.sha256)
  const older = useDocument(before?.bytes === undefined ? undefined : before.sha256)
  if (document.isForged || older.isForged) return <Notice tone="danger" title={t('forged')} />
  if (version.bytes === undefined) return <Notice tone="warn" title={t('versions.noBytes')} />
  if (document.error) return <Failure problem={problemOf(document.error)} />
  if (document.bytes === undefined || document.text === undefined || older.isPending) return <Skeleton label={t('loading')} />
  const label = before ? t('version.changes', { version: before.version }) : t('version.first')
  return (
    <>
      <Section title={label}>
        <ul className="flex list-disc flex-col gap-1 ps-5">
          {describePolicyChange(older.bytes, document.bytes).map((sentence) => (
            <li key={sentence} className="break-words">
              <Untrusted text={sentence} max={1_500} />
            </li>
          ))}
        </ul>
        {older.text !== undefined && <TextDiff before={older.text} after={document.text} label={label} />}
      </Section>
      <Section title={t('version.text')}>
        <p className="text-ok">
          <span aria-hidden="true">✓ </span>
          {t('version.checked')}
        </p>
        <div className="flex h-[50vh] flex-col">
          <TextEditor text={document.text} label={t('version.text')} isReadOnly />
        </div>
      </Section>
    </>
  )
}
