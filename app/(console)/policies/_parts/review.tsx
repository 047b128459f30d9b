'use client'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { useTRPCClient } from '../../../_trpc/client.tsx'
import { SignButton } from '../../../_ui/sign-button.tsx'
import type { Analysis } from './analysis.ts'
import { impactGroups } from './analysis.ts'
import type { useDraft } from './use-draft.ts'

interface Props {
  readonly name: string
  readonly analysis: Analysis | undefined
  readonly isStale: boolean
  readonly isAdmin: boolean
  readonly current: string | undefined
  readonly seen: ReadonlySet<string>
  readonly draft: Pick<ReturnType<typeof useDraft>, 'save' | 'revision' | 'state'>
}

/** *Review and sign ▸*, or the first reason why not yet, in words. */
export function Review({ name, analysis, isStale, isAdmin, current, seen, draft }: Props) {
  const t = useTranslations('policies')
  const client = useTRPCClient()
  const [accepted, setAccepted] = useState('')
  const untested = analysis?.untested.map(({ id }) => id) ?? []
  const isAccepted = accepted === untested.join(' ')
  const blocked = (): string | undefined => {
    if (!isAdmin) return t('review.notAdmin')
    if (!analysis || isStale) return t('review.checking')
    if (draft.state === 'conflict') return t('review.conflict')
    const { problems, results, matrix, sha256 } = analysis
    if (problems.length > 0) return t('review.problems', { count: problems.length, line: problems[0]?.line ?? 1 })
    const failed = results.filter(({ ok }) => !ok)
    if (failed.length > 0) return t('review.failing', { count: failed.length, line: failed[0]?.line ?? 1 })
    if (sha256 === current) return t('review.same')
    if (!matrix) return t('review.checking')
    const unopened = impactGroups(matrix).filter(({ id, gains }) => gains && !seen.has(id)).length
    if (unopened > 0) return t('review.unopened', { count: unopened })
    if (untested.length > 0 && !isAccepted) return t('review.untested', { count: untested.length, rules: untested.slice(0, 5).join(', ') })
    return undefined
  }
  const sign = async () => {
    // What was typed in the last second is part of what is signed, or nothing is.
    for (let tries = 0; tries < 3 && !(await draft.save()); tries++);
    return client.policies.signDraft.mutate({ name, revision: draft.revision() })
  }
  return (
    <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
      <SignButton draft={sign} blocked={blocked()}>
        {t('review.sign')}
      </SignButton>
      {isAdmin && untested.length > 0 && !isStale && (
        <label className="flex min-h-11 items-center gap-2 sm:min-h-8">
          <input
            type="checkbox"
            checked={isAccepted}
            onChange={(event) => setAccepted(event.target.checked ? untested.join(' ') : '')}
            className="size-4 accent-accent"
          />
          {t('review.acceptUntested', { count: untested.length })}
        </label>
      )}
    </div>
  )
}
