import { refuse } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import { createConstraint } from './check.ts'
import type { BeyondTools, Limits, Plan, Requirement, Rule, Tools, Who } from './document.ts'
import type { BeyondFields, RuleFields } from './rule-shape.ts'

export const DEFAULT_TTL_SECONDS = 60
export const DEFAULT_WAIT_SECONDS = 300
export type Groups = ReadonlyMap<string, ReadonlySet<AtSign>>

/** Turns the fields of one rule into what the evaluator reads, and checks what they mean together. */
export function compileRule(fields: RuleFields, index: number, line: number, groups: Groups): Rule {
  const path = `rules[${index}]`
  checkTogether(fields, path)
  const checks = fields.when ?? []
  return {
    id: fields.id,
    ...(fields.title === undefined ? {} : { title: fields.title }),
    index,
    line,
    effect: fields.effect,
    off: fields.off ?? false,
    who: compileWho(fields.who, groups, path),
    servers: fields.servers.includes('*') ? undefined : new Set(fields.servers),
    tools: compileTools(fields.tools),
    when: createConstraint(checks, fields.unnamed ?? 'deny'),
    limits: compileLimits(fields.limits),
    sums: fields.limits?.sums !== undefined || checks.some((check) => check.name === 'sum'),
    requires: requirementsOf(fields),
    output: fields.output,
    approvers: compileApprovers(fields, groups, path),
  }
}

/** @param path Of the entry, for messages. */
export function compileBeyond(fields: BeyondFields, path: string, groups: Groups): BeyondTools {
  const { who, servers, resources, prompts, methods } = fields
  if (!resources && !prompts && !methods) refuse(path, 'names no resources, prompts or methods')
  return {
    who: compileWho(who, groups, path),
    servers: servers.includes('*') ? undefined : new Set(servers),
    resources: resources ?? [],
    prompts: new Set(prompts),
    methods: new Set(methods),
  }
}

/** A field that would do nothing is an error, or somebody relies on it. */
function checkTogether(fields: RuleFields, path: string): void {
  const { effect } = fields
  if (fields.unnamed !== undefined && fields.when === undefined) refuse(`${path}.unnamed`, 'means nothing without when')
  if (fields.unnamed === 'allow' && effect === 'deny') refuse(`${path}.unnamed`, 'a deny rule looks at the arguments it names only')
  if (effect !== 'ask' && fields.approvers !== undefined) refuse(`${path}.approvers`, 'only a rule with effect ask has approvers')
  if (effect !== 'ask' && fields.owner_may_approve !== undefined)
    refuse(`${path}.owner_may_approve`, 'only a rule with effect ask has approvers')
  if (effect !== 'ask' && fields.wait_seconds !== undefined)
    refuse(`${path}.wait_seconds`, 'only a rule with effect ask waits for somebody')
  if (effect === 'ask' && fields.approvers === undefined && fields.owner_may_approve !== true)
    refuse(`${path}.approvers`, 'missing: a rule with effect ask says who may approve')
  for (const name of ['limits', 'flow', 'output'] as const)
    if (effect === 'deny' && fields[name] !== undefined) refuse(`${path}.${name}`, 'a deny rule permits nothing that could be limited')
}

function compileWho(who: readonly string[], groups: Groups, path: string): Who {
  const after = (prefix: string) => who.filter((item) => item.startsWith(prefix)).map((item) => item.slice(prefix.length))
  return {
    anyone: who.includes('*'),
    atsigns: new Set(who.filter((item) => item.startsWith('@'))),
    tags: new Set(after('tag:')),
    groups: who.flatMap((item, i) => (item.startsWith('group:') ? [groupMembers(groups, item.slice(6), `${path}.who[${i}]`)] : [])),
  }
}

function groupMembers(groups: Groups, name: string, path: string): ReadonlySet<AtSign> {
  const members = groups.get(name)
  if (members === undefined) throw new VerifyError('UNKNOWN_GROUP', `${path}: there is no group ${name}`)
  return members
}

function compileTools(tools: readonly string[]): Tools {
  const risks = tools.filter((tool) => tool.startsWith('risk:')).map((tool) => tool.slice(5))
  return {
    any: tools.includes('*'),
    names: new Set(tools.filter((tool) => tool !== '*' && !tool.startsWith('risk:'))),
    risks: new Set(risks),
  }
}

function compileLimits(limits: RuleFields['limits']): Limits {
  return {
    ttlSeconds: limits?.ttl_seconds ?? DEFAULT_TTL_SECONDS,
    ...(limits?.calls === undefined ? {} : { calls: limits.calls }),
    ...(limits?.per_minute === undefined ? {} : { perMinute: limits.per_minute }),
  }
}

function requirementsOf(fields: RuleFields): readonly Requirement[] {
  const wanted: Requirement[] = []
  if (fields.flow !== undefined) wanted.push('flow')
  if (fields.output !== undefined) wanted.push('output')
  return wanted
}

function compileApprovers(fields: RuleFields, groups: Groups, path: string): Rule['approvers'] {
  if (fields.effect !== 'ask') return undefined
  const named = (fields.approvers ?? []).flatMap((item, i) =>
    item.startsWith('group:') ? [...groupMembers(groups, item.slice(6), `${path}.approvers[${i}]`)] : [item as AtSign],
  )
  return {
    atsigns: [...new Set(named)].sort(),
    owner: fields.owner_may_approve ?? false,
    waitSeconds: fields.wait_seconds ?? DEFAULT_WAIT_SECONDS,
  }
}

export function planRules(rules: readonly Rule[]): Plan {
  const byName = new Map<string, Rule[]>()
  const byRisk = new Map<string, Rule[]>()
  const add = (map: Map<string, Rule[]>, key: string, rule: Rule) => {
    const known = map.get(key)
    if (known) known.push(rule)
    else map.set(key, [rule])
  }
  const live = rules.filter((rule) => !rule.off)
  for (const rule of live) {
    for (const name of rule.tools.names) add(byName, name, rule)
    for (const risk of rule.tools.risks) add(byRisk, risk, rule)
  }
  return { byName, byRisk, anyTool: live.filter((rule) => rule.tools.any), anyRisk: live.filter((rule) => rule.tools.risks.size > 0) }
}
