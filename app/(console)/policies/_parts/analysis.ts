import type { Matrix, MatrixCell, Policy, PolicyAdvice, PolicyProblem, PolicyTestResult, RuleChange, Subject } from '@postern/core'
import {
  advisePolicy,
  changedRules,
  comparePolicies,
  describePolicyChange,
  lintPolicy,
  parsePolicy,
  policyDigest,
  runPolicyTests,
  untestedRules,
  utf8,
} from '@postern/core'
import type { Facts } from './shapes.ts'

/** All that this page says about a text, computed here in the browser by the gateway's own evaluator. */
export interface Analysis {
  readonly text: string
  readonly sha256: string
  readonly problems: readonly PolicyProblem[]
  /** Absent while there are problems, like all below. */
  readonly policy?: Policy
  readonly results: readonly PolicyTestResult[]
  readonly advice: readonly PolicyAdvice[]
  readonly changes: readonly RuleChange[]
  readonly untested: readonly RuleChange[]
  readonly sentences: readonly string[]
  /** Absent also until `withImpact`, which takes longer than anybody should wait for the tests. */
  readonly matrix?: Matrix
  /** Milliseconds it took to lint and run the tests. */
  readonly testMs: number
}

export const subjectOf = (facts: Facts, atsign: string): Subject | undefined =>
  facts.agents.find((agent) => agent.atsign === atsign) as Subject | undefined
export const riskOf = (facts: Facts, server: string, tool: string) =>
  facts.tools.find((known) => known.server === server && known.tool === tool)?.risk

/** @param current the bytes in force, if any */
export function analyse(text: string, current: Uint8Array | undefined, facts: Facts): Analysis {
  const began = performance.now()
  const bytes = utf8(text)
  const sha256 = policyDigest(bytes)
  const problems = lintPolicy(bytes)
  const nothing = { results: [], advice: [], changes: [], untested: [], sentences: [] }
  if (problems.length > 0) return { text, sha256, problems, ...nothing, testMs: performance.now() - began }
  const policy = parsePolicy(bytes)
  const byName = new Map(facts.agents.map((agent) => [agent.atsign as string, agent as Subject]))
  const risks = new Map(facts.tools.map(({ server, tool, risk }) => [`${server}\n${tool}`, risk]))
  const results = runPolicyTests(
    policy,
    (atsign) => byName.get(atsign),
    (server, tool) => risks.get(`${server}\n${tool}`),
  )
  const testMs = performance.now() - began
  const changes = changedRules(current, bytes)
  const names = facts as Parameters<typeof advisePolicy>[1]
  return {
    ...{ text, sha256, problems, policy, results, changes, testMs },
    advice: advisePolicy(policy, names),
    untested: untestedRules(
      changes.filter(({ kind, isOff }) => kind !== 'gone' && !isOff),
      results,
    ),
    sentences: describePolicyChange(current, bytes),
  }
}

/** The same with who gains and who loses. */
export function withImpact(analysis: Analysis, current: Uint8Array | undefined, facts: Facts): Analysis {
  const { policy } = analysis
  if (!policy) return analysis
  return { ...analysis, matrix: comparePolicies(current && parsePolicy(current), policy, facts as Parameters<typeof comparePolicies>[2]) }
}

/** Principals with exactly the same changes, together: hundreds of agents with one tag are one thing to read. */
export interface ImpactGroup {
  readonly id: string
  readonly who: readonly string[]
  readonly newcomers: readonly (string | undefined)[]
  readonly cells: readonly MatrixCell[]
  readonly gains: boolean
}

export function impactGroups({ changed }: Matrix): readonly ImpactGroup[] {
  const byPrincipal = new Map<string, MatrixCell[]>()
  for (const cell of changed) {
    const name = 'atsign' in cell.who ? cell.who.atsign : `+${cell.who.newcomer ?? ''}`
    byPrincipal.set(name, [...(byPrincipal.get(name) ?? []), cell])
  }
  const groups = new Map<string, { who: string[]; newcomers: (string | undefined)[]; cells: MatrixCell[] }>()
  for (const [name, cells] of byPrincipal) {
    const id = JSON.stringify(cells.map(({ server, tool, before, after, gains, loses }) => [server, tool, before, after, gains, loses]))
    const group = groups.get(id) ?? { who: [], newcomers: [], cells }
    if (name.startsWith('+')) group.newcomers.push(name.slice(1) || undefined)
    else group.who.push(name)
    groups.set(id, group)
  }
  return [...groups].map(([id, group]) => ({
    id: `${id} ${group.who} ${group.newcomers}`,
    ...group,
    gains: group.cells.some(({ gains }) => gains),
  }))
}
