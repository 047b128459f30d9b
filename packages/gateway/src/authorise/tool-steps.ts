import type { Decision, RefusalCode } from '@postern/core'
import { decide, holdsAll } from '@postern/core'
import type { Fit } from '../checks/schemas.ts'
import type { Candidate, No, StepOutcome } from './candidate.ts'
import { found, no } from './candidate.ts'
import type { World } from './world.ts'

/** The grant names the tool, people have pinned it, and the server still means by it what they looked at. */
export function checkTool(c: Candidate, { authority }: World): StepOutcome {
  const { server, offered } = c.input.session
  const { name } = found(c.toolCall)
  const detail = found(c.use).detailOf(server, name)
  if (!detail) return no('TOOL_NOT_GRANTED')
  const pin = authority.pin(server, name)
  if (!pin) return no('TOOL_NOT_PINNED')
  if (detail.schema !== pin.digest) return no('TOOL_CHANGED', 'the tool was pinned anew since the grant was given')
  if (!offered) return no('SERVER_FAILED', 'the server has not said which tools it has')
  const offers = offered.get(name)
  if (offers !== pin.digest) return no('TOOL_CHANGED', offers === undefined ? 'the server does not offer the tool' : undefined)
  c.detail = detail
  c.pin = pin
  return unfit(c.input.session.fit)
}

/** The arguments have to be ones that the pinned definition describes. */
function unfit(fit: Fit | undefined): StepOutcome {
  if (fit === undefined || 'fits' in fit) return undefined
  return 'misfit' in fit ? no('ARGUMENT_REFUSED', `the tool's own schema: ${fit.misfit}`) : no('SCHEMA_UNUSABLE', fit.unusable)
}

/** The arguments satisfy the grant and the policy, both on the object that is forwarded. */
export function checkConditions(c: Candidate, { authority }: World): StepOutcome {
  const { subject, servers } = found(c.agent)
  const { args, unnamed } = found(c.detail)
  const toolCall = found(c.toolCall)
  const { server } = c.input.session
  if (servers && !servers.includes(server))
    return no('POLICY_DENIED', 'the delegation under which the agent was enrolled does not cover this server')
  if (args.length > 0) {
    const holding = holdsAll(args, toolCall.arguments, unnamed)
    if (!holding.ok) return no('ARGUMENT_REFUSED', `the grant does not cover it: ${holding.reason}`)
  }
  const action = { server, tool: toolCall.name, risk: found(c.pin).risk, args: toolCall.arguments }
  const decision = decide(found(authority.policy).document, subject, action)
  if (decision.effect === 'deny') return denied(decision)
  c.decision = decision
}

const decisionCodes = {
  ALLOWED: 'POLICY_DENIED',
  ASK: 'POLICY_DENIED',
  POLICY_DENIED: 'POLICY_DENIED',
  ARGUMENT_REFUSED: 'ARGUMENT_REFUSED',
  SUM_UNSUPPORTED: 'LIMIT_UNSUPPORTED',
} as const satisfies Record<Decision['code'], RefusalCode>

const maxTrace = 20
function denied(decision: Decision): No {
  const trace = decision.trace.slice(0, maxTrace).map(({ rule, counted, text }) => `${rule}: ${counted ? '' : 'no, '}${text}`.slice(0, 500))
  const rule = decision.rule === undefined ? {} : { rule: decision.rule }
  return { code: decisionCodes[decision.code], why: decision.why, trace, ...rule }
}

/** Calls under the grant and per minute. Counted when the permit is given; a continuation was counted before. */
export function checkLimits(c: Candidate, { rates }: World): StepOutcome {
  const { rule, limits } = found(c.decision)
  const { started, grant } = found(c.use)
  if (c.continues) return undefined
  if (grant.max !== undefined && started >= grant.max) return no('LIMIT_EXCEEDED', `the grant was for ${calls(grant.max)}`)
  if (limits.calls !== undefined && started >= limits.calls) return limited(`${calls(limits.calls)} under one grant`, rule)
  if (limits.perMinute === undefined) return undefined
  if (rates.count(c.input.channel.agent, rule ?? '', c.now) >= limits.perMinute)
    return limited(`${calls(limits.perMinute)} per minute`, rule)
}
const calls = (n: number) => (n === 1 ? '1 call' : `${n} calls`)
const limited = (limit: string, rule: string | undefined): No => ({
  code: 'LIMIT_EXCEEDED',
  why: `the rule allows ${limit}`,
  ...(rule === undefined ? {} : { rule }),
})

/** Labels and sinks across calls: has its place here; until it is built, a rule that asks for it runs nothing. */
export function checkFlow(c: Candidate): StepOutcome {
  return unsupported(c, found(c.decision).requires.includes('flow'), 'FLOW_UNSUPPORTED')
}

/** Whether a person is to be asked about this very call, and whether anybody can be. What they say is not known here: see `Asked`. */
export function checkApproval(c: Candidate, { authority }: World): StepOutcome {
  const { effect, rule, approvers: named = [] } = found(c.decision)
  if (effect === 'allow') return undefined
  const more = rule === undefined ? {} : { rule }
  if (effect !== 'ask') return { code: 'POLICY_DENIED', ...more }
  if (c.input.header.held !== undefined)
    return { code: 'APPROVAL_ENDED', why: 'the gateway that held it has restarted, or has forgotten it', ...more }
  c.approvers = authority.approvers(named, c.now)
  if (c.approvers.length > 0) return undefined
  const why =
    named.length === 0 ? 'the rule names nobody but the owner or the agent itself' : `none of ${sayNames(named)} can: ${noSealKey}`
  return { code: 'APPROVAL_IMPOSSIBLE', why, ...more }
}
const noSealKey = 'not enrolled, revoked, or enrolled without a seal key'
const sayNames = (names: readonly string[]) => (names.length > 5 ? `${names.slice(0, 5).join(', ')} and others` : names.join(', '))

function unsupported(c: Candidate, isAsked: boolean, code: RefusalCode): StepOutcome {
  const { rule } = found(c.decision)
  return isAsked ? { code, ...(rule === undefined ? {} : { rule }) } : undefined
}
