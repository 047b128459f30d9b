import { sha256 } from '@noble/hashes/sha2.js'
import { encodeBase64url } from '../bytes/base64url.ts'
import { decodeUtf8 } from '../bytes/bytes.ts'
import type { JsonValue } from '../bytes/json.ts'
import { isJsonObject, parseStrictJson } from '../bytes/json.ts'
import type { Infer, Shape } from '../bytes/shape.ts'
import { anyJson, integer, list, mapOf, object, oneOf, refuse, text } from '../bytes/shape.ts'
import type { VerifyCode } from '../errors.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import { atSignShape } from '../key/atsign.ts'
import { riskClass, serverName, tags, toolName } from '../statement/names.ts'
import type { Groups } from './compile.ts'
import { compileBeyond, compileRule, planRules } from './compile.ts'
import type { Policy, PolicyTest, Rule } from './document.ts'
import type { Position } from './locate.ts'
import { lineStarts, locate, placeOf, positionAt } from './locate.ts'
import { beyondShape, groupName, labelsShape, ruleId, ruleShape } from './rule-shape.ts'

export const POLICY_LIMITS = { maxBytes: 262_144, maxDepth: 64 } as const
/** A mistake may repeat a name from the document. */
const MAX_MESSAGE = 500
const DEFAULT_STALE_SECONDS = { effects: 300, reads: 3600 } as const

export const staleShape = object({}, { effects: integer(10, 86_400), reads: integer(10, 86_400) })
const argumentsShape: Shape<JsonValue> = (value, path) => (isJsonObject(value) ? value : refuse(path, 'expected an object'))
/** One test of a document. */
export const testShape = object(
  { name: text(200, 1), who: atSignShape, server: serverName, tool: toolName, expect: oneOf('allow', 'ask', 'deny') },
  { args: argumentsShape, rule: ruleId, tags, owner: atSignShape, risk: riskClass },
)
/** Rules and tests are left as they are, so that one bad rule does not hide the next: see `Reading`. */
export const documentShape = object(
  { v: anyJson, name: groupName, rules: list(anyJson, 1000) },
  {
    groups: mapOf(/^[a-z0-9][a-z0-9_-]{0,62}$/, list(atSignShape, 1000, 1), 200),
    labels: labelsShape,
    beyond_tools: list(beyondShape, 200, 1),
    stale_seconds: staleShape,
    tests: list(anyJson, 1000),
  },
)

/** SHA-256 of the exact bytes, as `policy.set` and grants name a policy. */
export const policyDigest = (bytes: Uint8Array): string => encodeBase64url(sha256(bytes))

/**
 * Parses a policy document: strict JSON of at most 256 KiB, closed fields, unique rule ids, known groups. The message names line,
 * column and path of the first mistake (`lintPolicy` lists all). Does NOT check who signed it (`policy.set` carries its digest)
 * nor whether servers, tools or atSigns exist.
 * @throws {VerifyError} MALFORMED, TOO_LARGE, TOO_DEEP, DUPLICATE_NAME, UNSAFE_TEXT, UNKNOWN_FIELD, UNKNOWN_VERSION, BAD_ATSIGN,
 *   DUPLICATE_RULE, UNKNOWN_GROUP
 * @see packages/core/spec/policy.md
 */
export function parsePolicy(bytes: Uint8Array): Policy {
  const { policy, problems } = readPolicy(bytes)
  const first = problems[0]
  if (first) throw new VerifyError(first.code, inOneLine(first))
  return policy!
}

/** A mistake in a policy document, with its place where that is known. */
export interface PolicyProblem extends Partial<Position> {
  readonly code: VerifyCode
  /** `rules[0].who[1]`; empty for the whole document. */
  readonly path: string
  readonly message: string
}

/** All mistakes of a document, in the order of the text; none = `parsePolicy` accepts it. For editors; never throws. */
export const lintPolicy = (bytes: Uint8Array): readonly PolicyProblem[] => readPolicy(bytes).problems

const inOneLine = ({ line, column, path, message }: PolicyProblem): string =>
  `${line === undefined ? '' : `line ${line}, column ${column}: `}${path === '' ? '' : `${path}: `}${message}`

