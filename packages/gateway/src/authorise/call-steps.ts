import type { Call, VerifyCode } from '@postern/core'
import { argsDigest, decodeBase64url, VerifyError, verifyCall } from '@postern/core'
import type { Candidate, StepOutcome } from './candidate.ts'
import { found, no } from './candidate.ts'
import type { World } from './world.ts'

/** The call is signed by exactly the key to which the grant is bound, now. */
export function checkCallSignature(c: Candidate, { self, suite }: World): StepOutcome {
  const agent = found(c.agent)
  const token = c.input.header.call
  try {
    const resolve = (iss: string, kid: Call['kid']) => (iss === agent.subject.atsign && kid === agent.callKid ? agent.callKey : undefined)
    c.call = verifyCall(token, resolve, { org: self.org, now: c.now, suite })
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    return no(callCodes[error.code] ?? 'CALL_MALFORMED', error.message)
  }
}
const callCodes: Partial<Record<VerifyCode, 'CALL_SIGNATURE' | 'CALL_EXPIRED'>> = {
  BAD_SIGNATURE: 'CALL_SIGNATURE',
  UNKNOWN_KEY: 'CALL_SIGNATURE',
  WRONG_KEY_USE: 'CALL_SIGNATURE',
  WRONG_ORG: 'CALL_SIGNATURE',
  EXPIRED: 'CALL_EXPIRED',
  NOT_YET_VALID: 'CALL_EXPIRED',
}

/** What was signed is this grant, this channel, this server, this tool, these parameters, and (with `re`) this continuation. */
export function checkBinding(c: Candidate, world: World): StepOutcome {
  const { channel, session, header } = c.input
  const call = found(c.call)
  const { name } = found(c.toolCall)
  if (call.gth !== found(c.use).hash) return no('CALL_BINDING', 'signed for another grant')
  if (call.cb !== channel.binding) return no('CALL_BINDING', 'signed for another channel')
  if (call.server !== session.server) return no('CALL_BINDING', 'signed for another server')
  if (call.tool !== name) return no('CALL_BINDING', 'signed for another tool')
  if (argsDigest(decodeBase64url(header.salt), found(c.request).params, world.suite) !== call.a) return no('ARGS_CHANGED')
  if (call.re !== undefined) return checkContinuation(c, call.re, world)
}

/** A call after `input_required` must be the same one again but for the answers; then it is counted with the first. */
function checkContinuation(c: Candidate, re: string, { calls }: World): StepOutcome {
  const asked = calls.askedForInput(c.input.channel.agent, re)
  if (!asked) return no('CALL_BINDING', 'continues a call that asked for nothing')
  if (!asked.isSame(found(c.use).hash, c.input.session.server, found(c.toolCall))) {
    return no('CALL_BINDING', 'continues a call with another grant, tool or arguments')
  }
  c.continues = asked
}

/** Each counter once per grant. From here on this one is used up, whatever else is found. */
export function checkCounter(c: Candidate): StepOutcome {
  return found(c.use).window.take(found(c.call).n) ? undefined : no('REPLAYED')
}

/** Each id once per agent: the same call again gets what is known of the first, another call under its id gets nothing. */
export function checkOnce(c: Candidate, { calls, suite }: World): StepOutcome {
  const { id } = found(c.call)
  const first = calls.find(c.input.channel.agent, id)
  if (!first) return undefined
  const isSame =
    first.server === c.input.session.server &&
    first.tool === found(c.toolCall).name &&
    argsDigest(decodeBase64url(first.salt), found(c.request).params, suite) === first.a
  return isSame ? { repeat: id } : no('REPLAYED', 'the id of the call was used for another one')
}
