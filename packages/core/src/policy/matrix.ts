import type { AtSign } from '../key/atsign.ts'
import type { RiskClass } from '../statement/names.ts'
import type { State } from '../statement/state.ts'
import type { Subject } from './action.ts'
import type { Policy, Rule } from './document.ts'
import type { Outlook, Prospect } from './outlook.ts'
import { gainsNothing, NOTHING, prospect } from './outlook.ts'
import { isAbout } from './scope.ts'

/** An enrolled agent. `servers`: the only ones it may use, whatever the policy says (its owner's delegation). */
export interface KnownAgent extends Subject {
  readonly servers?: readonly string[]
}
export interface KnownTool {
  readonly server: string
  readonly tool: string
  readonly risk: RiskClass
}
/** What the authority log says about who could call what. */
export interface PolicyFacts {
  readonly agents: readonly KnownAgent[]
  readonly tools: readonly KnownTool[]
}

/** Agents that are enrolled and tools that are pinned. Leases and revocations are NOT applied. */
export function policyFacts(state: State): PolicyFacts {
  const agents = [...state.identities.values()].filter(({ kind }) => kind === 'agent')
  const tools = [...state.servers.values()].flatMap(({ server, tools }) => [...tools].map(([tool, { risk }]) => ({ server, tool, risk })))
  return {
    agents: agents
      .map(({ atsign, tags, owner, servers }) => ({ atsign, tags, ...(owner ? { owner } : {}), ...(servers ? { servers } : {}) }))
      .sort((a, b) => order(a.atsign, b.atsign)),
    tools: tools.sort((a, b) => order(a.server, b.server) || order(a.tool, b.tool)),
  }
}
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Whom a row is about: an agent, or whoever is enrolled later with this tag, or with none. */
export type Principal = { readonly atsign: AtSign } | { readonly newcomer: string | undefined }

export interface MatrixCell {
  readonly who: Principal
  readonly server: string
  readonly tool: string
  readonly risk: RiskClass
  readonly before: Outlook
  readonly after: Outlook
  /** Some arguments may fare better (deny < ask < allow). False is proven. */
  readonly gains: boolean
  /** Some arguments may fare worse. False is proven. */
  readonly loses: boolean
  /** Under the new policy: the first rule that could permit a call, or the one that denies every call. */
  readonly rule?: Pick<Rule, 'id' | 'line'>
}

export interface Matrix {
  /** Only where something may change, in the order of agents and tools. */
  readonly changed: readonly MatrixCell[]
  /** Agents × tools, newcomers included. */
  readonly cells: number
  readonly agents: number
  readonly newcomers: number
  readonly tools: number
}

/**
 * Who may gain and who may lose by another policy: every agent and every kind of newcomer × every pinned tool, over all arguments at once.
 * Without `before` nothing was allowed. Does NOT cover: tools without a pin (gateways refuse those whatever the policy), limits, approvers,
 * requirements of flow and output, and which arguments people really send.
 * @see packages/core/spec/policy.md §10
 */
export function comparePolicies(before: Policy | undefined, after: Policy, facts: PolicyFacts): Matrix {
  const newcomers = newcomersOf(before, after)
  const rows = [...facts.agents.map((agent) => ({ who: { atsign: agent.atsign } as Principal, subject: agent })), ...newcomers]
  const compare = createComparer(before, after)
  const changed = rows.flatMap(({ who, subject }) => {
    const cells = compare(subject)
    return facts.tools.flatMap((known, at): MatrixCell[] => {
      if (subject.servers !== undefined && !subject.servers.includes(known.server)) return []
      const { cell } = cells(known, at)
      return cell ? [{ who, ...known, ...cell }] : []
    })
  })
  const agents = facts.agents.length
  return { changed, cells: rows.length * facts.tools.length, agents, newcomers: newcomers.length, tools: facts.tools.length }
}

/** Nobody's name, so that only `*` and tags reach it. */
const NOBODY = '' as AtSign

function newcomersOf(...policies: readonly (Policy | undefined)[]): { who: Principal; subject: KnownAgent }[] {
  const tags = new Set(policies.flatMap((policy) => policy?.rules.flatMap(({ who }) => [...who.tags]) ?? []))
  return [undefined, ...[...tags].sort()].map((tag) => ({
    who: { newcomer: tag },
    subject: { atsign: NOBODY, tags: tag === undefined ? [] : [tag] },
  }))
}

type Cell = Pick<MatrixCell, 'before' | 'after' | 'gains' | 'loses' | 'rule'>

/** Agents whom the same rules are about have the same cells: thousands of agents fall into a few classes. */
function createComparer(before: Policy | undefined, after: Policy) {
  const classes = new Map<string, Map<number, { cell?: Cell }>>()
  const classOf = (subject: Subject): string =>
    [before, after].map((policy) => policy?.rules.map((rule) => (isAbout(rule.who, subject) ? '1' : '0')).join('') ?? '').join('|')
  return (subject: Subject) => {
    const name = classOf(subject)
    const cells = classes.get(name) ?? new Map<number, { cell?: Cell }>()
    classes.set(name, cells)
    return ({ server, tool, risk }: KnownTool, at: number): { cell?: Cell } => {
      const known = cells.get(at)
      if (known) return known
      const was = before ? prospect(before, subject, server, tool, risk) : NOTHING
      const made = cellOf(was, prospect(after, subject, server, tool, risk))
      cells.set(at, made)
      return made
    }
  }
}

function cellOf(before: Prospect, after: Prospect): { cell?: Cell } {
  const gains = !gainsNothing(before, after)
  const loses = !gainsNothing(after, before)
  if (!gains && !loses) return {}
  return { cell: { before: before.outlook, after: after.outlook, gains, loses, ...(after.rule ? { rule: after.rule } : {}) } }
}
