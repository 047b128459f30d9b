import type { JsonValue } from '../bytes/json.ts'
import type { AtSign } from '../key/atsign.ts'
import type { RiskClass } from '../statement/names.ts'
import type { Constraint } from './check.ts'

/** What a rule does, and what comes of a decision. Deny wins over ask, ask over allow. */
export type Effect = 'allow' | 'ask' | 'deny'

/** Steps of the gateway that a policy may ask for. A gateway that does not have the step refuses the call with the step's code. */
export type Requirement = 'flow' | 'output'

/** What becomes of a result in which there is a secret: it is taken out, or the whole result is withheld. */
export type OutputMode = 'redact' | 'refuse'

/** What a rule grants at most. Counted by the gateway; this module only carries them. */
export interface Limits {
  /** Lifetime of a grant, 1–600. */
  readonly ttlSeconds: number
  /** Calls under one grant. */
  readonly calls?: number
  /** Calls of one agent under one rule within any 60 s, across grants. */
  readonly perMinute?: number
}

/** Whom a rule is about. */
export interface Who {
  readonly anyone: boolean
  readonly atsigns: ReadonlySet<string>
  readonly tags: ReadonlySet<string>
  /** The members of the groups it names; shared between rules. */
  readonly groups: readonly ReadonlySet<string>[]
}

/** Which tools a rule is about. A risk class is the one set by `server.pin`. */
export interface Tools {
  readonly any: boolean
  readonly names: ReadonlySet<string>
  readonly risks: ReadonlySet<string>
}

/** A rule, ready to be evaluated. Everything was checked when the document was parsed. */
export interface Rule {
  readonly id: string
  readonly title?: string
  /** Position in the document, from 0; earlier rules decide between equals. */
  readonly index: number
  /** Where it begins in the text, from 1. */
  readonly line: number
  readonly effect: Effect
  readonly off: boolean
  readonly who: Who
  /** `undefined` = any server. */
  readonly servers: ReadonlySet<string> | undefined
  readonly tools: Tools
  readonly when: Constraint
  readonly limits: Limits
  /** Has a `sum` as condition or limit, so this version never lets it permit anything. */
  readonly sums: boolean
  readonly requires: readonly Requirement[]
  readonly output: OutputMode | undefined
  /** `waitSeconds`: how long a call waits for one of them, 10–900. */
  readonly approvers: { readonly atsigns: readonly AtSign[]; readonly owner: boolean; readonly waitSeconds: number } | undefined
}

/** What agents may use of a server beside its tools. Only permits: what no entry names is denied. */
export interface BeyondTools {
  readonly who: Who
  /** `undefined` = any server. */
  readonly servers: ReadonlySet<string> | undefined
  /** Addresses, each with what lies below it; `*` for any. */
  readonly resources: readonly string[]
  readonly prompts: ReadonlySet<string>
  readonly methods: ReadonlySet<string>
}

/** An expectation about one call, part of the document and signed with it. */
export interface PolicyTest {
  readonly name: string
  readonly line: number
  readonly who: AtSign
  readonly server: string
  readonly tool: string
  readonly args: JsonValue
  readonly expect: Effect
  /** The rule expected to decide. */
  readonly rule?: string
  /** Facts assumed for this test instead of looked up. */
  readonly tags?: readonly string[]
  readonly owner?: AtSign
  readonly risk?: RiskClass
}

/** A parsed policy. Immutable, and independent of the bytes it came from. */
export interface Policy {
  readonly name: string
  readonly rules: readonly Rule[]
  readonly groups: ReadonlyMap<string, ReadonlySet<AtSign>>
  /** How long after its last complete sync a gateway still serves: reads, and everything else. */
  readonly staleSeconds: { readonly effects: number; readonly reads: number }
  readonly tests: readonly PolicyTest[]
  readonly beyond: readonly BeyondTools[]
  readonly plan: Plan
}

/** Rules by the way they name tools, each in document order, so that most are never looked at. Disabled ones are left out. */
export interface Plan {
  readonly byName: ReadonlyMap<string, readonly Rule[]>
  readonly byRisk: ReadonlyMap<string, readonly Rule[]>
  readonly anyTool: readonly Rule[]
  /** Rules that name any risk class: what a tool without one may not escape. */
  readonly anyRisk: readonly Rule[]
}
