import { decodeUtf8 } from '../bytes/bytes.ts'
import type { JsonObject, JsonValue } from '../bytes/json.ts'
import { isJsonObject, parseStrictJson } from '../bytes/json.ts'
import type { ConditionName } from './conditions.ts'
import { conditions, isConditionName } from './conditions.ts'
import { lineStarts, locate, positionAt } from './locate.ts'
import { POLICY_LIMITS, parsePolicy } from './parse.ts'

/** What happened to one rule, by its id. `line`: where it stands now, or stood. */
export interface RuleChange {
  readonly id: string
  readonly kind: 'new' | 'changed' | 'gone'
  readonly line: number
  readonly isOff: boolean
}

/**
 * Rules that differ between two documents, in the order of the new one, those that are gone last. A rule that only moved does not differ:
 * order never changes what is decided.
 * @throws {VerifyError} what `parsePolicy` finds in either
 */
export function changedRules(before: Uint8Array | undefined, after: Uint8Array): readonly RuleChange[] {
  const old = before ? readDocument(before) : EMPTY
  const now = readDocument(after)
  const here = [...now.rules].flatMap(([id, { fields, line }]): RuleChange[] => {
    const known = old.rules.get(id)
    if (known && isEqual(known.fields, fields)) return []
    return [{ id, line, kind: known ? 'changed' : 'new', isOff: fields.off === true }]
  })
  const gone = [...old.rules].filter(([id]) => !now.rules.has(id))
  return [...here, ...gone.map(([id, { fields, line }]) => ({ id, line, kind: 'gone' as const, isOff: fields.off === true }))]
}

/**
 * What another policy changes, in sentences for the person who signs it, from the exact bytes of both. Says everything that differs but
 * spelling: rules, groups, tests, waiting times, labels. Does NOT say whom it concerns among those enrolled: see `comparePolicies`.
 * @param before The policy in force; undefined when there is none.
 * @throws {VerifyError} what `parsePolicy` finds in either
 */
export function describePolicyChange(before: Uint8Array | undefined, after: Uint8Array): readonly string[] {
  const old = before ? readDocument(before) : EMPTY
  const now = readDocument(after)
  const texts = [
    ...(before && old.name !== now.name ? [`Its name changes from "${old.name}" to "${now.name}".`] : []),
    ...changedRules(before, after).map((change) => ruleText(change, old, now)),
    ...orderText(old, now),
    ...groupTexts(old.groups, now.groups),
    ...staleTexts(old.stale, now.stale),
    ...(isEqual(old.labels, now.labels) ? [] : ['What counts as trusted content for later flow rules changes; it has no effect yet.']),
    ...beyondTexts(old.beyond, now.beyond),
    ...testTexts(old.tests, now.tests),
  ]
  if (texts.length > 0) return texts
  return [isSameBytes(before, after) ? 'Nothing changes.' : 'Only the writing changes: nothing that decides, and no test.']
}

interface Document {
  readonly name: string
  readonly rules: ReadonlyMap<string, { readonly fields: JsonObject; readonly line: number }>
  readonly groups: JsonObject
  readonly tests: ReadonlyMap<string, JsonObject>
  readonly stale: JsonObject
  readonly labels: JsonValue
  readonly beyond: readonly JsonObject[]
}
const EMPTY: Document = { name: '', rules: new Map(), groups: {}, tests: new Map(), stale: {}, labels: null, beyond: [] }

function readDocument(bytes: Uint8Array): Document {
  parsePolicy(bytes)
  const source = decodeUtf8(bytes)
  const value = parseStrictJson(bytes, POLICY_LIMITS) as JsonObject
  const starts = lineStarts(source)
  const { offsets } = locate(source, POLICY_LIMITS.maxDepth)
  const rules = (value.rules as readonly JsonObject[]).map((fields, i) => {
    const { line } = positionAt(starts, offsets.get(`rules[${i}]`) ?? 0)
    return [fields.id as string, { fields, line }] as const
  })
  const tests = ((value.tests ?? []) as readonly JsonObject[]).map((fields) => [fields.name as string, fields] as const)
  const [groups, stale] = [value.groups, value.stale_seconds].map((part) => (isJsonObject(part) ? part : {})) as [JsonObject, JsonObject]
  return {
    name: value.name as string,
    rules: new Map(rules),
    groups,
    tests: new Map(tests),
    stale,
    labels: value.labels ?? null,
    beyond: (value.beyond_tools ?? []) as readonly JsonObject[],
  }
}

