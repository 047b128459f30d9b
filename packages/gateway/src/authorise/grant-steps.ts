import type { Grant, VerifyCode } from '@postern/core'
import { checkGrantTimes, MESSAGE_LIMITS, parseMessage, readToolCall, tokenHash, VerifyError, verifyGrant } from '@postern/core'
import type { Candidate, StepOutcome } from './candidate.ts'
import { found, no } from './candidate.ts'
import type { GrantUse } from './uses.ts'
import type { World } from './world.ts'

/** Frame and size: exactly one JSON-RPC request that calls a tool, within the bounds. What is parsed here is what is forwarded. */
export function checkFrame(c: Candidate): StepOutcome {
  try {
    const request = parseMessage(c.input.body, MESSAGE_LIMITS)
    if (request.kind !== 'request' || request.method !== 'tools/call') return no('METHOD_NOT_PERMITTED', 'only tools/call comes as a call')
    c.toolCall = readToolCall(request)
    c.request = request
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    return no(error.code === 'TOO_LARGE' || error.code === 'TOO_DEEP' ? 'FRAME_TOO_LARGE' : 'MESSAGE_MALFORMED', error.message)
  }
}

/** The key that the handshake proved is still the channel key of a live agent. */
export function checkChannelKey(c: Candidate, { authority }: World): StepOutcome {
  const { agent: atsign, key } = c.input.channel
  const agent = authority.agent(atsign, c.now)
  if (agent && agent.channelKid !== key) return no('CHANNEL_KEY')
  if (agent) c.agent = agent // an agent that is not live is the standing step's to refuse, after the grant was looked at
}

/** The grant: known by its hash, or sent along and verified; this gateway's, this agent's, this run's, this policy's. */
export function checkGrant(c: Candidate, world: World): StepOutcome {
  const { grant: token, gth } = c.input.header
  const hash = token === undefined ? gth : tokenHash(token, world.suite)
  if (hash === undefined) return no('GRANT_UNKNOWN')
  if (gth !== undefined && gth !== hash) return no('GRANT_MALFORMED', 'the grant sent along is not the one named')
  const use = c.use ?? world.uses.get(hash) ?? (token === undefined ? undefined : openGrant(hash, token, c, world))
  if (use === undefined) return no('GRANT_UNKNOWN')
  if ('code' in use) return use
  c.use = use
  return checkGrantContext(use.grant, c, world)
}

/** What must still be so on every use of a grant, however long it has been known. */
function checkGrantContext(grant: Grant, c: Candidate, { self, epoch, authority }: World): StepOutcome {
  if (grant.iss !== self.atsign) return no('GRANT_FOREIGN', `the grant is from ${grant.iss}`)
  if (grant.sub !== c.input.channel.agent) return no('GRANT_FOREIGN')
  if (grant.epoch !== epoch()) return no('GRANT_EPOCH')
  if (!authority.policy) return no('NO_POLICY')
  if (grant.pol !== authority.policy.digest) return no('GRANT_POLICY')
}

function openGrant(hash: string, token: string, c: Candidate, { self, authority, suite, uses }: World): GrantUse | ReturnType<typeof no> {
  try {
    const resolve = (iss: string, kid: Grant['kid']) => (iss === self.atsign ? authority.issueKey(kid) : undefined)
    // Its times are a step of their own, after revocation and freshness.
    const context = { org: self.org, now: c.now, suite, toleranceSeconds: Number.POSITIVE_INFINITY }
    return uses.add(hash, verifyGrant(token, resolve, context), c.now) ?? no('BUSY', 'too many grants are in use')
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    return no(grantCodes[error.code] ?? 'GRANT_MALFORMED', error.message)
  }
}
const grantCodes: Partial<Record<VerifyCode, 'GRANT_SIGNATURE' | 'GRANT_FOREIGN'>> = {
  BAD_SIGNATURE: 'GRANT_SIGNATURE',
  UNKNOWN_KEY: 'GRANT_SIGNATURE',
  WRONG_KEY_USE: 'GRANT_SIGNATURE',
  WRONG_ORG: 'GRANT_FOREIGN',
}

/** Agent, person and grant are not revoked in the state of this moment, whatever was found out before. */
export function checkStanding(c: Candidate, { authority }: World): StepOutcome {
  const agent = c.agent
  if (!agent) return no('REVOKED')
  const { grant, hash } = found(c.use)
  if (grant.obo !== agent.subject.owner) return no('REVOKED', 'the agent has another owner than when the grant was given')
  if (grant.cnf.jkt !== agent.callKid) return no('REVOKED', 'the agent has another call key than when the grant was given')
  if (authority.isGrantRevoked(hash, c.now)) return no('REVOKED', 'the grant has been revoked')
}

/** Fresh enough for what this tool can do; a tool of unknown risk counts as the worst. */
export function checkFresh(c: Candidate, { authority }: World): StepOutcome {
  const { server } = c.input.session
  return authority.trouble(authority.pin(server, found(c.toolCall).name)?.risk, c.now)
}

/** The grant's times, by the one clock that made them: no tolerance. */
export function checkTimes(c: Candidate): StepOutcome {
  try {
    checkGrantTimes(found(c.use).grant, c.now, 0)
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    return no(error.code === 'EXPIRED' ? 'GRANT_EXPIRED' : 'GRANT_NOT_YET', error.message)
  }
}
