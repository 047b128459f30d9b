import type { AtSign } from '../key/atsign.ts'
import type { RiskClass } from '../statement/names.ts'
import type { Subject } from './action.ts'
import type { Decision } from './decide.ts'
import { decide } from './decide.ts'
import type { Policy, PolicyTest } from './document.ts'

export interface PolicyTestResult {
  readonly name: string
  readonly line: number
  readonly ok: boolean
  /** What was expected and what came, for a failed test. */
  readonly reason?: string
  /** Absent when the test could not be run. */
  readonly decision?: Decision
}

/**
 * Runs the document's own tests through `decide`.
 * @param resolve Facts about an atSign from the authority log; `undefined` when it is not enrolled, which fails the test unless
 *   the test states the facts itself (`tags` or `owner`).
 * @param riskOf The pinned risk class, `undefined` when the tool is not pinned; a test's own `risk` comes first.
 */
export function runPolicyTests(
  policy: Policy,
  resolve: (atsign: AtSign) => Subject | undefined,
  riskOf: (server: string, tool: string) => RiskClass | undefined,
): readonly PolicyTestResult[] {
  return policy.tests.map((test) => runTest(policy, test, subjectOf(test, resolve), test.risk ?? riskOf(test.server, test.tool)))
}

function subjectOf(test: PolicyTest, resolve: (atsign: AtSign) => Subject | undefined): Subject | undefined {
  if (test.tags === undefined && test.owner === undefined) return resolve(test.who)
  return { atsign: test.who, tags: test.tags ?? [], ...(test.owner === undefined ? {} : { owner: test.owner }) }
}

function runTest(policy: Policy, test: PolicyTest, subject: Subject | undefined, risk: RiskClass | undefined): PolicyTestResult {
  const { name, line } = test
  if (subject === undefined) return { name, line, ok: false, reason: `${test.who} is not enrolled, and the test states no tags` }
  const decision = decide(policy, subject, { server: test.server, tool: test.tool, risk, args: test.args })
  const got = `got ${decision.effect}: ${decision.why}`
  if (decision.effect !== test.expect) return { name, line, ok: false, reason: `expected ${test.expect}, ${got}`, decision }
  const byOther = test.rule !== undefined && decision.rule !== test.rule
  return byOther
    ? { name, line, ok: false, reason: `expected rule ${test.rule} to decide, ${got}`, decision }
    : { name, line, ok: true, decision }
}
