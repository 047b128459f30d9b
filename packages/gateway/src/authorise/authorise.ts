import { refusals } from '@postern/core'
import { checkBinding, checkCallSignature, checkCounter, checkOnce } from './call-steps.ts'
import type { CallFacts, CallInput, No, Permit, Refusal, StepOutcome, Verdict } from './candidate.ts'
import { Candidate, found } from './candidate.ts'
import { checkChannelKey, checkFrame, checkFresh, checkGrant, checkStanding, checkTimes } from './grant-steps.ts'
import { checkApproval, checkConditions, checkFlow, checkLimits, checkOutput, checkTool } from './tool-steps.ts'
import type { World } from './world.ts'

interface Step {
  readonly name: string
  readonly check: (candidate: Candidate, world: World) => StepOutcome
}

/**
 * The order of protocol.md §6. A call runs only if every row has said nothing; a row that throws refuses.
 * After the last row comes what cannot be decided but only done: durable start record, run, checks of the output, receipt.
 */
export const steps: readonly Step[] = [
  { name: 'frame', check: checkFrame },
  { name: 'channel key', check: checkChannelKey },
  { name: 'grant', check: checkGrant },
  { name: 'standing', check: checkStanding },
  { name: 'fresh', check: checkFresh },
  { name: 'times', check: checkTimes },
  { name: 'call signature', check: checkCallSignature },
  { name: 'binding', check: checkBinding },
  { name: 'counter', check: checkCounter },
  { name: 'tool', check: checkTool },
  { name: 'conditions', check: checkConditions },
  { name: 'once', check: checkOnce },
  { name: 'limits', check: checkLimits },
  { name: 'flow', check: checkFlow },
  { name: 'approval', check: checkApproval },
  { name: 'output', check: checkOutput },
]

/**
 * Decides calls, by this gateway's own copy of authority and nothing else: no input, no output, no waiting. Default deny.
 * A permit takes its counters in the same turn, so interleaved calls cannot share one.
 */
export interface Authoriser {
  /** @param now Unix seconds. */
  decide(input: CallInput, now: number): Verdict
}

export function createAuthoriser(world: World): Authoriser {
  return {
    decide(input, now) {
      const candidate = new Candidate(input, now)
      let at = 0
      try {
        for (; at < steps.length; at++) {
          const { name, check } = steps[at] as Step
          const outcome = check(candidate, world)
          if (outcome === undefined) continue
          return 'repeat' in outcome
            ? { effect: 'repeat', id: outcome.repeat, about: factsOf(candidate) }
            : refused(name, outcome, candidate)
        }
        return permit(candidate, world)
      } catch {
        return refused(steps[at]?.name ?? 'permit', { code: 'INTERNAL' }, candidate)
      }
    },
  }
}

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
    pol: use.grant.pol,
    request: found(candidate.request),
  }
}

function factsOf({ input, use, toolCall }: Candidate): CallFacts {
  return { agent: input.channel.agent, server: input.session.server, gth: use?.hash, tool: toolCall?.name }
}
