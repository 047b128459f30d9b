import type { JsonValue } from '../bytes/json.ts'
import { isJsonObject } from '../bytes/json.ts'
import type { Infer, Shape } from '../bytes/shape.ts'
import { flag, integer, list, object, oneOf, pattern, refuse, text } from '../bytes/shape.ts'
import { isAtSign } from '../key/atsign.ts'
import { RISK_CLASSES, serverName, tagName, toolName } from '../statement/names.ts'
import { isDecidedOtherwise, isPlainAddress } from './address.ts'
import { argumentName } from './argument.ts'
import type { Check } from './check.ts'
import { parseChecks, policySpelling } from './check.ts'
import { conditions } from './conditions.ts'

// The fields of a rule, each by itself. What they mean together is parse.ts. packages/core/spec/policy.md §3

export const groupName: Shape<string> = pattern(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'a group name (a-z, 0-9, _ and -, at most 63)')
export const ruleId: Shape<string> = pattern(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'a rule id (letters, digits, _ . and -, at most 64)')

/** Parsed only: `tag:dev` stays `tag:dev`, and compile.ts sorts it into its set. */
const whoSelector: Shape<string> = (value, path) => {
  if (value === '*' || isAtSign(value)) return value
  if (typeof value === 'string' && value.startsWith('tag:')) return `tag:${tagName(value.slice(4), path)}`
  if (typeof value === 'string' && value.startsWith('group:')) return `group:${groupName(value.slice(6), path)}`
  return refuse(path, 'expected an atSign, tag:…, group:… or *')
}

const approverSelector: Shape<string> = (value, path) => {
  if (isAtSign(value)) return value
  if (typeof value === 'string' && value.startsWith('group:')) return `group:${groupName(value.slice(6), path)}`
  return refuse(path, 'expected an atSign or group:… (a tag cannot approve: whoever enrols could make approvers)')
}

const serverSelector: Shape<string> = (value, path) => (value === '*' ? '*' : serverName(value, path))

const toolSelector: Shape<string> = (value, path) => {
  if (value === '*') return '*'
  if (typeof value === 'string' && value.startsWith('risk:')) {
    const known = RISK_CLASSES.some((risk) => value === `risk:${risk}`)
    return known ? value : refuse(path, `there is no such risk class; there are ${RISK_CLASSES.join(', ')}`)
  }
  const name = toolName(value, path)
  return name.includes('*') ? refuse(path, 'a tool is named exactly; * stands alone, for every tool') : name
}

const whenShape: Shape<readonly Check[]> = (value, path) => {
  if (!isJsonObject(value)) return refuse(path, 'expected an object: argument → conditions')
  const entries = Object.entries(value)
  if (entries.length < 1 || entries.length > 64) return refuse(path, 'expected 1–64 arguments; leave it out to allow any arguments')
  return entries.flatMap(([arg, is]) => parseChecks(argumentName(arg, `${path}.${arg}`), is, `${path}.${arg}`, policySpelling))
}

const sumsShape: Shape<true> = (value: JsonValue, path) => {
  if (!isJsonObject(value) || Object.keys(value).length === 0) return refuse(path, 'expected an object: argument → most in total')
  for (const [arg, most] of Object.entries(value)) conditions.sum.parse(most, `${path}.${argumentName(arg, path)}`)
  return true
}

export const limitsShape = object(
  {},
  {
    ttl_seconds: integer(1, 600),
    calls: integer(1, 1_000_000),
    per_minute: integer(1, 100_000),
    sums: sumsShape,
  },
)

export const ruleShape = object(
  {
    id: ruleId,
    who: list(whoSelector, 256, 1),
    servers: list(serverSelector, 64, 1),
    tools: list(toolSelector, 256, 1),
    effect: oneOf('allow', 'ask', 'deny'),
  },
  {
    title: text(120, 1),
    when: whenShape,
    unnamed: oneOf('allow', 'deny'),
    limits: limitsShape,
    approvers: list(approverSelector, 64, 1),
    owner_may_approve: flag,
    wait_seconds: integer(10, 900),
    off: flag,
    flow: oneOf('ask', 'deny'),
    output: oneOf('redact', 'refuse'),
  },
)
export type RuleFields = Infer<typeof ruleShape>

/** A resource is named by its address or by one above it, a prompt and a method exactly; `*` stands alone, for every one. */
const resourceSelector: Shape<string> = (value, path) =>
  typeof value === 'string' && (value === '*' || isPlainAddress(value)) ? value : refuse(path, 'expected an address (URI) or *')
const exactName: Shape<string> = (value, path) => {
  const name = text(256, 1)(value, path)
  return name !== '*' && name.includes('*') ? refuse(path, 'is named exactly; * stands alone, for every one') : name
}
const methodName: Shape<string> = (value, path) =>
  typeof value === 'string' && /^[A-Za-z0-9_.$-]+(\/[A-Za-z0-9_.$-]+)+$/.test(value) && value.length <= 256 && !isDecidedOtherwise(value)
    ? value
    : refuse(path, 'expected the name of a method that is not decided in another way')

export const beyondShape = object(
  { who: list(whoSelector, 256, 1), servers: list(serverSelector, 64, 1) },
  { resources: list(resourceSelector, 256, 1), prompts: list(exactName, 256, 1), methods: list(methodName, 64, 1) },
)
export type BeyondFields = Infer<typeof beyondShape>

/** What the flow rules of a later version will trust. Closed, so that nobody writes into it what would then be ignored. */
export const labelsShape = object({
  trusted: list(object({ servers: list(serverSelector, 64, 1), tools: list(toolSelector, 256, 1) }), 200, 1),
})
