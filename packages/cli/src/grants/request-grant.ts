import type { ArgCondition, Ask, Grant, GrantAnswer, Identity, RevocationSet, SealAddress, State } from '@postern/core'
import {
  decodeBase64url,
  encodeBase64url,
  isRefusalCode,
  liveKey,
  MAX_ASK_SECONDS,
  openAnswer,
  refusals,
  sealAsk,
  signAsk,
  standingOf,
  VerifyError,
  verifyGrant,
} from '@postern/core'
import { refusing } from '../authority/statement.ts'
import { CliError, notFound, usageError } from '../errors.ts'
import { exitOf } from '../exit-codes.ts'
import { now, surroundings } from '../surroundings.ts'
import type { LocalAgent } from './local-agent.ts'

/** What is asked for. */
export interface Wish {
  readonly tools: readonly { readonly server: string; readonly tool: string }[]
  readonly args: readonly ArgCondition[]
  readonly unnamed?: 'allow'
  readonly intent?: string
}

/** The verified log. */
interface Known {
  readonly state: State
  readonly revocations: RevocationSet
}

/** Longer than the gateway may take, so that the control plane says what went wrong. */
const ANSWER_MS = 15_000

/**
 * Asks the gateway in front of these tools for one grant, sealed, over `POST /api/v1/grants`, and verifies what comes back: signed by that
 * gateway, for this agent and its call key.
 * @throws {CliError} with the gateway's own code when it refuses; NOT_FOUND; VERIFICATION_FAILED. {OperationError} GATEWAY_UNREACHABLE
 */
export async function requestGrant(agent: LocalAgent, { state, revocations }: Known, wish: Wish): Promise<{ token: string; grant: Grant }> {
  const { suite, random } = surroundings
  const to = addressOf(state, gatewayFor(state, revocations, wish))
  const ask = refusing(() => signAsk(askOf(agent, to, wish), agent.keys.call.secret.expose(), suite))
  const { sealed, exporter } = sealAsk(ask, to, random, suite)
  const json = { gateway: to.gateway, ask: encodeBase64url(sealed) }
  const { answer } = await agent.client.call<{ answer: string }>('/api/v1/grants', { json, timeoutMs: ANSWER_MS })
  const opened = verifying('the answer does not hold', () => openAnswer(decodeBase64url(answer), exporter, to, suite))
  if ('refused' in opened) throw refusedError(opened.refused, to.gateway)
  return { token: opened.grant, grant: verifying('the grant does not hold', () => readGrant(opened.grant, agent, to, state)) }
}

/** One grant comes from one gateway. @throws {CliError} NOT_FOUND, USAGE */
function gatewayFor(state: State, revocations: RevocationSet, { tools }: Wish): Identity {
  const gateways = tools.map(({ server }) => {
    const pin = state.servers.get(server)
    if (!pin) throw notFound(`no gateway stands in front of ${server} in the authority log`, 'postern tools list')
    return pin.gateway
  })
  const [first, ...others] = [...new Set(gateways)]
  if (!first || others.length > 0)
    throw usageError(`these tools are behind several gateways: ${[first, ...others].join(', ')}`, 'ask each for its own')
  const standing = standingOf(state, revocations, first, now())
  if (standing.ok) return standing.identity
  throw new CliError('GATEWAY_UNREACHABLE', `${first} is ${standing.reason.toLowerCase().replaceAll('_', ' ')}`, { exit: 'unreachable' })
}

function addressOf({ org }: State, { atsign, keys }: Identity): SealAddress {
  const key = keys.find(({ use }) => use === 'seal')
  if (!key) throw new CliError('GATEWAY_UNREACHABLE', `${atsign} has no seal key`, { exit: 'failed' })
  return { org, gateway: atsign, key }
}

function askOf({ atsign, org, keys }: LocalAgent, { gateway }: SealAddress, { tools, args, unnamed, intent }: Wish): Ask {
  const iat = now()
  return {
    ...{ v: 1, org, iss: atsign, kid: keys.call.kid, aud: gateway, sub: atsign },
    details: tools.map(({ server, tool }) => ({ type: 'mcp_tool', server, tool, args, ...(unnamed ? { unnamed } : {}) })),
    ...(intent ? { intent } : {}),
    ...{ jti: encodeBase64url(surroundings.random(16)), iat, exp: iat + MAX_ASK_SECONDS },
  }
}

function refusedError({ code, message, fix }: Extract<GrantAnswer, { refused: object }>['refused'], gateway: string): CliError {
  const known = isRefusalCode(code) ? refusals[code] : undefined
  const remedy = fix ?? known?.fix
  const why = message || known?.title
  return new CliError(code, `${gateway} gives no grant`, {
    exit: exitOf(code),
    ...(why ? { why } : {}),
    ...(remedy ? { fix: remedy } : {}),
  })
}

/** A grant of somebody else, or for somebody else, is no use even if it verifies. @throws {VerifyError} */
function readGrant(token: string, { atsign, org, keys }: LocalAgent, { gateway }: SealAddress, state: State): Grant {
  const resolve = (iss: Grant['iss'], kid: Grant['kid'], use: 'issue') => liveKey(state, iss, kid, use)
  const grant = verifyGrant(token, resolve as Parameters<typeof verifyGrant>[1], { org, now: now(), suite: surroundings.suite })
  if (grant.iss !== gateway) throw new VerifyError('WRONG_AUDIENCE', `a grant of ${grant.iss}, not of ${gateway}`)
  if (grant.sub !== atsign || grant.cnf.jkt !== keys.call.kid) throw new VerifyError('WRONG_AUDIENCE', 'a grant for somebody else')
  return grant
}

function verifying<T>(message: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error
    throw new CliError('VERIFICATION_FAILED', message, { why: `${error.code}: ${error.message}`, exit: 'verification', cause: error })
  }
}
