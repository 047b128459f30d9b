'use client'
import { useTranslations } from 'next-intl'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Notice } from '../../../_ui/notice.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'
import type { Analysis } from './analysis.ts'
import { LineLink } from './line-link.tsx'

interface Props {
  readonly analysis: Analysis
  readonly goTo: (line: number) => void
}

/** Mistakes, tests and advice, in the order of the text. */
export function TestsTab({ analysis, goTo }: Props) {
  const t = useTranslations('policies')
  const { problems, results, advice, testMs } = analysis
  const failed = results.filter(({ ok }) => !ok)
  const passed = results.filter(({ ok }) => ok)
  return (
    <div className="flex flex-col gap-4">
      {problems.length > 0 && (
        <section aria-label={t('tests.problems', { count: problems.length })}>
          <h2 className="font-medium text-danger">{t('tests.problems', { count: problems.length })}</h2>
          <ul className="mt-1 flex flex-col">
            {problems.slice(0, 50).map(({ line = 1, column = 1, path, message, code }) => (
              <Line key={`${line}:${column} ${path} ${message}`} line={line} goTo={goTo} sign="✕" look="text-danger">
                {path && <code className="font-mono text-xs">{path} </code>}
                <Untrusted text={message} max={300} /> <code className="font-mono text-xs text-muted">{code}</code>
              </Line>
            ))}
          </ul>
          <p className="mt-2 text-muted">{t('tests.notRun')}</p>
        </section>
      )}
      {problems.length === 0 && results.length === 0 && (
        <Notice tone="warn" title={t('tests.none')}>
          {t('tests.noneWhy')}
        </Notice>
      )}
      {failed.length > 0 && (
        <section aria-label={t('tests.failed', { count: failed.length })}>
          <h2 className="font-medium text-danger">{t('tests.failed', { count: failed.length })}</h2>
          <ul className="mt-1 flex flex-col">
            {failed.map(({ name, line, reason }) => (
              <Line key={name} line={line} goTo={goTo} sign="✕" look="text-danger">
                <span className="font-medium">
                  <Untrusted text={name} max={200} />
                </span>
                <span className="block text-muted">
                  <Untrusted text={reason ?? ''} max={500} />
                </span>
              </Line>
            ))}
          </ul>
        </section>
      )}
      {advice.length > 0 && (
        <section aria-label={t('tests.advice', { count: advice.length })}>
          <h2 className="font-medium text-warn">{t('tests.advice', { count: advice.length })}</h2>
          <ul className="mt-1 flex flex-col">
            {advice.map(({ code, line, message }) => (
              <Line key={`${code} ${line} ${message}`} line={line} goTo={goTo} sign="!" look="text-warn">
                <Untrusted text={message} max={300} />
              </Line>
            ))}
          </ul>
        </section>
      )}
      {passed.length > 0 && (
        <section aria-label={t('tests.passed', { count: passed.length })}>
          <h2 className="font-medium text-ok">{t('tests.passed', { count: passed.length })}</h2>
          <ul className="mt-1 flex flex-col">
            {passed.map(({ name, line, decision }) => (
              <Line key={name} line={line} goTo={goTo} sign="✓" look="text-ok">
                <Untrusted text={name} max={200} />
                {decision?.rule && <span className="text-muted"> {t('tests.byRule', { rule: decision.rule })}</span>}
              </Line>
            ))}
          </ul>
        </section>
      )}
      <p className="text-xs text-muted">{t('tests.where', { ms: Math.max(1, Math.round(testMs)) })}</p>
      <CliLine command="npx postern policy test policy.json" />
    </div>
  )
}

/** One finding with its line: a press goes there. */
function Line({
  line,
  goTo,
  sign,
  look,
  children,
}: {
  line: number
  goTo: (line: number) => void
  sign: string
  look: string
  children: React.ReactNode
}) {
  return (
    <li className="flex items-start gap-2 border-line border-b py-1.5 last:border-b-0">
      <span aria-hidden="true" className={`w-4 shrink-0 text-center font-bold ${look}`}>
        {sign}
      </span>
      <span className="min-w-0 grow break-words">{children}</span>
      <LineLink line={line} goTo={goTo} />
    </li>
  )
}
