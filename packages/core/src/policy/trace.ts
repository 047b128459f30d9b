import { isJsonObject } from '../bytes/json.ts'
import type { Action, Subject } from './action.ts'
import { argumentsOf } from './action.ts'
import { judge, sayJudgement } from './check.ts'
import type { Decision } from './decide.ts'
import type { Effect, Policy, Rule } from './document.ts'
import type { Scope } from './scope.ts'
import { scopeOf } from './scope.ts'

/** What one rule said to a call. */
export interface TraceLine {
  readonly rule: string
  readonly line: number
  readonly effect: Effect
  /** Whether it counted: permitted, denied, or kept the call from being simply allowed. */
  readonly counted: boolean
  /** `other tool`, `amount must be at most 50`, `yes`. Repeats no argument's value. */
  readonly text: string
}

/** Every rule in document order. Pure; costs more than the decision itself. */
export const traceRules = (policy: Policy, subject: Subject, action: Action): readonly TraceLine[] =>
  policy.rules.map((rule) => ({ rule: rule.id, line: rule.line, effect: rule.effect, ...outcomeOf(rule, subject, action) }))

function outcomeOf(rule: Rule, subject: Subject, action: Action): Pick<TraceLine, 'counted' | 'text'> {
  const scope = scopeOf(rule, subject, action)
  if (scope !== 'in' && scope !== 'unsure') return { counted: false, text: sayScope(scope, action) }
  const args = argumentsOf(action)
  if (!isJsonObject(args)) return { counted: false, text: 'the arguments are not an object' }
  const judgement = judge(rule.when, args)
  if (scope === 'unsure' && judgement.kind !== 'no') return { counted: true, text: 'cannot be ruled out: the tool has no risk class' }
  if (judgement.kind === 'yes') return rule.sums && rule.effect !== 'deny' ? SUMS : { counted: true, text: 'yes' }
  if (rule.effect === 'allow' || judgement.kind === 'no') return { counted: false, text: sayJudgement(judgement) }
  if (judgement.kind === 'unnamed') return { counted: true, text: rule.effect === 'deny' ? 'yes' : sayJudgement(judgement) }
  return { counted: true, text: `cannot be ruled out: ${sayJudgement(judgement)}` }
}
const SUMS = { counted: false, text: 'it limits a total, which this version cannot count' } as const

function sayScope(scope: Exclude<Scope, 'in' | 'unsure'>, { risk }: Action): string {
  if (scope === 'off') return 'switched off'
  if (scope === 'risk') return risk === undefined ? 'the tool has no risk class' : `the risk class is ${risk}`
  return { who: 'other agent', server: 'other server', tool: 'other tool' }[scope]
}

/** A decision in words: the verdict, then the rules, those with the same answer together. */
export function explain(decision: Decision): readonly string[] {
  const lines = [`${decision.effect.toUpperCase()}: ${decision.why}`]
  const { trace } = decision
  for (let start = 0, end = 0; start < trace.length; start = end) {
    const first = trace[start]!
    while (end < trace.length && trace[end]!.text === first.text && trace[end]!.counted === first.counted) end++
    const same = trace.slice(start, end).map((line) => line.rule)
    const which =
      same.length === 1
        ? `rule ${same[0]}`
        : `rules ${same.slice(0, 20).join(', ')}${same.length > 20 ? ` and ${same.length - 20} more` : ''}`
    lines.push(`${which}: ${first.counted ? '' : 'no, '}${first.text}`)
  }
  return lines
}
