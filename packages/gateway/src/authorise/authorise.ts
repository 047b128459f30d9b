import type { AtSign } from '@postern/core'
import { refusals } from '@postern/core'
import { checkBinding, checkCallSignature, checkCounter, checkOnce } from './call-steps.ts'
import type { Asked, CallFacts, CallInput, No, Permit, Refusal, Repeated, StepOutcome, Verdict } from './candidate.ts'
import { Candidate, found } from './candidate.ts'
import { checkChannelKey, checkFrame, checkFresh, checkGrant, checkStanding, checkTimes } from './grant-steps.ts'
import { checkApproval, checkConditions, checkFlow, checkLimits, checkTool } from './tool-steps.ts'
import type { World } from './world.ts'

interface Step {
  readonly name: string
  readonly check: (candidate: Candidate, world: World) => StepOutcome
  /** Looked at again before a call that a person has approved begins: whatever may have changed while it was held. */
  readonly again?: true
}

/**
 * The order of protocol.md §6. A call runs only if every row has said nothing; a row that throws refuses. What was established for good when
 * the call came (its signature, its counter, that it was in time) is not looked at again.
 * After the last row comes what cannot be decided but only done: durable start record, run, checks of the output, receipt.
 */
export const steps: readonly Step[] = [
  { name: 'frame', check: checkFrame, again: true },
  { name: 'channel key', check: checkChannelKey, again: true },
  { name: 'grant', check: checkGrant, again: true },
  { name: 'standing', check: checkStanding, again: true },
  { name: 'fresh', check: checkFresh, again: true },
  { name: 'times', check: checkTimes },
  { name: 'call signature', check: checkCallSignature },
  { name: 'binding', check: checkBinding },
  { name: 'counter', check: checkCounter },
  { name: 'tool', check: checkTool, again: true },
  { name: 'conditions', check: checkConditions, again: true },
  { name: 'once', check: checkOnce },
  { name: 'limits', check: checkLimits },
  { name: 'flow', check: checkFlow, again: true },
  { name: 'approval', check: checkApproval, again: true },
]

/**
 * Decides calls, by this gateway's own copy of authority and nothing else: no input, no output, no waiting. Default deny.
 * A permit takes its counters in the same turn, so interleaved calls cannot share one.
 */
export interface Authoriser {
  /** @param now Unix seconds. */
  decide(input: CallInput, now: number): Verdict
  /**
   * Whether a call that was to be asked about could still run if somebody approved it now, and who may: by the state of this moment and
   * what the server offers in this moment. Takes no counters.
   */
  again(asked: Asked, offered: CallInput['session']['offered'], now: number): Refusal | { readonly named: readonly AtSign[] }
}

export function createAuthoriser(world: World): Authoriser {
  return {
    decide(input, now) {
      const candidate = new Candidate(input, now)
      return walk(steps, candidate, world) ?? conclude(candidate, world)
    },
    again(asked, offered, now) {
      const { held: _, ...header } = asked.input.header
      const candidate = new Candidate({ ...asked.input, header, session: { ...asked.input.session, offered } }, now)
      candidate.use = asked.use
      const no = walk(stepsAgain, candidate, world)
      if (no?.effect === 'refuse') return no
      return { named: candidate.decision?.approvers ?? [] }
    },
  }
}
const stepsAgain = steps.filter(({ again }) => again)

function walk(rows: readonly Step[], candidate: Candidate, world: World): Refusal | Repeated | undefined {
  let at = ''
  try {
    for (const { name, check } of rows) {
      at = name
      const outcome = check(candidate, world)
      if (outcome === undefined) continue
      return 'repeat' in outcome ? { effect: 'repeat', id: outcome.repeat, about: factsOf(candidate) } : refused(name, outcome, candidate)
    }
  } catch {
    return refused(at, { code: 'INTERNAL' }, candidate)
  }
}

/** Default deny to the end: an effect that is not plainly `allow` never becomes a permit. */
function conclude(candidate: Candidate, world: World): Verdict {
  try {
    const { effect } = found(candidate.decision)
    if (effect === 'ask') return ask(candidate, world)
    return effect === 'allow' ? permit(candidate, world) : refused('permit', { code: 'POLICY_DENIED' }, candidate)
  } catch {
    return refused('permit', { code: 'INTERNAL' }, candidate)
  }
}

/** Counted like a call that runs: an agent that asks in a loop uses up its limits. */
function ask(candidate: Candidate, world: World): Asked {
  const { approvers: named, waitSeconds, rule, line } = found(candidate.decision)
  const { input } = candidate
  return {
    effect: 'ask',
    ...{ input, use: found(candidate.use), schema: found(candidate.pin).digest, owner: found(candidate.agent).subject.owner },
    ...{ named: found(named), approvers: found(candidate.approvers), waitSeconds: found(waitSeconds) },
    policy: { name: found(world.authority.policy).document.name, rule: found(rule), line: found(line) },
    ...askedPermit(permit(candidate, world)),
  }
}
const askedPermit = (permit: Permit) => ({ permit, about: permit.about })

function refused(step: string, { code, why, rule, trace }: No, candidate: Candidate): Refusal {
  const { title, fix } = refusals[code]
  const more = { ...(rule === undefined ? {} : { rule }), ...(trace === undefined ? {} : { trace }) }
  return { effect: 'refuse', step, code, message: why === undefined ? title : `${title} (${why})`, fix, about: factsOf(candidate), ...more }
}

function permit(candidate: Candidate, world: World): Permit {
  const { input, now } = candidate
  const use = found(candidate.use)
  const call = found(candidate.call)
  const { rule, limits } = found(candidate.decision)
  if (candidate.continues) candidate.continues.take()
  else {
    use.started += 1
    if (limits.perMinute !== undefined) world.rates.note(input.channel.agent, rule ?? '', now)
  }
  return {
    effect: 'run',
    about: { agent: input.channel.agent, server: call.server, gth: use.hash, tool: call.tool },
    call,
    salt: input.header.salt,
    grant: use.grant,
    risk: found(candidate.pin).risk,
    rule,
    output: found(candidate.decision).output,
    pol: use.grant.pol,
    request: found(candidate.request),
  }
}

function factsOf({ input, use, toolCall }: Candidate): CallFacts {
  return { agent: input.channel.agent, server: input.session.server, gth: use?.hash, tool: toolCall?.name }
}