function readPolicy(bytes: Uint8Array): { policy?: Policy; problems: readonly PolicyProblem[] } {
  let value: JsonValue
  try {
    value = parseStrictJson(bytes, POLICY_LIMITS)
  } catch (error) {
    return { problems: [asJsonProblem(bytes, asVerifyError(error))] }
  }
  const reading = new Reading(decodeUtf8(bytes))
  const policy = reading.attempt(() => reading.document(value))
  reading.problems.sort((a, b) => a.line! - b.line! || a.column! - b.column!)
  return policy && reading.problems.length === 0 ? { policy, problems: [] } : { problems: reading.problems }
}

function asVerifyError(error: unknown): VerifyError {
  if (error instanceof VerifyError) return error
  throw error
}

/** The strict parser says what is wrong; the locator, if it stumbles too, says where. */
function asJsonProblem(bytes: Uint8Array, error: VerifyError): PolicyProblem {
  const problem = { code: error.code, path: '', message: error.message }
  if (error.code !== 'MALFORMED' && error.code !== 'DUPLICATE_NAME' && error.code !== 'TOO_DEEP') return problem
  try {
    const source = decodeUtf8(bytes)
    const { mistake } = locate(source, POLICY_LIMITS.maxDepth)
    return mistake ? { ...problem, message: mistake.message, ...positionAt(lineStarts(source), mistake.offset) } : problem
  } catch {
    return problem // not even text
  }
}

/** One pass over a document that goes on after a mistake. */
class Reading {
  readonly problems: PolicyProblem[] = []
  readonly #lines: readonly number[]
  readonly #offsets: ReadonlyMap<string, number>

  constructor(source: string) {
    this.#lines = lineStarts(source)
    this.#offsets = locate(source, POLICY_LIMITS.maxDepth).offsets
  }

  attempt<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      this.#note(asVerifyError(error))
      return undefined
    }
  }

  document(value: JsonValue): Policy {
    const fields = documentShape(value, '')
    if (fields.v !== 1) throw new VerifyError('UNKNOWN_VERSION', 'v: this version reads policies with "v": 1 only')
    const groups: Groups = new Map(Object.entries(fields.groups ?? {}).map(([name, members]) => [name, new Set<AtSign>(members)]))
    const rules = this.#rules(fields.rules, groups)
    const ids = new Set(fields.rules.map((rule) => (isJsonObject(rule) ? rule.id : undefined)))
    const tests = this.#tests(fields.tests ?? [], ids)
    return {
      name: fields.name,
      rules,
      groups,
      staleSeconds: { ...DEFAULT_STALE_SECONDS, ...fields.stale_seconds },
      tests,
      beyond: (fields.beyond_tools ?? []).map((entry, i) => compileBeyond(entry, `beyond_tools[${i}]`, groups)),
      plan: planRules(rules),
    }
  }

  #rules(values: readonly JsonValue[], groups: Groups): readonly Rule[] {
    const seen = new Set<string>()
    return values.flatMap((value, i) => {
      const path = `rules[${i}]`
      const rule = this.attempt(() => {
        const fields = ruleShape(value, path)
        if (seen.has(fields.id)) throw new VerifyError('DUPLICATE_RULE', `${path}.id: another rule is called ${fields.id}`)
        seen.add(fields.id)
        return compileRule(fields, i, this.#lineOf(path), groups)
      })
      return rule ?? []
    })
  }

  #tests(values: readonly JsonValue[], ids: ReadonlySet<JsonValue | undefined>): readonly PolicyTest[] {
    const names = new Set<string>()
    return values.flatMap((value, i) => {
      const path = `tests[${i}]`
      const test = this.attempt(() => {
        const fields = testShape(value, path)
        if (names.has(fields.name)) refuse(`${path}.name`, 'another test has this name')
        names.add(fields.name)
        if (fields.rule !== undefined && !ids.has(fields.rule)) refuse(`${path}.rule`, `there is no rule ${fields.rule}`)
        return asTest(fields, this.#lineOf(path))
      })
      return test ?? []
    })
  }

  #lineOf = (path: string): number => positionAt(this.#lines, this.#offsets.get(path) ?? 0).line

  #note(error: VerifyError): void {
    const { path, offset } = placeOf(error.message, this.#offsets)
    const message = path === '' ? error.message.replace(/^value: /, '') : error.message.slice(path.length).replace(/^: /, '')
    this.problems.push({ code: error.code, path, message: message.slice(0, MAX_MESSAGE), ...positionAt(this.#lines, offset) })
  }
}

const asTest = ({ args, ...fields }: Infer<typeof testShape>, line: number): PolicyTest => ({ ...fields, line, args: args ?? {} })
