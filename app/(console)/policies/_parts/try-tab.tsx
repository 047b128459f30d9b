'use client'
import type { JsonValue, Subject } from '@postern/core'
import { decide, isAtSign, parseStrictJson } from '@postern/core'
import { useTranslations } from 'next-intl'
import { useMemo, useState } from 'react'
import { Button } from '../../../_ui/button.tsx'
import { DecisionChip } from '../../../_ui/chip.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Empty } from '../../../_ui/empty.tsx'
import { Field, inputClass, TextField } from '../../../_ui/field.tsx'
import { Untrusted } from '../../../_ui/untrusted.tsx'
import type { Analysis } from './analysis.ts'
import { riskOf, subjectOf } from './analysis.ts'
import { LineLink } from './line-link.tsx'
import type { Facts } from './shapes.ts'

interface Props {
  readonly analysis: Analysis
  readonly facts: Facts
  readonly goTo: (line: number) => void
  /** Absent where the text cannot be changed. */
  readonly addTest?: ((test: { [field: string]: JsonValue }) => boolean) | undefined
}

/** One call, decided here by what decides at a gateway. Nothing of it leaves this page. */
export function TryTab({ analysis: { policy }, facts, goTo, addTest }: Props) {
  const t = useTranslations('policies')
  const [agent, setAgent] = useState<string>(facts.agents[0]?.atsign ?? '')
  const [target, setTarget] = useState(() => (facts.tools[0] ? `${facts.tools[0].server}.${facts.tools[0].tool}` : ''))
  const [argumentsText, setArguments] = useState('{}')
  const [isAdded, setAdded] = useState<boolean>()
  const read = useMemo(() => readArguments(argumentsText), [argumentsText])
  const dot = target.indexOf('.')
  const [server, tool] = [target.slice(0, dot), target.slice(dot + 1)]
  const isWhole = isAtSign(agent) && dot > 0 && tool !== ''
  const subject: Subject | undefined = isAtSign(agent) ? (subjectOf(facts, agent) ?? { atsign: agent, tags: [] }) : undefined
  const risk = riskOf(facts, server, tool)
  const decision = useMemo(
    () => (policy && subject && isWhole && 'value' in read ? decide(policy, subject, { server, tool, risk, args: read.value }) : undefined),
    [policy, subject, isWhole, read, server, tool, risk],
  )
  const add = () => {
    if (!decision || !('value' in read)) return
    const name =
      `${agent} ${target} ${argumentsText === '{}' ? '' : argumentsText.replace(/\s+/g, ' ').slice(0, 80)}: ${decision.effect}`.replace(
        / +:/,
        ':',
      )
    setAdded(
      addTest?.({
        name,
        who: agent,
        server,
        tool,
        ...(argumentsText.trim() === '{}' ? {} : { args: read.value }),
        expect: decision.effect,
        ...(decision.rule ? { rule: decision.rule } : {}),
      }),
    )
  }
  return (
    <div className="flex flex-col gap-4">
      <p className="text-muted">{t('try.what')}</p>
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label={t('try.agent')}
          hint={subject && !subjectOf(facts, agent) ? t('try.unknownAgent') : undefined}
          list="policy-agents"
          value={agent}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setAgent(event.target.value.trim())}
        />
        <TextField
          label={t('try.tool')}
          hint={isWhole ? (risk ? t('try.risk', { risk }) : t('try.unpinned')) : undefined}
          list="policy-tools"
          value={target}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setTarget(event.target.value.trim())}
        />
        <datalist id="policy-agents">
          {facts.agents.slice(0, 500).map(({ atsign, tags }) => (
            <option key={atsign} value={atsign}>
              {tags.join(' ')}
            </option>
          ))}
        </datalist>
        <datalist id="policy-tools">
          {facts.tools.slice(0, 500).map((known) => (
            <option key={`${known.server}.${known.tool}`} value={`${known.server}.${known.tool}`}>
              {known.risk}
            </option>
          ))}
        </datalist>
      </div>
      <Field label={t('try.arguments')} error={'error' in read ? t('try.badArguments', { why: read.error }) : undefined}>
        {(ids) => (
          <textarea
            {...ids}
            rows={4}
            spellCheck={false}
            value={argumentsText}
            onChange={(event) => setArguments(event.target.value)}
            className={`${inputClass} py-2 font-mono`}
          />
        )}
      </Field>
      {!policy && <Empty title={t('try.noPolicy')} />}
      {decision && (
        <section aria-label={t('try.decision')} aria-live="polite" className="flex flex-col gap-3 rounded-md border border-line p-3">
          <p className="flex flex-wrap items-center gap-2">
            <DecisionChip decision={decision.effect} />
            <span className="min-w-0 break-words">
              <Untrusted text={decision.why} max={500} />
            </span>
            {decision.line !== undefined && <LineLink line={decision.line} goTo={goTo} />}
          </p>
          {decision.approvers && (
            <p className="text-muted">
              {decision.approvers.length > 0 ? t('try.approvers', { names: decision.approvers.join(', ') }) : t('try.nobodyApproves')}
            </p>
          )}
          <table className="w-full text-left">
            <caption className="sr-only">{t('try.trace')}</caption>
            <thead className="text-xs text-muted">
              <tr>
                <th className="py-1 pe-3 font-medium">{t('try.rule')}</th>
                <th className="py-1 pe-3 font-medium">{t('try.said')}</th>
                <th className="py-1 font-medium">{t('try.place')}</th>
              </tr>
            </thead>
            <tbody>
              {decision.trace.map(({ rule, line, effect, counted, text }) => (
                <tr key={rule} className={`border-line border-t align-top ${counted ? 'font-medium' : 'text-muted'}`}>
                  <td className="py-1.5 pe-3 font-mono text-xs break-all">
                    {rule} <span className="text-muted">{effect}</span>
                  </td>
                  <td className="py-1.5 pe-3">
                    <span aria-hidden="true">{counted ? '✓ ' : '– '}</span>
                    <Untrusted text={text} max={300} />
                  </td>
                  <td className="py-1 whitespace-nowrap">
                    <LineLink line={line} goTo={goTo} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {addTest && (
            <div className="flex flex-wrap items-center gap-3">
              <Button onClick={add}>{t('try.addTest')}</Button>
              {isAdded !== undefined && <span role="status">{t(isAdded ? 'try.added' : 'try.notAdded')}</span>}
            </div>
          )}
        </section>
      )}
      <CliLine command={`npx postern policy try ${target || 'server.tool'} --agent ${agent || '@agent'} --file policy.json`} />
    </div>
  )
}

function readArguments(text: string): { readonly value: JsonValue } | { readonly error: string } {
  try {
    return { value: parseStrictJson(text.trim() === '' ? '{}' : text, { maxBytes: 65_536, maxDepth: 64 }) }
  } catch (error) {
    return { error: (error as Error).message }
  }
}
