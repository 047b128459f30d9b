'use client'
import { useMutation, useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { parseAsInteger, useQueryState } from 'nuqs'
import { useEffect, useRef } from 'react'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { buttonClass } from '../../../_ui/button.tsx'
import { NameChip } from '../../../_ui/chip.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { useNow } from '../../../_ui/clock.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { Page, Section } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Time } from '../../../_ui/time.tsx'
import { OpenDraft } from './open-draft.tsx'
import { RolloutBar } from './rollout-bar.tsx'
import { draftNameOf } from './shapes.ts'
import { VersionRow } from './version-row.tsx'

const TEMPLATES = ['read-only', 'deny-all', 'observe'] as const
/** So long the way back stays on top. */
const BACK_SECONDS = 86_400

/** The policy in force, how far it has come, what is being written, and what was in force before. */
export function Policies({ isAdmin }: { isAdmin: boolean }) {
  const t = useTranslations('policies')
  const trpc = useTRPC()
  const now = useNow()
  const versions = useQuery(trpc.policies.versions.queryOptions())
  const drafts = useQuery(trpc.policies.drafts.queryOptions())
  const failure = versions.error ?? drafts.error
  if (failure)
    return (
      <Page title={t('title')}>
        <Failure problem={problemOf(failure)} retry={() => void versions.refetch()} />
      </Page>
    )
  if (!versions.data || !drafts.data)
    return (
      <Page title={t('title')}>
        <Skeleton label={t('loading')} />
      </Page>
    )
  const [current, previous] = versions.data
  const name = current ? draftNameOf(current.name) : 'main'
  const draft = drafts.data.find((one) => one.name === name)
  return (
    <Page
      title={t('title')}
      actions={
        current &&
        isAdmin &&
        (draft ? (
          <Link href={`/policies/${name}/draft`} className={buttonClass('primary')}>
            {t('list.continue')}
          </Link>
        ) : (
          current.bytes !== undefined && (
            <OpenDraft name={name} from={{ kind: 'version', seq: current.seq }} look="primary">
              {t('list.edit')}
            </OpenDraft>
          )
        ))
      }
    >
      <FromReceipt name={name} isAdmin={isAdmin} />
      {!current && drafts.data.length === 0 && <Templates isAdmin={isAdmin} />}
      {!current && drafts.data.length > 0 && <Notice tone="warn" title={t('list.nothingYet')} />}
      {current && (
        <Section title={t('list.inForce', { name: current.name, version: current.version })}>
          <RolloutBar />
          {isAdmin && previous?.bytes !== undefined && current.at > now - BACK_SECONDS && (
            <div className="flex flex-wrap items-center gap-3 border-line border-t pt-3">
              <span className="text-muted">{t('list.backWhy')}</span>
              <OpenDraft name={name} from={{ kind: 'version', seq: previous.seq }}>
                {t('versions.restore', { version: previous.version })}
              </OpenDraft>
            </div>
          )}
        </Section>
      )}
      {drafts.data.length > 0 && (
        <Section title={t('list.drafts')}>
          <ul className="flex flex-col">
            {drafts.data.map(({ name: of, updated_by, updated_at, revision, editors }) => (
              <li key={of} className="flex flex-wrap items-center gap-x-4 gap-y-1 border-line border-b py-2 last:border-b-0">
                <Link href={`/policies/${of}/draft`} className="font-mono font-medium hover:underline">
                  {of}
                </Link>
                <span className="text-muted">{t('list.revision', { revision })}</span>
                <span className="flex items-center gap-1">
                  <NameChip name={updated_by} /> <Time at={updated_at} />
                </span>
                {editors.length > 0 && (
                  <span className="rounded bg-warn-soft px-2 text-warn">{t('list.open', { names: editors.join(', ') })}</span>
                )}
                <Link href={`/policies/${of}/draft`} className={buttonClass('quiet', 'ms-auto')}>
                  {t(isAdmin ? 'list.goOn' : 'list.read')}
                </Link>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {versions.data.length > 0 && (
        <Section title={t('list.versions')}>
          <ul className="flex flex-col">
            {versions.data.map((version) => (
              <VersionRow key={version.seq} version={version} isCurrent={version === current} isAdmin={isAdmin} />
            ))}
          </ul>
          <CliLine command="npx postern policy history" />
        </Section>
      )}
    </Page>
  )
}

/** Nothing is in force, so nothing is allowed. Three ways to begin, the middle one for most. */
function Templates({ isAdmin }: { isAdmin: boolean }) {
  const t = useTranslations('policies')
  return (
    <Empty title={t('empty.title')}>
      <p>{isAdmin ? t('empty.what') : t('empty.notYours')}</p>
      {isAdmin && (
        <ul className="grid w-full gap-3 text-left sm:grid-cols-3">
          {TEMPLATES.map((template) => (
            <li key={template} className="flex flex-col items-start gap-2 rounded-lg border border-line bg-surface p-4 text-ink">
              <p className="font-medium">{t(`templates.${template}.title`)}</p>
              <p className="grow text-muted">{t(`templates.${template}.what`)}</p>
              <OpenDraft name="main" from={{ kind: 'template', template }} look={template === 'read-only' ? 'primary' : 'plain'}>
                {t('empty.begin')}
              </OpenDraft>
            </li>
          ))}
        </ul>
      )}
      <CliLine command="npx postern policy edit policy.json --template read-only" />
    </Empty>
  )
}

/** `?from=<receipt>`: a draft with a rule and a test for the agent and tool of a call. Asked for once, then the address is clean again. */
function FromReceipt({ name, isAdmin }: { name: string; isAdmin: boolean }) {
  const t = useTranslations('policies')
  const trpc = useTRPC()
  const router = useRouter()
  const [receipt] = useQueryState('from', parseAsInteger)
  const isAsked = useRef(false)
  const open = useMutation(trpc.policies.openDraft.mutationOptions({ onSuccess: () => router.replace(`/policies/${name}/draft`) }))
  const { mutate } = open
  useEffect(() => {
    if (receipt === null || isAsked.current || !isAdmin) return
    isAsked.current = true
    mutate({ name, from: { kind: 'receipt', id: receipt } })
  }, [receipt, isAdmin, mutate, name])
  if (receipt === null) return null
  if (!isAdmin) return <Notice tone="warn" title={t('review.notAdmin')} />
  if (open.error) return <Failure problem={problemOf(open.error)} />
  return <Notice title={t('list.fromCall')} />
}
