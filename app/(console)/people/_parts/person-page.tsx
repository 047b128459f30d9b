'use client'
import { useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useFormatter, useTranslations } from 'next-intl'
import type { ReactNode } from 'react'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { buttonClass } from '../../../_ui/button.tsx'
import { isShownState, NameChip, ShortId, StateChip, Tag } from '../../../_ui/chip.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { Facts, Page, Section } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Sessions } from '../../settings/_parts/sessions.tsx'
import { ENOUGH_KEYS } from './people.tsx'
import { PersonActions } from './person-actions.tsx'
import { PersonState } from './person-state.tsx'
import type { PersonDetail, PersonKey } from './shapes.ts'

/** One person: what the log says, what they sign with, where they are signed in, who acts for them. */
export function PersonPage({ name, self, isAdmin }: { name: string; self: string; isAdmin: boolean }) {
  const t = useTranslations('people')
  const trpc = useTRPC()
  const person = useQuery(trpc.people.get.queryOptions({ atsign: name }))
  if (person.error) {
    const problem = problemOf(person.error)
    return (
      <Page title={name}>
        {problem.code === 'NOT_FOUND' || problem.status === 400 ? (
          <Empty title={t('missing.title', { name })}>
            <p>{t('missing.why')}</p>
            <Link href="/people" className={buttonClass()}>
              {t('missing.back')}
            </Link>
          </Empty>
        ) : (
          <Failure problem={problem} retry={() => void person.refetch()} />
        )}
      </Page>
    )
  }
  if (!person.data)
    return (
      <Page title={name}>
        <Skeleton label={t('loading')} lines={5} />
      </Page>
    )
  return (
    <Page title={<span className="font-mono break-all">{name}</span>} note={<PersonState state={person.data.state} />}>
      <Warnings person={person.data} />
      <Section title={t('facts.title')}>
        <PersonFacts person={person.data} />
      </Section>
      <Section title={t('keys.title')}>
        <ul className="flex flex-col divide-y divide-line">
          {person.data.keys.map((key) => (
            <Key key={key.kid} of={key} />
          ))}
        </ul>
        <p className="text-xs text-muted">{t('keys.more')}</p>
      </Section>
      <Section title={t('owns.title')}>
        {person.data.owns.length === 0 ? (
          <p className="text-muted">{t('owns.none')}</p>
        ) : (
          <ul className="flex flex-wrap gap-x-6 gap-y-2">
            {person.data.owns.map(({ atsign, state }) => (
              <li key={atsign} className="flex items-center gap-2">
                <NameChip name={atsign} href={`/fleet/${atsign}`} />
                {isShownState(state) && <StateChip state={state} />}
              </li>
            ))}
          </ul>
        )}
      </Section>
      {(isAdmin || name === self) && <Sessions of={name} isSelf={name === self} />}
      {isAdmin && <PersonActions person={person.data} />}
    </Page>
  )
}

function Warnings({ person: { role, keys, admins } }: { person: PersonDetail }) {
  const t = useTranslations('people')
  const live = keys.filter(({ stopped }) => !stopped).length
  return (
    <>
      {live < ENOUGH_KEYS && (
        <Notice tone="warn" title={t('thin')}>
          <p>{t('oneKey.why')}</p>
        </Notice>
      )}
      {role === 'admin' && admins < 2 && (
        <Notice tone="warn" title={t('oneAdmin.title')}>
          <p>{t('oneAdmin.why')}</p>
        </Notice>
      )}
    </>
  )
}

function PersonFacts({ person }: { person: PersonDetail }) {
  const t = useTranslations('people')
  const format = useFormatter()
  const { role, tags, exp, until, delegation, approves, enrolled_seq, enrolment, can_open } = person
  const day = (at: number) => format.dateTime(new Date(at * 1000), { dateStyle: 'long' })
  const facts: (readonly [string, ReactNode])[] = [
    [t('facts.role'), t(`roles.${role}`)],
    ...(until === undefined ? [] : [[t('facts.until'), day(until)] as const]),
    [t('facts.lease'), exp === undefined ? t('facts.noLease') : day(exp)],
    [
      t('facts.delegation'),
      delegation
        ? t('facts.delegated', { used: delegation.used, agents: delegation.agents, until: day(delegation.exp) })
        : t('facts.noDelegation'),
    ],
    ...(delegation?.servers ? [[t('facts.servers'), delegation.servers.join(', ')] as const] : []),
    [t('facts.approves'), approves.length > 0 ? t('facts.rules', { rules: approves.join(', ') }) : t('facts.noRules')],
    [t('facts.opens'), t(can_open ? 'facts.canOpen' : 'facts.cannotOpen')],
    [
      t('facts.tags'),
      tags.length > 0 ? (
        <span key="tags" className="flex flex-wrap gap-1">
          {tags.map((tag) => (
            <Tag key={tag}>{tag}</Tag>
          ))}
        </span>
      ) : (
        '–'
      ),
    ],
    [t('facts.enrolment'), <ShortId key="id" id={enrolment} />],
    [t('facts.statement'), t('facts.seq', { seq: enrolled_seq })],
  ]
  return <Facts facts={facts} />
}

function Key({ of: { kid, kind, alg, synced, stopped } }: { of: PersonKey }) {
  const t = useTranslations('people')
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
      <span className="w-24 font-medium">{t(`keys.kinds.${kind}`)}</span>
      <ShortId id={kid} />
      <span className="text-muted">{alg}</span>
      {kind === 'passkey' && synced !== undefined && <span>{t(synced ? 'keys.synced' : 'keys.bound')}</span>}
      {stopped && <span className="text-danger">{t('keys.stopped')}</span>}
    </li>
  )
}
