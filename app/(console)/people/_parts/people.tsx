'use client'
import { useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { buttonClass } from '../../../_ui/button.tsx'
import { NameChip, Tag } from '../../../_ui/chip.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { Page } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import type { Column } from '../../../_ui/table.tsx'
import { Table } from '../../../_ui/table.tsx'
import { PersonState } from './person-state.tsx'
import type { Person } from './shapes.ts'

/** Fewer passkeys than this, and losing one device locks somebody out. */
export const ENOUGH_KEYS = 2

/** Who belongs here, what they sign with, and what they may decide alone. */
export function People({ isAdmin }: { isAdmin: boolean }) {
  const t = useTranslations('people')
  const trpc = useTRPC()
  const router = useRouter()
  const list = useQuery(trpc.people.list.queryOptions())
  const people = list.data?.people ?? []
  const thin = people.filter(({ role, keys }) => role === 'admin' && keys.filter(({ stopped }) => !stopped).length < ENOUGH_KEYS)
  return (
    <Page
      title={t('title')}
      note={t('note')}
      actions={
        isAdmin && (
          <Link href="/codes?new=person" className={buttonClass('primary')}>
            {t('invite')}
          </Link>
        )
      }
    >
      {list.error && <Failure problem={problemOf(list.error)} retry={() => void list.refetch()} />}
      {list.data && list.data.admins < 2 && (
        <Notice tone="warn" title={t('oneAdmin.title')}>
          <p>{t('oneAdmin.why')}</p>
        </Notice>
      )}
      {thin.length > 0 && (
        <Notice tone="warn" title={t('oneKey.title', { names: thin.map(({ atsign }) => atsign).join(', ') })}>
          <p>{t('oneKey.why')}</p>
        </Notice>
      )}
      {list.isPending ? (
        <Skeleton label={t('loading')} lines={4} />
      ) : (
        list.data && (
          <Table
            label={t('title')}
            columns={columnsOf(t)}
            rows={people}
            keyOf={({ atsign }) => atsign}
            onOpen={({ atsign }) => router.push(`/people/${atsign}`)}
            height="max-h-[calc(100dvh-18rem)]"
          />
        )
      )}
      <CliLine command="npx postern people list" />
    </Page>
  )
}

type Texts = ReturnType<typeof useTranslations<'people'>>

const columnsOf = (t: Texts): readonly Column<Person>[] => [
  {
    id: 'name',
    title: t('columns.name'),
    width: 'minmax(11rem,2fr)',
    cell: ({ atsign }) => <NameChip name={atsign} href={`/people/${atsign}`} />,
  },
  { id: 'role', title: t('columns.role'), width: '8rem', cell: ({ role }) => t(`roles.${role}`) },
  { id: 'state', title: t('columns.state'), width: '8rem', cell: ({ state }) => <PersonState state={state} /> },
  { id: 'keys', title: t('columns.keys'), width: 'minmax(12rem,2fr)', cell: (person) => <Keys person={person} /> },
  {
    id: 'agents',
    title: t('columns.agents'),
    width: '9rem',
    cell: ({ delegation, agents }) =>
      delegation ? t('delegated', { used: delegation.used, agents: delegation.agents }) : agents > 0 ? t('agents', { count: agents }) : '–',
  },
  {
    id: 'approves',
    title: t('columns.approves'),
    width: 'minmax(8rem,1fr)',
    cell: ({ approves }) =>
      approves.length > 0 ? (
        <span className="truncate" title={approves.join(', ')}>
          {approves.join(', ')}
        </span>
      ) : (
        '–'
      ),
  },
  { id: 'tags', title: t('columns.tags'), width: 'minmax(6rem,1fr)', cell: ({ tags }) => tags.map((tag) => <Tag key={tag}>{tag}</Tag>) },
  { id: 'sessions', title: t('columns.sessions'), width: '6rem', align: 'end', cell: ({ sessions }) => sessions ?? '' },
]

function Keys({ person: { keys } }: { person: Person }) {
  const t = useTranslations('people')
  const live = keys.filter(({ stopped }) => !stopped)
  const passkeys = live.filter(({ kind }) => kind === 'passkey')
  const others = live.length - passkeys.length
  const isThin = live.length < ENOUGH_KEYS
  return (
    <span className="flex min-w-0 items-center gap-1.5 truncate">
      {isThin && (
        <span role="img" aria-label={t('thin')} title={t('thin')} className="text-danger">
          ●
        </span>
      )}
      {[
        ...(passkeys.length > 0 ? [t('passkeys', { count: passkeys.length })] : []),
        ...(others > 0 ? [t('otherKeys', { count: others })] : []),
      ].join(', ')}
    </span>
  )
}
