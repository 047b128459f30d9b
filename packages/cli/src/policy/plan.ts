import type { Matrix, MatrixCell, Outlook, Principal } from '@postern/core'
import { advisePolicy, changedRules, comparePolicies, describePolicyChange, parsePolicy, policyFacts, untestedRules } from '@postern/core'
import { syncAuthority } from '../authority/authority.ts'
import type { Context } from '../context.ts'
import { escapeText } from '../output/escape.ts'
import type { Report } from '../output/report.ts'
import { openSignedIn } from '../profile/person.ts'
import { fetchDocument, parseChecked, readPolicyFile, runTests } from './document.ts'

/** What signing this document would change, against the policy in force. Past calls are not replayed: their arguments stay at the gateways. */
export async function planPolicy(context: Context, [path = '']: readonly string[]): Promise<Report> {
  const bytes = await readPolicyFile(path)
  const policy = parseChecked(bytes, path)
  const person = await openSignedIn(context.settings)
  const { state } = await syncAuthority(person.dir, person.profile.org, person.client)
  const before = state.policy && (await fetchDocument(person, state.policy.sha256))
  const facts = policyFacts(state)
  const results = runTests(policy, state)
  const failed = results.filter(({ ok }) => !ok)
  const sentences = describePolicyChange(before, bytes)
  const matrix = comparePolicies(before && parsePolicy(before), policy, facts)
  const changed = changedRules(before, bytes).filter(({ kind, isOff }) => kind !== 'gone' && !isOff)
  const untested = untestedRules(changed, results).map(({ id }) => id)
  for (const { message, line } of advisePolicy(policy, facts)) context.warn(`${path}:${line} ${message}`)
  if (untested.length > 0) context.warn(`no test covers the changed rules ${untested.join(', ')}`)
  return {
    schema: 'policy.plan',
    data: { sentences, changed: matrix.changed.map(cellData), cells: matrix.cells, untested, tests: results.length, failed: failed.length },
    ids: matrix.changed.filter(({ gains }) => gains).map(({ who, server, tool }) => `${whoText(who)} ${server}.${tool}`),
    lines: [
      ...sentences,
      countText(matrix),
      ...matrix.changed.map(cellText),
      `${results.length - failed.length} of ${results.length} tests ok`,
      ...failed.map(({ line, name, reason }) => `${path}:${line} ${name}: ${reason}`),
    ].map(escapeText),
    exit: failed.length > 0 ? 'checksFailed' : 'done',
  }
}

const whoText = (who: Principal): string =>
  'atsign' in who
    ? who.atsign
    : who.newcomer === undefined
      ? 'whoever is enrolled later'
      : `whoever is enrolled later with tag ${who.newcomer}`

const countText = ({ changed, cells, agents, newcomers, tools }: Matrix): string =>
  `${changed.length} of ${cells} may change (${agents} agents and ${newcomers} kinds of newcomers x ${tools} pinned tools):`

function cellText({ who, server, tool, before, after, gains, loses, rule }: MatrixCell): string {
  const sign = gains && loses ? '±' : gains ? '+' : '-'
  return `${sign} ${whoText(who)}  ${server}.${tool}  ${outlookText(before)} -> ${outlookText(after)}  ${rule ? `rule ${rule.id}, line ${rule.line}` : 'no rule'}`
}

const outlookText = (outlook: Outlook): string =>
  (['allow', 'ask', 'deny'] as const)
    .filter((effect) => outlook[effect] !== 'none')
    .map((effect) => `${outlook[effect]} ${effect}`)
    .join(', ')

const cellData = ({ who, server, tool, risk, before, after, gains, loses, rule }: MatrixCell) => ({
  ...('atsign' in who ? { agent: who.atsign } : { newcomer: who.newcomer ?? '' }),
  ...{ server, tool, risk, before, after, gains, loses, rule: rule?.id ?? null },
})
