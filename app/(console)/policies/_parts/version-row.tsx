'use client'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { buttonClass } from '../../../_ui/button.tsx'
import { NameChip, ShortId } from '../../../_ui/chip.tsx'
import { Time } from '../../../_ui/time.tsx'
import { OpenDraft } from './open-draft.tsx'
import type { Version } from './shapes.ts'
import { draftNameOf } from './shapes.ts'

interface Props {
  readonly version: Version
  readonly isCurrent: boolean
  readonly isAdmin: boolean
  /** On the version's own page, which needs no link to itself. */
  readonly isHere?: boolean
  readonly children?: ReactNode
}

/** One policy that came into force: when, by whom, and the way back to it. */
export function VersionRow({ version, isCurrent, isAdmin, isHere = false, children }: Props) {
  const t = useTranslations('policies')
  const { version: number, seq, sha256, name, at, signers, bytes } = version
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 border-line border-b py-2 last:border-b-0">
      <Link href={`/policies/${encodeURIComponent(name)}/v/${seq}`} className="font-medium hover:underline">
        {t('versions.number', { name, version: number })}
      </Link>
      {isCurrent && <span className="rounded bg-ok-soft px-1.5 text-xs font-medium text-ok">{t('versions.inForce')}</span>}
      <Time at={at} />
      <span className="flex flex-wrap items-center gap-1 text-muted">
        {t('versions.signedBy')}{' '}
        {signers.map((signer) => (
          <NameChip key={signer} name={signer} href={`/people/${encodeURIComponent(signer)}`} />
        ))}
      </span>
      <span className="text-muted">{t('versions.statement', { seq })}</span>
      <ShortId id={sha256} />
      {bytes === undefined ? (
        <span className="text-warn">{t('versions.noBytes')}</span>
      ) : (
        <span className="text-muted">{t('versions.bytes', { bytes })}</span>
      )}
      <span className="ms-auto flex flex-wrap items-center gap-2">
        {children}
        {!isHere && (
          <Link href={`/policies/${encodeURIComponent(name)}/v/${seq}`} className={buttonClass('quiet')}>
            {t('versions.open')}
          </Link>
        )}
        {isAdmin && !isCurrent && bytes !== undefined && (
          <OpenDraft name={draftNameOf(name)} from={{ kind: 'version', seq }}>
            {t('versions.restore', { version: number })}
          </OpenDraft>
        )}
      </span>
    </li>
  )
}
