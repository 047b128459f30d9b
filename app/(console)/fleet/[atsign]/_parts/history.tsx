'use client'
import { useTranslations } from 'next-intl'
import { ShortId } from '../../../../_ui/chip.tsx'
import { Section } from '../../../../_ui/page.tsx'
import { Time } from '../../../../_ui/time.tsx'
import { PlainTable } from './plain-table.tsx'
import type { EntityData } from './shapes.ts'

export function Keys({ keys }: { keys: NonNullable<EntityData['identity']>['keys'] }) {
  const t = useTranslations('entity')
  return (
    <Section title={t('keys')}>
      <PlainTable
        label={t('keys')}
        heads={[t('columns.key'), t('columns.use'), t('columns.algorithm')]}
        rows={keys.map(({ kid, use, alg }) => ({
          key: kid,
          cells: [
            <ShortId key="k" id={kid} chars={16} />,
            t(`uses.${use}`),
            <code key="a" className="font-mono text-xs">
              {alg}
            </code>,
          ],
        }))}
      />
    </Section>
  )
}

/** Statements of the authority log that are about it. */
export function LogEntries({ log }: { log: EntityData['log'] }) {
  const t = useTranslations('entity')
  return (
    <Section title={t('log')}>
      {log.length === 0 ? (
        <p className="text-muted">{t('logEmpty')}</p>
      ) : (
        <PlainTable
          label={t('log')}
          heads={[t('columns.seq'), t('columns.op'), t('columns.when')]}
          rows={log.map(({ seq, hash, op, at }) => ({
            key: hash,
            cells: [
              <span key="s" className="inline-flex items-center gap-2">
                #{seq} <ShortId id={hash} />
              </span>,
              t(`ops.${op.replace('.', '_') as 'release'}`),
              <Time key="t" at={at} />,
            ],
          }))}
        />
      )}
    </Section>
  )
}
