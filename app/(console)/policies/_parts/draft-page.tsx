'use client'
import { Tabs } from '@base-ui/react/tabs'
import type { JsonValue, KnownNames } from '@postern/core'
import { appendItem } from '@postern/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import Link from 'next/link'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import { parseAsStringLiteral, useQueryState } from 'nuqs'
import { useCallback, useMemo, useRef, useState } from 'react'
import { problemOf, useTRPC } from '../../../_trpc/client.tsx'
import { Button, buttonClass } from '../../../_ui/button.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Copy } from '../../../_ui/copy.tsx'
import { Dialog } from '../../../_ui/dialog.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { Page } from '../../../_ui/page.tsx'
import { Skeleton } from '../../../_ui/skeleton.tsx'
import { Time } from '../../../_ui/time.tsx'
import type { Mark } from './codemirror.ts'
import { ConflictDialog } from './conflict-dialog.tsx'
import { ImpactTab } from './impact-tab.tsx'
import { Review } from './review.tsx'
import { RolloutBar } from './rollout-bar.tsx'
import { SignaturesTab } from './signatures-tab.tsx'
import { TestsTab } from './tests-tab.tsx'
import type { TextEditorHandle } from './text-editor.tsx'
import { TextEditor } from './text-editor.tsx'
import { TryTab } from './try-tab.tsx'
import { useAnalysis } from './use-analysis.ts'
import { useCurrent } from './use-current.ts'
import type { SaveState } from './use-draft.ts'
import { useDraft } from './use-draft.ts'
import { VersionsTab } from './versions-tab.tsx'

const TABS = ['tests', 'try', 'impact', 'versions', 'signatures'] as const

interface Props {
  readonly name: string
  readonly me: string
  readonly isAdmin: boolean
}

