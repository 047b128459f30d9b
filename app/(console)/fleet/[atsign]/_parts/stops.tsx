'use client'
import { useTranslations } from 'next-intl'
import { useTRPCClient } from '../../../../_trpc/client.tsx'
import { CliLine } from '../../../../_ui/cli-line.tsx'
import { Section } from '../../../../_ui/page.tsx'
import { Effect, SignButton } from '../../../../_ui/sign-button.tsx'
import { Time } from '../../../../_ui/time.tsx'
import { Untrusted } from '../../../../_ui/untrusted.tsx'
import type { EntityData } from './shapes.ts'

/** What stops or stopped it: why, until when, where it is in force; a suspension can be released. */
export function Stops({ entity, mayStop, isAdmin }: { entity: EntityData; mayStop: boolean; isAdmin: boolean }) {
  const t = useTranslations('entity')
  const client = useTRPCClient()
  const { stops, member } = entity
  if (stops.length === 0) return null
  return (
    <Section title={t('stops')}>
      <ul className="flex flex-col gap-4">
        {stops.map(({ hash, target, reason, at, until, in_force: isInForce, with: others }) => (
          <li key={`${hash} ${target.id}`} className="flex flex-col gap-2">
            <p
              className={`flex flex-wrap items-center gap-x-2 ${isInForce ? (until === undefined ? 'text-danger' : 'text-warn') : 'text-muted'}`}
            >
              <span aria-hidden="true">{until === undefined ? '✕' : '⊘'}</span>
              <span className="font-medium">{t(until === undefined ? 'revokedForEver' : 'suspendedUntil')}</span>
              {until !== undefined && (
                <>
                  {t(isInForce ? 'ends' : 'over')} <Time at={until} />
                </>
              )}
              <span>
                · {t('signedAt')} <Time at={at} />
              </span>
              {others > 0 && <span>· {t('with', { count: others })}</span>}
            </p>
            <p>
              <span className="text-muted">{t('reason')}: </span>
              <Untrusted text={reason} max={280} />
            </p>
            {isInForce && (
              <ul className="flex flex-wrap gap-x-4 gap-y-1 text-sm">
                <Effect hash={hash} />
              </ul>
            )}
            {isInForce && until !== undefined && mayStop && isAdmin && (
              <>
                <SignButton
                  look="plain"
                  draft={() =>
                    client.fleet.draftRelease.mutate({
                      target: target as { kind: 'enrolment'; id: string },
                      back: `/fleet/${member.atsign}`,
                    })
                  }
                >
                  {t('release')}
                </SignButton>
                <CliLine command={`postern ${member.kind} release ${member.atsign}`} />
              </>
            )}
          </li>
        ))}
      </ul>
    </Section>
  )
}