/** One text for one value, whatever the order of members. */
const canonical = (value: JsonValue): string =>
  JSON.stringify(value, (_, item: JsonValue) =>
    isJsonObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  )
const isEqual = (a: JsonValue | undefined, b: JsonValue | undefined): boolean => canonical(a ?? null) === canonical(b ?? null)
const isSameBytes = (a: Uint8Array | undefined, b: Uint8Array): boolean => a?.length === b.length && a.every((byte, i) => byte === b[i])

function ruleText({ id, kind, line }: RuleChange, old: Document, now: Document): string {
  const was = old.rules.get(id)?.fields
  const is = now.rules.get(id)?.fields
  if (kind === 'new') return `New rule ${id} (line ${line}): ${sayRule(is!)}.`
  if (kind === 'gone') return `Rule ${id} is gone; it said: ${sayRule(was!)}.`
  const [before, after] = [sayRule(was!), sayRule(is!)]
  return before === after
    ? `Rule ${id} (line ${line}) is written anew, to the same effect: ${after}.`
    : `Rule ${id} (line ${line}) changes. Before: ${before}. Now: ${after}.`
}

/**
 * A rule as part of a sentence, whole: everything in it that decides. Does NOT repeat its title, which is only for people.
 * @param rule The fields of a rule that `parsePolicy` accepted.
 */
export function sayRule(rule: JsonObject): string {
  const who = either(asTexts(rule.who).map(sayWho))
  const what = `${either(asTexts(rule.tools).map(sayTool))} on ${either(asTexts(rule.servers).map((server) => (server === '*' ? 'any server' : server)))}`
  const verb = {
    allow: `${who} may call ${what}`,
    deny: `${who} may not call ${what}`,
    ask: `${who} may call ${what} once ${sayApprovers(rule)}`,
  }
  const parts = [verb[rule.effect as 'allow'], ...sayWhen(rule), ...sayLimits(rule), ...sayExtras(rule)]
  return `${rule.off === true ? 'switched off, it has no effect; it would say: ' : ''}${parts.join('; ')}`
}

