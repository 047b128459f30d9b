import type { AtSign, Decision, Policy, Subject } from '@postern/core'
import { decide, explain, parsePolicy, policyDigest } from '@postern/core'
import { writeDurably } from '@postern/daemon'
import type { Command } from 'commander'
import { syncAuthority } from '../authority/authority.ts'
import { outcomeText, signStatement } from '../authority/statement.ts'
import type { Context } from '../context.ts'
import { CliError, notFound } from '../errors.ts'
import { argumentsOf, atSignOf, toolOf } from '../inputs.ts'
import { state as stateCell } from '../output/cell.ts'
import { escapeLines, escapeText } from '../output/escape.ts'
import type { Report } from '../output/report.ts'
import { current, knownState, parseChecked, readPolicyFile, riskIn, runTests, subjectIn } from '../policy/document.ts'
import { editPolicy, lintFile } from '../policy/edit.ts'
import { planPolicy } from '../policy/plan.ts'
import { policyHistory, policyRollout, restorePolicy } from '../policy/versions.ts'
import { openSignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'

export function register(program: Command): void {
  const policy = program.command('policy').description('The signed rules: what agents may call.')
  policy
    .command('show')
    .description('The policy in force, byte for byte, checked against the digest in the log.')
    .option('--out <file>', 'write the exact bytes there')
    .action(act(show))
  policy
    .command('edit')
    .description('Open a document in $VISUAL or $EDITOR and check it afterwards; a missing file begins with the policy in force.')
    .argument('<file>')
    .option('--template <template>', 'begin a missing file with deny-all, read-only or observe')
    .action(act(editPolicy))
  policy
    .command('lint')
    .description('Every mistake in a document, and what in it the log does not know.')
    .argument('<file>')
    .action(act(lintFile))
  policy
    .command('test')
    .description('Check a document and run its own tests, on this machine.')
    .argument('<file>')
    .option('--only <name>', 'only this test')
    .option('--explain', 'say what every rule said')
    .action(act(test))
  policy
    .command('try')
    .description('What the policy would say to a call, and why.')
    .argument('<tool>', 'server.tool')
    .argument('[arguments]', 'JSON object', '{}')
    .requiredOption('--agent <atsign>', 'who calls')
    .option('--file <file>', 'a draft; default: the policy in force')
    .option('--risk <class>', 'assume this risk class instead of the pinned one')
    .option('--tags <tags>', 'assume these tags instead of the enrolled ones')
    .action(act(tryCall))
  policy
    .command('plan')
    .description('What a document would change: rules in sentences, and who gains or loses which tool.')
    .argument('<file>')
    .action(act(planPolicy))
  policy
    .command('sign')
    .description('Put a policy in force: its tests run first, then its digest is signed.')
    .argument('<file>')
    .action(act(sign))
  policy.command('rollout').description('Which gateways have said, signed, that they apply the policy in force.').action(act(policyRollout))
  policy.command('history').description('Every policy that came into force, newest first.').action(act(policyHistory))
  policy
    .command('restore')
    .description('Write an older policy to a file, byte for byte, to be looked at and signed again.')
    .argument('<statement>', 'its statement, as policy history lists it')
    .requiredOption('--out <file>', 'where to')
    .action(act(restorePolicy))
}

async function test(context: Context, [path = '']: readonly string[], options: Options): Promise<Report> {
  const policy = parseChecked(await readPolicyFile(path), path)
  const results = runTests(policy, await knownState(context), options.only)
  if (options.only !== undefined && results.length === 0) throw notFound(`there is no test ${options.only}`)
  const failed = results.filter(({ ok }) => !ok)
  if (results.length === 0) context.warn('the policy has no tests: nothing was checked but its form')
  return {
    schema: 'policy.test',
    data: {
      policy: policy.name,
      rules: policy.rules.length,
      ok: results.length - failed.length,
      failed: failed.length,
      tests: results.map(testData),
    },
    ids: failed.map(({ name }) => name),
    table: {
      columns: ['result', 'line', 'test', 'why'],
      rows: results.map(({ ok, line, name, reason }) => [stateCell(ok ? 'ok' : 'failed'), line, name, reason]),
      empty: 'no tests',
    },
    lines: options.explain
      ? results.flatMap(({ name, decision }) => ['', name, ...(decision ? explain(decision) : [])]).map(escapeText)
      : [],
    exit: failed.length > 0 ? 'checksFailed' : 'done',
  }
}

const testData = ({ name, line, ok, reason, decision }: ReturnType<typeof runTests>[number]) => ({
  ...{ name, line, ok, reason: reason ?? null, rule: decision?.rule ?? null, effect: decision?.effect ?? null },
})

async function tryCall(context: Context, [typed = '', argumentsText = '{}']: readonly string[], options: Options): Promise<Report> {
  const state = await knownState(context)
  const policy = options.file ? parseChecked(await readPolicyFile(options.file), options.file) : parsePolicy((await current(context)).bytes)
  const { server, tool } = toolOf(typed, state?.servers.keys())
  const atsign = atSignOf(options.agent)
  const subject = assumed(subjectIn(state, atsign), atsign, options.tags)
  const risk = options.risk ?? riskIn(state, server, tool)
  const decision = decide(policy, subject, { server, tool, risk, args: argumentsOf(argumentsText) })
  return {
    schema: 'policy.try',
    data: { ...decisionData(decision), agent: subject, server, tool, risk: risk ?? null },
    ids: [decision.effect],
    lines: explain(decision).map(escapeText),
  }
}

function assumed(known: Subject | undefined, atsign: AtSign, tags: string | undefined): Subject {
  if (tags !== undefined) return { ...known, atsign, tags: tags.split(',').filter(Boolean) }
  if (known) return known
  throw notFound(`${atsign} is not enrolled, as far as this machine knows`, 'say which tags to assume: --tags a,b')
}

const decisionData = ({ effect, code, rule, line, why, trace }: Decision) => ({
  effect,
  code,
  rule: rule ?? null,
  line: line ?? null,
  why,
  trace,
})

async function show(context: Context, _args: readonly string[], options: Options): Promise<Report> {
  const { bytes, sha256, name, seq } = await current(context)
  const text = new TextDecoder().decode(bytes)
  if (options.out) {
    await writeDurably(options.out, bytes)
  }
  return {
    schema: 'policy.show',
    data: { name, sha256, seq, document: JSON.parse(text) },
    ids: [sha256],
    lines: options.out ? [`✓ ${name} ${sha256} written to ${options.out}`] : [escapeLines(text).trimEnd()],
  }
}

async function sign(context: Context, [path = '']: readonly string[]): Promise<Report> {
  const bytes = await readPolicyFile(path)
  const policy = parseChecked(bytes, path)
  const person = await openSignedIn(context.settings)
  const { state } = await syncAuthority(person.dir, person.profile.org, person.client)
  const results = runTests(policy, state)
  requirePassed(results, path)
  if (results.length === 0) context.warn('the policy has no tests: whether it says what you mean was not checked')
  const sha256 = policyDigest(bytes)
  await person.client.put(`/api/v1/policies/${sha256}`, bytes)
  const outcome = await signStatement(context, person, {
    op: 'policy.set',
    body: () => ({ sha256, name: policy.name }),
    notes: [`${path}: ${countText(policy.rules.length, 'rule')}, ${countText(results.length, 'test')} ok.`, ...policy.rules.map(ruleText)],
  })
  return {
    schema: 'policy.sign',
    data: { ...outcome, policy: policy.name, sha256, rules: policy.rules.length, tests: results.length },
    ids: [sha256],
    lines: [`${outcomeText(outcome)} · policy ${escapeText(policy.name)} ${sha256}`],
    exit: outcome.status === 'waiting' ? 'pending' : 'done',
  }
}

function requirePassed(results: ReturnType<typeof runTests>, path: string): void {
  const failed = results.filter(({ ok }) => !ok)
  if (failed.length === 0) return
  throw new CliError('CHECKS_FAILED', `${failed.length} of ${results.length} tests fail, the draft cannot be signed`, {
    why: failed.map(({ line, name, reason }) => `${path}:${line} ${name}: ${reason}`).join('\n'),
    fix: `postern policy test ${path} --explain`,
    exit: 'checksFailed',
  })
}

const countText = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
const ruleText = ({ id, effect, line, off }: Policy['rules'][number]): string =>
  `rule ${id} (line ${line}): ${effect}${off ? ', switched off' : ''}`
