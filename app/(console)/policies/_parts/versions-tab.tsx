'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { Button } from '../../../_ui/button.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import type { Version } from './shapes.ts'
import { TextDiff } from './text-diff.tsx'
import { useDocument } from './use-current.ts'
import { VersionRow } from './version-row.tsx'

interface Props {
  readonly versions: readonly Version[]
  readonly text: string
  readonly isAdmin: boolean
}

/** What was in force before, and how the draft differs from any of it. */
export function VersionsTab({ versions, text, isAdmin }: Props) {
  const t = useTranslations('policies')
  const [seq, setSeq] = useState<number | undefined>(versions[0]?.seq)
  const chosen = versions.find((version) => version.seq === seq)
  if (versions.length === 0) return <Empty title={t('versions.none')} />
  return (
    <div className="flex flex-col gap-4">
      {chosen && <DraftDiff version={chosen} text={text} />}
      <ul className="flex flex-col">
        {versions.map((version) => (
          <VersionRow key={version.seq} version={version} isCurrent={version === versions[0]} isAdmin={isAdmin}>
            {version.bytes !== undefined && (
              <Button look="quiet" aria-pressed={version.seq === seq} onClick={() => setSeq(version.seq)}>
                {t('versions.compare')}
              </Button>
            )}
          </VersionRow>
        ))}
      </ul>
    </div>
  )
}

function DraftDiff({ version, text }: { version: Version; text: string }) {
  const t = useTranslations('policies')
  const document = useDocument(version.bytes === undefined ? undefined : version.sha256)
  const label = t('versions.diff', { version: version.version })
  return (
    <section aria-label={label} className="flex flex-col gap-2">
      <h2 className="font-medium">{label}</h2>
      {version.bytes === undefined && <p className="text-muted">{t('versions.noBytes')}</p>}
      {document.isPending && <Skeleton label={t('loading')} lines={3} />}
      {document.isForged && <Notice tone="danger" title={t('forged')} />}
      {document.text !== undefined &&
        (document.text === text ? (
          <p className="text-muted">{t('versions.same')}</p>
        ) : (
          <TextDiff before={document.text} after={text} label={label} />
        ))}
    </section>
  )
}