/** A draft: its text on one side, what it means on the other. Tests, tries and impact are computed here; only signing leaves the page. */
export function DraftPage({ name, me, isAdmin }: Props) {
  const t = useTranslations('policies')
  const trpc = useTRPC()
  const router = useRouter()
  const [tab, setTab] = useQueryState('tab', parseAsStringLiteral(TABS).withDefault('tests').withOptions({ history: 'replace' }))
  const draft = useDraft(name, me, isAdmin)
  const current = useCurrent()
  const facts = useQuery(trpc.policies.facts.queryOptions())
  const isReady = !current.isPending && facts.data !== undefined
  const { analysis, isStale } = useAnalysis(isReady ? draft.text : undefined, current.bytes, facts.data)
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set())
  const [isDiscarding, setDiscarding] = useState(false)
  const [postponed, setPostponed] = useState<number>()
  const editor = useRef<TextEditorHandle>(null)
  const goTo = useCallback((line: number) => editor.current?.goTo(line), [])
  const marks = useMemo(() => marksOf(analysis), [analysis])
  const discard = useMutation(
    trpc.policies.discardDraft.mutationOptions({
      onSuccess: async () => {
        await draft.forget()
        router.push('/policies')
      },
    }),
  )
  const see = (ids: readonly string[]) => setSeen((before) => new Set([...before, ...ids]))
  const addTest = (test: { [field: string]: JsonValue }) => {
    const next = draft.text === undefined ? undefined : appendItem(draft.text, 'tests', test)
    if (next !== undefined) draft.change(next)
    return next !== undefined
  }

  const failure = draft.query.error ?? current.error ?? facts.error
  if (failure)
    return (
      <Frame name={name}>
        <Failure problem={problemOf(failure)} retry={() => void draft.query.refetch()} />
      </Frame>
    )
  if (draft.query.data === null) {
    const isInForce = analysis !== undefined && current.version?.sha256 === analysis.sha256
    return (
      <Frame name={name}>
        <Empty title={t(isInForce ? 'draft.inForce' : 'draft.gone', { name })}>
          {isInForce && <RolloutBar />}
          {!isInForce && draft.text !== undefined && (
            <p>
              {t('draft.rescue')} <Copy text={draft.text} label={t('draft.copy')} withText />
            </p>
          )}
          <Link href="/policies" className={buttonClass('primary')}>
            {t('draft.toPolicies')}
          </Link>
        </Empty>
      </Frame>
    )
  }
  if (draft.text === undefined || !facts.data || current.isPending)
    return (
      <Frame name={name}>
        <Skeleton label={t('loading')} lines={12} />
      </Frame>
    )
  const failed = analysis?.results.filter(({ ok }) => !ok).length ?? 0
  const passed = (analysis?.results.length ?? 0) - failed
  return (
    <Frame
      name={name}
      base={current.version?.version}
      note={
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
          <Saved state={draft.state} at={draft.savedAt} />
          {draft.theirs && postponed === draft.theirs.revision && (
            <Button onClick={() => setPostponed(undefined)}>{t('conflict.settle')}</Button>
          )}
          {draft.others.length > 0 && (
            <span role="status" className="rounded bg-warn-soft px-2 text-warn">
              {t('draft.editing', { count: draft.others.length, names: draft.others.join(', ') })}
            </span>
          )}
          {draft.mergedFrom && <span role="status">{t('draft.merged', { by: draft.mergedFrom })}</span>}
          {!isAdmin && <span>{t('draft.readOnly')}</span>}
        </div>
      }
      actions={
        isAdmin && (
          <Button look="quiet" onClick={() => setDiscarding(true)}>
            {t('draft.discard')}
          </Button>
        )
      }
    >
      <div className="flex flex-wrap items-start gap-x-6 gap-y-3">
        <Review
          {...{ name, analysis, isStale, isAdmin, seen }}
          current={current.version?.sha256}
          draft={{ save: draft.save, revision: draft.revision, state: draft.state }}
        />
        <CliLine command="npx postern policy sign policy.json" />
      </div>
      {draft.state === 'failed' && draft.problem && <Failure problem={draft.problem} retry={() => void draft.save()} />}
      {current.isForged && <Notice tone="danger" title={t('forged')} />}
      <div className="grid min-h-0 gap-4 lg:h-[calc(100dvh-17rem)] lg:min-h-[26rem] lg:grid-cols-[minmax(0,1.1fr)_minmax(0,1fr)]">
        <div className="flex min-h-0 flex-col gap-3 max-lg:h-[55dvh]">
          <TextEditor
            text={draft.text}
            label={t('editor.label', { name })}
            marks={marks}
            isReadOnly={!isAdmin}
            known={facts.data as unknown as KnownNames}
            onChange={draft.change}
            handle={editor}
          />
        </div>
        <Tabs.Root value={tab} onValueChange={(next) => void setTab(next)} className="flex min-h-0 flex-col">
          <Tabs.List aria-label={t('tabs.label')} className="flex shrink-0 flex-wrap gap-1 border-line border-b">
            {TABS.map((id) => (
              <Tabs.Tab
                key={id}
                value={id}
                className="min-h-11 rounded-t-md border-transparent border-b-2 px-3 hover:bg-sunken data-active:border-accent data-active:font-semibold sm:min-h-9"
              >
                {id === 'tests' && analysis
                  ? t('tabs.testsCount', { passed, failed, problems: analysis.problems.length })
                  : t(`tabs.${id}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <div className={`relative min-h-0 grow py-4 lg:overflow-y-auto ${isStale ? 'opacity-70' : ''}`}>
            {!analysis && <Skeleton label={t('loading')} lines={4} />}
            {analysis && (
              <>
                <Tabs.Panel value="tests">
                  <TestsTab analysis={analysis} goTo={goTo} />
                </Tabs.Panel>
                <Tabs.Panel value="try">
                  <TryTab analysis={analysis} facts={facts.data} goTo={goTo} addTest={isAdmin ? addTest : undefined} />
                </Tabs.Panel>
                <Tabs.Panel value="impact">
                  <ImpactTab analysis={analysis} seen={seen} onSee={see} goTo={goTo} />
                </Tabs.Panel>
                <Tabs.Panel value="versions">
                  <VersionsTab versions={current.versions ?? []} text={draft.text} isAdmin={isAdmin} />
                </Tabs.Panel>
                <Tabs.Panel value="signatures">
                  <SignaturesTab sha256={analysis.sha256} />
                </Tabs.Panel>
              </>
            )}
          </div>
        </Tabs.Root>
      </div>
      {draft.theirs && postponed !== draft.theirs.revision && (
        <ConflictDialog
          theirs={draft.theirs}
          mine={draft.text}
          onSettle={draft.settle}
          onClose={() => setPostponed(draft.theirs?.revision)}
        />
      )}
      <Dialog title={t('draft.discardTitle', { name })} open={isDiscarding} onOpenChange={setDiscarding}>
        <p>{t('draft.discardWhat')}</p>
        {discard.error && <Failure problem={problemOf(discard.error)} />}
        <Button look="danger" disabled={discard.isPending} onClick={() => discard.mutate({ name, revision: draft.revision() })}>
          {t('draft.discardDo')}
        </Button>
      </Dialog>
    </Frame>
  )
}

interface FrameProps {
  readonly name: string
  readonly base?: number | undefined
  readonly note?: React.ReactNode
  readonly actions?: React.ReactNode
  readonly children: React.ReactNode
}
function Frame({ name, base, note, actions, children }: FrameProps) {
  const t = useTranslations('policies')
  return (
    <Page
      title={base === undefined ? t('draft.title', { name }) : t('draft.titleOver', { name, version: base })}
      note={note}
      actions={actions}
    >
      {children}
    </Page>
  )
}

function Saved({ state, at }: { state: SaveState; at: number | undefined }) {
  const t = useTranslations('policies')
  const look = state === 'failed' || state === 'conflict' ? 'text-danger' : 'text-muted'
  return (
    <span role="status" className={look}>
      {t(`saved.${state}`)} {state === 'saved' && at !== undefined && <Time at={at} />}
    </span>
  )
}

/** Mistakes and failing tests in red, advice in amber. */
function marksOf(analysis: ReturnType<typeof useAnalysis>['analysis']): readonly Mark[] {
  if (!analysis) return []
  const { problems, results, advice } = analysis
  return [
    ...problems.map(({ line = 1, column, path, message }) => ({
      ...{ line, severity: 'error' as const, message: path ? `${path}: ${message}` : message },
      ...(column === undefined ? {} : { column }),
    })),
    ...results.flatMap(({ ok, line, name, reason }) => (ok ? [] : [{ line, severity: 'error' as const, message: `${name}: ${reason}` }])),
    ...advice.map(({ line, message }) => ({ line, severity: 'warning' as const, message })),
  ]
}
