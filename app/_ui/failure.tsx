'use client'
import { useTranslations } from 'next-intl'
import type { Problem } from '../_trpc/client.tsx'
import { Button } from './button.tsx'
import { Copy } from './copy.tsx'
import { Notice } from './notice.tsx'

/** What failed, what did not change, what to do, and the id to quote. */
export function Failure({ problem, retry }: { problem: Problem; retry?: () => void }) {
  const t = useTranslations('common')
  const known = t.has(`problems.${problem.code}`)
  return (
    <Notice tone="danger" title={known ? t(`problems.${problem.code}`) : t('problems.other')}>
      <div className="flex flex-col items-start gap-2">
        {problem.message && problem.status !== 599 && <p>{problem.message}</p>}
        {problem.fix && <p>{t('fix', { fix: problem.fix })}</p>}
        <p className="flex flex-wrap items-center gap-2 text-xs text-muted">
          <code className="font-mono">{problem.code}</code>
          {problem.requestId && (
            <>
              <span>{t('request', { id: problem.requestId })}</span>
              <Copy text={`${problem.code} ${problem.requestId}`} label={t('copyReference')} />
            </>
          )}
        </p>
        {retry && <Button onClick={retry}>{t('tryAgain')}</Button>}
      </div>
    </Notice>
  )
}

/** What an `error.tsx` shows: the page's own frame stays, with the digest under which the server logged it. */
export function PageFailure({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const problem = { code: 'PAGE_FAILED', message: '', status: 500, ...(error.digest ? { requestId: error.digest } : {}) }
  return (
    <div className="p-4">
      <Failure problem={problem} retry={reset} />
    </div>
  )
}
