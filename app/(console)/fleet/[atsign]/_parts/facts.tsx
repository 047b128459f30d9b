'use client'
import { useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { NameChip, ShortId, Tag } from '../../../../_ui/chip.tsx'
import { Facts, Section } from '../../../../_ui/page.tsx'
import { Time } from '../../../../_ui/time.tsx'
import { Untrusted } from '../../../../_ui/untrusted.tsx'
import { Label } from '../../_parts/columns.tsx'
import type { EntityData } from './shapes.ts'

type Fact = readonly [string, ReactNode]

/** What the log says, and apart from it what the machine says about itself. */
export function EntityFacts({ entity }: { entity: EntityData }) {
  const t = useTranslations('entity')
  const { member, identity, policy } = entity
  const note = (text: string) => <span className="text-xs text-muted">{text}</span>
  const list = (items: readonly ReactNode[]) => <span className="inline-flex flex-wrap items-center gap-1">{items}</span>
  const facts: (Fact | false)[] = [
    [t('kind'), t(`kinds.${member.kind}`)],
    member.owner !== undefined && [t('owner'), <NameChip key="o" name={member.owner} href={`/people/${member.owner}`} canCopy />],
    [
      t('tags'),
      list([
        ...(member.tags.length > 0 ? member.tags.map((tag) => <Tag key={tag}>{tag}</Tag>) : [t('none')]),
        <span key="note">{note(t('tagsNote'))}</span>,
      ]),
    ],
    member.labels.length > 0 && [
      t('labels'),
      list([...member.labels.map((label) => <Label key={label}>{label}</Label>), <span key="note">{note(t('labelsNote'))}</span>]),
    ],
    [t('exp'), member.exp === undefined ? t('expNever') : <Time key="e" at={member.exp} />],
    identity?.servers !== undefined && [t('servers'), t('restricted', { servers: identity.servers.join(', ') })],
    member.kind === 'gateway' && [
      t('policy'),
      policy === 0 ? t('noPolicy') : member.policy === undefined ? t('policyNone') : t('policyFacts', { own: member.policy, policy }),
    ],
    [t('seen'), member.seen === undefined ? t('never') : <Time key="s" at={member.seen} />],
    member.version !== undefined && [
      t('version'),
      list([
        <Untrusted key="v" text={member.version} max={64} />,
        ...(member.outdated
          ? [
              <span key="u" className="text-warn">
                ↑ {t('update')}
              </span>,
            ]
          : []),
        <span key="note">{note(t('hostNote'))}</span>,
      ]),
    ],
    member.host !== undefined && [
      t('host'),
      list([<Untrusted key="h" text={member.host} max={128} />, <span key="note">{note(t('hostNote'))}</span>]),
    ],
    member.skew !== undefined && [
      t('skew'),
      list([
        t('skewText', { seconds: Math.abs(member.skew), way: t(member.skew < 0 ? 'behindWord' : 'ahead') }),
        <span key="note">{note(t('hostNote'))}</span>,
      ]),
    ],
    [
      t('enrolment'),
      list([<ShortId key="id" id={member.enrolment} />, ...(identity ? [t('statement', { seq: identity.enrolled_seq })] : [])]),
    ],
  ]
  return (
    <Section title={t('facts')}>
      <Facts facts={facts.filter((fact): fact is Fact => fact !== false)} />
    </Section>
  )
}
