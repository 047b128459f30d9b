import type { JsonValue, KeyResolver, MessageHeader, RpcRequest, RpcResponse } from '@postern/core'
import {
  argsDigest,
  canonicalText,
  decodeBase64url,
  encodeBase64url,
  isJsonObject,
  readToolCall,
  resultDigest,
  signCall,
  tokenHash,
  VerifyError,
  verifyReceipt,
} from '@postern/core'
import { unixSeconds } from '@postern/daemon'
import type { Agent } from '../agent/agent.ts'
import type { ConnectorDeps } from '../deps.ts'
import type { HeldGrant } from '../grants/grants.ts'
import type { AgentChannel } from '../link/channel.ts'
import type { CallIdentity, Pending } from './pending.ts'

export interface CallsParts {
  readonly server: string
  readonly agent: Agent
  readonly resolve: KeyResolver
  readonly deps: ConnectorDeps
}

/** Signs tool calls, and verifies what comes back. */
export interface Calls {
  /** @throws {VerifyError} MALFORMED when params are not those of a tool call */
  identify(request: RpcRequest): CallIdentity
  /** The header of a CALL under this grant on this channel; takes the grant's next counter. @throws {VerifyError} */
  sign(call: CallIdentity, held: HeldGrant, channel: AgentChannel): Omit<MessageHeader<'CALL'>, 'sid'>
  /**
   * Checks that the gateway vouches for this very result of this very call.
   * @throws {VerifyError}
   */
  verify(pending: Pending, header: MessageHeader<'RESULT'>, response: RpcResponse, channel: AgentChannel): void
}

const inputSeconds = 600
const maxInputs = 64

export function createCalls({ server, agent, resolve, deps }: CallsParts): Calls {
  const { suite, random, clock } = deps
  /** Calls that asked for input: what the client sends next with the answers continues them. */
  const asked = new Map<string, { readonly cth: string; readonly gth: string; readonly untilMs: number }>()
  const fixed = { v: 1, org: agent.org, iss: agent.atsign, kid: agent.keys.call.kid, server } as const
  const lastSigned = new WeakMap<CallIdentity, { readonly cth: string; readonly gth: string }>()

  const continued = ({ toolCall }: CallIdentity, gth: string): string | undefined => {
    if (toolCall.requestState === undefined) return undefined
    const key = inputKey(toolCall.name, toolCall.arguments, toolCall.requestState)
    const found = asked.get(key)
    if (!found || found.gth !== gth || clock.monotonic() > found.untilMs) return undefined
    asked.delete(key)
    return found.cth
  }
  const noteInput = ({ call }: Pending, { result }: RpcResponse): void => {
    const last = call && lastSigned.get(call)
    if (!call || !last || result?.resultType !== 'input_required' || result.requestState === undefined) return
    if (asked.size >= maxInputs) asked.delete(asked.keys().next().value!)
    const key = inputKey(call.toolCall.name, call.toolCall.arguments, result.requestState)
    asked.set(key, { ...last, untilMs: clock.monotonic() + inputSeconds * 1000 })
  }
  return {
    identify(request) {
      const toolCall = readToolCall(request)
      const salt = random(16)
      const a = argsDigest(salt, request.params, suite)
      return { toolCall, id: encodeBase64url(random(16)), salt: encodeBase64url(salt), a, hashes: new Set() }
    },
    sign(call, held, channel) {
      const { id, a, toolCall } = call
      const re = continued(call, held.hash)
      held.used += 1
      const payload = { ...fixed, gth: held.hash, tool: toolCall.name, a, n: held.used, cb: channel.binding, id, iat: unixSeconds(clock) }
      const token = signCall(re === undefined ? payload : { ...payload, re }, agent.keys.call.secret.expose(), suite)
      const cth = tokenHash(token, suite)
      call.hashes.add(cth)
      lastSigned.set(call, { cth, gth: held.hash })
      if (channel.grantsSent.has(held.hash)) return { salt: call.salt, call: token, gth: held.hash }
      channel.grantsSent.add(held.hash)
      return { salt: call.salt, call: token, gth: held.hash, grant: held.token }
    },
    verify(pending, { receipt: token, salt }, response, channel) {
      const receipt = verifyReceipt(token, resolve, { org: agent.org, now: unixSeconds(clock), suite })
      const mismatch = (what: string): never => {
        throw new VerifyError('WRONG_DIGEST', `the receipt is for another ${what}`)
      }
      if (receipt.iss !== channel.gateway) mismatch('gateway')
      if (receipt.agent !== agent.atsign) mismatch('agent')
      if (receipt.server !== server || receipt.tool !== pending.call?.toolCall.name) mismatch('tool')
      if (receipt.cth === undefined || !pending.call?.hashes.has(receipt.cth)) mismatch('call')
      if (receipt.result !== resultDigest(decodeBase64url(salt), outcomeOf(response), suite)) mismatch('result')
      noteInput(pending, response)
      deps.onReceipt?.(receipt, token)
    },
  }
}

/** What a receipt's digest is over: the result, or the error in its place. */
const outcomeOf = ({ result, error }: RpcResponse): JsonValue => result ?? error ?? null

const inputKey = (tool: string, args: JsonValue, state: JsonValue): string => canonicalText([tool, isJsonObject(args) ? args : {}, state])
