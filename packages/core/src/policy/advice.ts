import type { Policy, Rule } from './document.ts'
import type { PolicyFacts } from './matrix.ts'
import type { PolicyTestResult } from './run-tests.ts'

export type AdviceCode = 'NO_TESTS' | 'UNKNOWN_AGENT' | 'UNKNOWN_SERVER' | 'UNKNOWN_TOOL' | 'UNUSED_TAG' | 'LIMIT_UNSUPPORTED'

/** Something that is allowed to stand in a policy and is perhaps not meant. */
export interface PolicyAdvice {
  readonly code: AdviceCode
  readonly line: number
  readonly message: string
}

/** What a person should look at before signing a document that has no mistakes. Names of groups' members are not looked up. */
export function advisePolicy(policy: Policy, facts: PolicyFacts): readonly PolicyAdvice[] {
  const agents = new Set<string>(facts.agents.map(({ atsign }) => atsign))
  const tags = new Set(facts.agents.flatMap((agent) => agent.tags))
  const servers = new Set(facts.tools.map(({ server }) => server))
  const tools = new Set(facts.tools.map(({ tool }) => tool))
  const about = (rule: Rule, code: AdviceCode, message: string): PolicyAdvice => ({
    code,
    line: rule.line,
    message: `rule ${rule.id}: ${message}`,
  })
  const missing = (names: Iterable<string>, known: ReadonlySet<string>) => [...names].filter((name) => !known.has(name))
  const ofRules = policy.rules.flatMap((rule) => [
    ...missing(rule.who.atsigns, agents).map((name) => about(rule, 'UNKNOWN_AGENT', `no agent ${name} is enrolled`)),
    ...missing(rule.who.tags, tags).map((name) => about(rule, 'UNUSED_TAG', `no agent has the tag ${name}`)),
    ...missing(rule.servers ?? [], servers).map((name) => about(rule, 'UNKNOWN_SERVER', `no tool of a server ${name} is pinned`)),
    ...missing(rule.tools.names, tools).map((name) => about(rule, 'UNKNOWN_TOOL', `no tool ${JSON.stringify(name)} is pinned`)),
    ...(rule.sums && rule.effect !== 'deny'
      ? [about(rule, 'LIMIT_UNSUPPORTED', 'limits a total, so it permits nothing in this version')]
      : []),
  ])
  const untested: PolicyAdvice = { code: 'NO_TESTS', line: 1, message: 'no tests: whether this says what you mean was not checked' }
  return policy.tests.length === 0 ? [untested, ...ofRules] : ofRules
}

/** Of these rules, those that no passing test was decided by. */
export function untestedRules<R extends { readonly id: string }>(rules: readonly R[], results: readonly PolicyTestResult[]): readonly R[] {
  const tested = new Set(results.flatMap(({ ok, decision }) => (ok && decision?.rule !== undefined ? [decision.rule] : [])))
  return rules.filter(({ id }) => !tested.has(id))
}
