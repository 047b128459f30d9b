import type { KeyResolver, Receipt, RpcResponse } from '@postern/core'
import { classify, encodeBase64url, keyIdOf, parseAtSign, resultDigest, signReceipt, tokenHash, verifyCall } from '@postern/core'
import { createLog, native, Secret } from '@postern/daemon'
import { describe, expect, test } from 'vitest'
import { bytesOf, machineKey, T0 } from '../../../../test/fixtures/people.ts'
import { outcome } from '../../../../test/read-vectors.ts'
import type { Agent } from '../agent/agent.ts'
import { systemDeps } from '../deps.ts'
import type { HeldGrant } from '../grants/grants.ts'
import type { AgentChannel } from '../link/channel.ts'
import { createCalls } from './calls.ts'
import type { Pending } from './pending.ts'

const org = encodeBase64url(bytesOf('an organisation', 32))
const [bot, gw] = [parseAtSign('@bot'), parseAtSign('@gw')]
const [callKey, receiptKey, otherKey] = [machineKey('@bot', 'call'), machineKey('@gw', 'receipt'), machineKey('@gw2', 'receipt')]
const kid = (key: typeof callKey) => keyIdOf(key.publicKey)
const resolve: KeyResolver = (iss, id, use) =>
  [
    { iss: '@bot', key: callKey },
    { iss: '@gw', key: receiptKey },
    { iss: '@gw2', key: otherKey },
  ].find((known) => known.iss === iss && kid(known.key) === id && known.key.publicKey.use === use)?.key.publicKey

const agent = {
  org,
  atsign: bot,
  keys: { call: { kid: kid(callKey), public: callKey.publicKey, secret: new Secret(callKey.seed) } },
} as unknown as Agent
const clock = { wall: () => T0 * 1000, monotonic: () => 0 }
const deps = { ...systemDeps(createLog('test', { level: 'silent' })), clock }
const calls = () => createCalls({ server: 'fs', agent, resolve, deps })
const binding = encodeBase64url(bytesOf('a channel', 32))
const newChannel = () => ({ gateway: gw, binding, grantsSent: new Set<string>() }) as unknown as AgentChannel
const newGrant = () => ({ token: 'a.b.c', hash: encodeBase64url(bytesOf('a grant', 32)), used: 0 }) as unknown as HeldGrant

const requestOf = (params: object) => classify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params } as never) as Pending['request']
const request = requestOf({ name: 'read', arguments: { path: '/a' }, _meta: { progressToken: 1 } })
const response = classify({ jsonrpc: '2.0', id: 1, result: { content: [] } }) as RpcResponse
const salt = encodeBase64url(bytesOf('salt', 16))

function signed() {
  const made = calls()
  const call = made.identify(request)
  const channel = newChannel()
  const header = made.sign(call, newGrant(), channel)
  return { made, call, channel, header, pending: { request, call } as unknown as Pending }
}

describe('a call', () => {
  test('is signed over exactly these parameters, this grant and this channel, with the next counter each time', () => {
    const [made, channel, grant] = [calls(), newChannel(), newGrant()]
    const call = made.identify(request)
    const [first, second] = [made.sign(call, grant, channel), made.sign(call, grant, channel)]
    const read = (token: string) => verifyCall(token, resolve, { org, now: T0, suite: native })
    expect(read(first.call)).toMatchObject({
      iss: '@bot',
      gth: grant.hash,
      tool: 'read',
      server: 'fs',
      a: call.a,
      n: 1,
      cb: binding,
      id: call.id,
    })
    expect(read(second.call)).toMatchObject({ n: 2, id: call.id })
    expect([first.salt, first.grant, second.grant]).toEqual([call.salt, grant.token, undefined])
  })

  test('of other parameters has another digest, and so has the same one with another salt', () => {
    const made = calls()
    const digests = [request, request, requestOf({ name: 'read', arguments: { path: '/b' } })].map((one) => made.identify(one).a)
    expect(new Set(digests).size).toBe(3)
  })

  test('of something that is no tool call is refused before anything is signed', () => {
    expect(outcome(() => calls().identify(requestOf({ arguments: {} })))).toBe('MALFORMED')
    expect(outcome(() => calls().identify(requestOf({ name: 'read', Name: 'write' })))).toBe('MALFORMED')
  })

  test('that continues one which asked for input names it, once', () => {
    const { made, channel, pending, header } = signed()
    const asks = classify({ jsonrpc: '2.0', id: 1, result: { resultType: 'input_required', requestState: 's' } }) as RpcResponse
    const receipt = receiptFor(header.call, asks)
    made.verify(pending, { sid: 's', salt, receipt }, asks, channel)
    const next = requestOf({ name: 'read', arguments: { path: '/a' }, requestState: 's', inputResponses: {} })
    const re = () => verifyCall(made.sign(made.identify(next), newGrant(), channel).call, resolve, { org, now: T0, suite: native }).re
    expect(re()).toBe(tokenHash(header.call))
    expect(re()).toBeUndefined()
  })
})