const asTexts = (value: JsonValue | undefined): readonly string[] => (value ?? []) as readonly string[]
const either = (items: readonly string[]): string => joined(items, 'or')
const joined = (items: readonly string[], word: string): string =>
  items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} ${word} ${items.at(-1)}`

function sayWho(who: string): string {
  if (who === '*') return 'any agent'
  if (who.startsWith('tag:')) return `any agent tagged ${who.slice(4)}`
  return who.startsWith('group:') ? `any agent in group ${who.slice(6)}` : who
}
function sayTool(tool: string): string {
  if (tool === '*') return 'any tool'
  return tool.startsWith('risk:') ? `any tool of risk class ${tool.slice(5)}` : tool
}
function sayApprovers(rule: JsonObject): string {
  const named = asTexts(rule.approvers).map((name) => (name.startsWith('group:') ? `somebody in group ${name.slice(6)}` : name))
  return `${either([...named, ...(rule.owner_may_approve === true ? ["the agent's owner"] : [])])} approved that call`
}

function sayWhen({ when, unnamed, effect }: JsonObject): readonly string[] {
  if (!isJsonObject(when)) return []
  const musts = Object.entries(when).flatMap(([arg, is]) =>
    Object.entries(is as JsonObject).map(([name, parameter]) => `${JSON.stringify(arg)} is ${phraseOf(name, parameter)}`),
  )
  const others = unnamed === 'allow' ? '; other arguments may be there' : effect === 'deny' ? '' : '; no other argument may be there'
  return [`only when ${joined(musts, 'and')}${others}`]
}
const phraseOf = (name: string, parameter: JsonValue): string =>
  isConditionName(name) ? conditions[name as ConditionName].phrase(parameter) : name

function sayLimits({ limits }: JsonObject): readonly string[] {
  if (!isJsonObject(limits)) return []
  const { ttl_seconds, calls, per_minute, sums } = limits
  return [
    ...(ttl_seconds === undefined ? [] : [`a grant lasts at most ${ttl_seconds} s`]),
    ...(calls === undefined ? [] : [`at most ${calls} calls a grant`]),
    ...(per_minute === undefined ? [] : [`at most ${per_minute} calls a minute`]),
    ...(sums === undefined ? [] : ['a limit on a total, which this version cannot count, so it permits nothing']),
  ]
}

function sayExtras({ wait_seconds, flow, output }: JsonObject): readonly string[] {
  return [
    ...(wait_seconds === undefined ? [] : [`it waits for that at most ${wait_seconds} s`]),
    ...(flow === undefined ? [] : [`gateways need the flow step (${flow})`]),
    ...(output === undefined ? [] : [output === 'redact' ? 'secrets are taken out of its results' : 'results with secrets are withheld']),
  ]
}

function orderText(old: Document, now: Document): readonly string[] {
  const stayed = (document: Document, other: Document) => [...document.rules.keys()].filter((id) => other.rules.has(id)).join(' ')
  return stayed(old, now) === stayed(now, old)
    ? []
    : ['Rules change places: that never changes what is decided, only which of two rules that agree is named and whose limits hold.']
}

function groupTexts(old: JsonObject, now: JsonObject): readonly string[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].sort().flatMap((name) => {
    const was = Object.hasOwn(old, name) ? asTexts(old[name]) : undefined
    const is = Object.hasOwn(now, name) ? asTexts(now[name]) : undefined
    if (was === undefined) return [`New group ${name}: ${joined(is!, 'and')}.`]
    if (is === undefined) return [`Group ${name} is gone; it had ${joined(was, 'and')}.`]
    const joins = is.filter((member) => !was.includes(member))
    const leaves = was.filter((member) => !is.includes(member))
    if (joins.length + leaves.length === 0) return []
    const texts = [
      ...(joins.length > 0 ? [`${joined(joins, 'and')} ${joins.length === 1 ? 'joins' : 'join'}`] : []),
      ...(leaves.length > 0 ? [`${joined(leaves, 'and')} ${leaves.length === 1 ? 'leaves' : 'leave'}`] : []),
    ]
    return [`Group ${name}: ${texts.join(', ')}.`]
  })
}

/** Each entry stands for itself, so their order says nothing. */
function beyondTexts(old: readonly JsonObject[], now: readonly JsonObject[]): readonly string[] {
  const lacks = (list: readonly JsonObject[], entry: JsonObject) => !list.some((other) => isEqual(other, entry))
  return [
    ...now.filter((entry) => lacks(old, entry)).map((entry) => `New, beyond tools: ${sayBeyond(entry)}.`),
    ...old.filter((entry) => lacks(now, entry)).map((entry) => `Gone, beyond tools: ${sayBeyond(entry)}.`),
  ]
}

function sayBeyond({ who, servers, resources, prompts, methods }: JsonObject): string {
  const named = (any: string, names: JsonValue | undefined) =>
    names === undefined ? [] : [asTexts(names).includes('*') ? `any ${any}` : `the ${any}s ${joined(asTexts(names), 'and')}`]
  const what = [...named('resource', resources), ...named('prompt', prompts), ...named('method', methods)]
  const where = either(asTexts(servers).map((server) => (server === '*' ? 'any server' : server)))
  return `${either(asTexts(who).map(sayWho))} may use ${joined(what, 'and')} of ${where}`
}

function staleTexts(old: JsonObject, now: JsonObject): readonly string[] {
  if (isEqual(old, now)) return []
  const say = ({ effects = 300, reads = 3600 }: JsonObject) => `${effects} s, reading tools for ${reads} s`
  return [`Gateways that hear nothing more go on serving for ${say(now)} (before: ${say(old)}).`]
}

function testTexts(old: Document['tests'], now: Document['tests']): readonly string[] {
  const names = (test: (name: string) => boolean, of: Document['tests']) => [...of.keys()].filter(test).map((name) => JSON.stringify(name))
  const say = (what: string, found: readonly string[]) =>
    found.length === 0 ? [] : [`${found.length === 1 ? `One test ${what}` : `${found.length} tests ${what}`}: ${joined(found, 'and')}.`]
  return [
    ...say(
      'more',
      names((name) => !old.has(name), now),
    ),
    ...say(
      'changed',
      names((name) => old.has(name) && !isEqual(old.get(name), now.get(name)), now),
    ),
    ...say(
      'fewer',
      names((name) => !now.has(name), old),
    ),
  ]
}