function receiptFor(call: string, answer: RpcResponse, change: Partial<Receipt> = {}, key = receiptKey): string {
  const receipt: Receipt = {
    ...{ v: 1, org, iss: gw, kid: kid(key), epoch: encodeBase64url(bytesOf('epoch', 16)), rseq: 1 },
    ...{ cth: tokenHash(call), agent: bot, server: 'fs', tool: 'read', decision: 'allow', code: 'OK', status: 'ok', t0: T0, t1: T0 },
    ...(change.status === 'unknown' ? {} : { result: resultDigest(bytesOf('salt', 16), (answer.result ?? answer.error) as never, native) }),
    ...change,
  }
  return signReceipt(receipt, key.seed, native)
}

describe('a result is handed on only with a receipt that proves it', () => {
  const check = (change: Partial<Receipt> = {}, key = receiptKey, answer = response) => {
    const { made, channel, pending, header } = signed()
    return outcome(() => made.verify(pending, { sid: 's', salt, receipt: receiptFor(header.call, response, change, key) }, answer, channel))
  }

  test('of this gateway, this call, this result', () => expect(check()).toBe('ok'))
  test('also when an earlier attempt of the same call is the one that ran', () => {
    const { made, channel, pending, call, header } = signed()
    made.sign(call, newGrant(), channel)
    expect(outcome(() => made.verify(pending, { sid: 's', salt, receipt: receiptFor(header.call, response) }, response, channel))).toBe(
      'ok',
    )
  })

  test.each<[string, Partial<Receipt>]>([
    ['another call', { cth: encodeBase64url(bytesOf('another call', 32)) }],
    ['another agent', { agent: parseAtSign('@eve') }],
    ['another tool', { tool: 'write' }],
    ['another server', { server: 'crm' }],
    ['another result', { result: encodeBase64url(bytesOf('another result', 32)) }],
  ])('not of %s', (_, change) => expect(check(change)).toBe('WRONG_DIGEST'))

  test('not of another gateway, even one that is enrolled', () => {
    expect(check({ iss: parseAtSign('@gw2') }, otherKey)).toBe('WRONG_DIGEST')
  })
  test('not signed by another key', () => expect(check({ kid: kid(receiptKey) }, otherKey)).toBe('BAD_SIGNATURE'))
  test('not under a key that is no receipt key', () => expect(check({ kid: kid(callKey) })).toBe('UNKNOWN_KEY'))
  test('not when the response was changed on the way', () => {
    const changed = classify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'more' }] } }) as RpcResponse
    expect(check({}, receiptKey, changed)).toBe('WRONG_DIGEST')
  })
  test('not without a result', () => {
    const { made, channel, pending, header } = signed()
    const empty = receiptFor(header.call, response, { status: 'unknown', code: 'OUTCOME_UNKNOWN' })
    expect(outcome(() => made.verify(pending, { sid: 's', salt, receipt: empty }, response, channel))).toBe('WRONG_DIGEST')
  })
})
