import { encodeBase64url, keyIdOf, parseAtSign } from '@postern/core'
import { beforeEach, describe, expect, test } from 'vitest'
import type { InputChange } from '../../../../test/fixtures/gateway/decision.ts'
import { binding, decisionWorld, liveAgent, now, policyOf, toolDigest } from '../../../../test/fixtures/gateway/decision.ts'
import { machineKey, seedOf } from '../../../../test/fixtures/people.ts'
import { steps } from './authorise.ts'
import { no } from './candidate.ts'

let w: ReturnType<typeof decisionWorld>
let held: { token: string; hash: string }
let n = 0
beforeEach(() => {
  w = decisionWorld()
  held = w.grant()
  n = 0
})
const decide = (change: InputChange = {}, at = now) => w.decide(held, ++n, change, at)
const utf8 = (text: string) => new Uint8Array(Buffer.from(text))
const digest = (name: string) => encodeBase64url(seedOf(name))
const refusal = (step: string, code: string) => expect.objectContaining({ effect: 'refuse', step, code })

test('the order of the steps is the protocol’s', () => {
  expect(steps.map(({ name }) => name)).toEqual([
    ...['frame', 'channel key', 'grant', 'standing', 'fresh', 'times', 'call signature', 'binding', 'counter'],
    ...['tool', 'conditions', 'once', 'limits', 'flow', 'approval'],
  ])
})

test('a call that is in order runs, with the very object that was decided on', () => {
  const verdict = decide({ args: { path: '/x', n: 1 } })
  expect(verdict).toMatchObject({ effect: 'run', risk: 'read', rule: 'all', about: { agent: '@bot', gth: held.hash, tool: 'read' } })
  expect(verdict).toHaveProperty('request.params', { name: 'read', arguments: { path: '/x', n: 1 } })
})

test('a grant that was seen once need not be sent again', () => {
  expect(decide().effect).toBe('run')
  expect(w.authoriser.decide(withoutGrant(w.input(held, 2)), now).effect).toBe('run')
})
const withoutGrant = ({ header: { grant: _, ...header }, ...input }: ReturnType<typeof w.input>) => ({ ...input, header })

describe('frame', () => {
  test.each([
    ['not JSON', 'nonsense', 'MESSAGE_MALFORMED'],
    ['a batch', '[]', 'MESSAGE_MALFORMED'],
    [
      'two members of one name',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"tools/call","params":{"name":"read"}}',
      'MESSAGE_MALFORMED',
    ],
    ['a notification', '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"read"}}', 'METHOD_NOT_PERMITTED'],
    ['another method', '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{}}', 'METHOD_NOT_PERMITTED'],
    ['no tool', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}', 'MESSAGE_MALFORMED'],
    [
      'a member beside the envelope',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read"},"Method":"x"}',
      'MESSAGE_MALFORMED',
    ],
    ['too large', `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${'x'.repeat(2_000_000)}"}}`, 'FRAME_TOO_LARGE'],
    [
      'too deep',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"read","arguments":{"a":${'['.repeat(80)}${']'.repeat(80)}}}}`,
      'FRAME_TOO_LARGE',
    ],
  ])('%s is refused', (_, body, code) => {
    expect(decide({ body: utf8(body) })).toEqual(refusal('frame', code))
  })
})

test('channel key: another key than the one enrolled is refused', () => {
  expect(decide({ channelKey: liveAgent('@eve').channelKid })).toEqual(refusal('channel key', 'CHANNEL_KEY'))
})

describe('grant', () => {
  test('one that nobody has seen is refused', () => {
    expect(w.authoriser.decide(withoutGrant(w.input(held, 1)), now)).toEqual(refusal('grant', 'GRANT_UNKNOWN'))
  })
  test('a call that names one and sends another is refused', () => {
    expect(decide({ header: { gth: digest('other') } })).toEqual(refusal('grant', 'GRANT_MALFORMED'))
  })
  test('one that does not read is refused', () => {
    held = { ...held, token: `${held.token.slice(0, 60)}.x.y` }
    expect(w.authoriser.decide({ ...w.input(held, 1), header: { salt: '', call: '', grant: held.token } }, now)).toEqual(
      refusal('grant', 'GRANT_MALFORMED'),
    )
  })
  test('one minted under any other key is refused, whoever signed it', () => {
    for (const seed of [seedOf('the control plane'), machineKey('@gw', 'receipt').seed, machineKey('@bot', 'call').seed]) {
      held = w.grant({}, seed)
      expect(decide()).toEqual(refusal('grant', 'GRANT_SIGNATURE'))
    }
  })
  test('one that names another key as the gateway’s is refused', () => {
    const key = machineKey('@gw', 'receipt')
    held = w.grant({ kid: keyIdOf(key.publicKey) }, key.seed)
    expect(decide()).toEqual(refusal('grant', 'GRANT_SIGNATURE'))
  })
  test('one of another organisation is refused', () => {
    held = w.grant({ org: digest('another') })
    expect(decide()).toEqual(refusal('grant', 'GRANT_FOREIGN'))
  })
  test('one given to another agent is refused', () => {
    held = w.grant({ sub: parseAtSign('@eve') })
    expect(decide()).toEqual(refusal('grant', 'GRANT_FOREIGN'))
    expect(decide()).toEqual(refusal('grant', 'GRANT_FOREIGN')) // also from the cache
  })
  test('one of an earlier run is refused, also when it was used in this one', () => {
    decide()
    w.known.epoch = encodeBase64url(seedOf('next epoch').subarray(0, 16))
    expect(decide()).toEqual(refusal('grant', 'GRANT_EPOCH'))
  })
  test('one of an earlier policy is refused, also when it was used under it', () => {
    decide()
    w.known.policy = policyOf({ v: 1, name: 'next', rules: [{ id: 'all', who: ['*'], servers: ['fs'], tools: ['*'], effect: 'allow' }] })
    expect(decide()).toEqual(refusal('grant', 'GRANT_POLICY'))
  })
  test('without a policy none counts', () => {
    w.known.policy = undefined
    expect(decide()).toEqual(refusal('grant', 'NO_POLICY'))
  })
})

describe('standing', () => {
  test('an agent that is not live any more is refused, on every call', () => {
    expect(decide().effect).toBe('run')
    w.known.agents.delete(parseAtSign('@bot'))
    expect(decide()).toEqual(refusal('standing', 'REVOKED'))
  })
  test('a revoked grant is refused, on every call', () => {
    expect(decide().effect).toBe('run')
    w.known.revokedGrants.add(held.hash)
    expect(decide()).toEqual(refusal('standing', 'REVOKED'))
  })
  test('a grant for another owner than the agent now has is refused', () => {
    held = w.grant({ obo: parseAtSign('@ben') })
    expect(decide()).toEqual(refusal('standing', 'REVOKED'))
  })
  test('a grant bound to a call key that the agent no longer has is refused', () => {
    held = w.grant({ cnf: { jkt: liveAgent('@eve').callKid } })
    expect(decide()).toEqual(refusal('standing', 'REVOKED'))
  })
})

test.each(['STALE', 'LOG_FORKED', 'LOG_BEHIND', 'LOG_HALTED', 'CLOCK_WRONG'] as const)(
  'fresh: %s refuses whatever is in order otherwise',
  (code) => {
    w.known.trouble = no(code)
    expect(decide()).toEqual(refusal('fresh', code))
  },
)

describe('times', () => {
  test('a grant counts up to its end and not a second longer', () => {
    expect(decide({ claims: { iat: now + 49 } }, now + 49).effect).toBe('run')
    expect(decide({ claims: { iat: now + 50 } }, now + 50)).toEqual(refusal('times', 'GRANT_EXPIRED'))
  })
  test('a grant does not count before it begins', () => {
    held = w.grant({ nbf: now + 1, exp: now + 60 })
    expect(decide()).toEqual(refusal('times', 'GRANT_NOT_YET'))
  })
})

describe('call signature', () => {
  test('a call that does not read is refused', () => {
    expect(decide({ header: { call: 'a.b.c' } })).toEqual(refusal('call signature', 'CALL_MALFORMED'))
  })
  test('a call signed by another agent is refused, whatever it calls itself', () => {
    expect(decide({ signer: '@eve' })).toEqual(refusal('call signature', 'CALL_SIGNATURE'))
    expect(decide({ signer: '@eve', claims: { kid: liveAgent('@bot').callKid } })).toEqual(refusal('call signature', 'CALL_SIGNATURE'))
  })
  test('a call in another agent’s name is refused', () => {
    expect(decide({ claims: { iss: parseAtSign('@eve') } })).toEqual(refusal('call signature', 'CALL_SIGNATURE'))
  })
  test('a call of another organisation is refused', () => {
    expect(decide({ claims: { org: digest('another') } })).toEqual(refusal('call signature', 'CALL_SIGNATURE'))
  })
  test.each([-121, 121])('a call signed %i s away from now is refused', (seconds) => {
    held = w.grant({ exp: now + 500 })
    expect(decide({ claims: { iat: now + seconds } })).toEqual(refusal('call signature', 'CALL_EXPIRED'))
  })
  test('a grant is no call', () => {
    expect(decide({ header: { call: held.token } })).toEqual(refusal('call signature', 'CALL_MALFORMED'))
  })
})

describe('binding', () => {
  test.each([
    ['grant', { gth: digest('other grant') }],
    ['channel', { cb: digest('other channel') }],
    ['server', { server: 'other' }],
    ['tool', { tool: 'write' }],
  ])('a call signed for another %s is refused', (_, claims) => {
    expect(decide({ claims })).toEqual(refusal('binding', 'CALL_BINDING'))
  })
  test('arguments that were not signed are refused', () => {
    expect(decide({ args: { path: '/a' }, sentArgs: { path: '/b' } })).toEqual(refusal('binding', 'ARGS_CHANGED'))
  })
  test('a parameter beside the arguments that was not signed is refused', () => {
    const body = utf8(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'read', arguments: { path: '/notes/a.md' }, task: {} },
      }),
    )
    expect(decide({ body })).toEqual(refusal('binding', 'ARGS_CHANGED'))
  })
  test('the salt belongs to the call', () => {
    expect(decide({ header: { salt: encodeBase64url(seedOf('salt').subarray(0, 16)) } })).toEqual(refusal('binding', 'ARGS_CHANGED'))
  })
  test('continuing a call that asked for nothing is refused', () => {
    expect(decide({ claims: { re: digest('no such call') } })).toEqual(refusal('binding', 'CALL_BINDING'))
  })
  test('continuing a call of another grant is refused', () => {
    w.asked.set(digest('first'), { gth: digest('other'), server: 'fs', taken: 0 })
    expect(decide({ claims: { re: digest('first') } })).toEqual(refusal('binding', 'CALL_BINDING'))
  })
})

describe('counter', () => {
  test('the same call twice is refused', () => {
    const input = w.input(held, 1)
    expect(w.authoriser.decide(input, now).effect).toBe('run')
    expect(w.authoriser.decide(input, now)).toEqual(refusal('counter', 'REPLAYED'))
  })
  test('another call under a counter that was used is refused', () => {
    w.decide(held, 5)
    expect(w.decide(held, 5)).toEqual(refusal('counter', 'REPLAYED'))
  })
  test('a counter of a call that was refused afterwards is used up', () => {
    expect(w.decide(held, 1, { tool: 'write' })).toEqual(refusal('tool', 'TOOL_NOT_GRANTED'))
    expect(w.decide(held, 1)).toEqual(refusal('counter', 'REPLAYED'))
  })
  test('a call that was not signed by the agent uses up nothing', () => {
    w.decide(held, 1, { signer: '@eve' })
    expect(w.decide(held, 1).effect).toBe('run')
  })
})

describe('tool', () => {
  test('one that the grant does not name is refused', () => {
    expect(decide({ tool: 'write' })).toEqual(refusal('tool', 'TOOL_NOT_GRANTED'))
  })
  test('one that nobody has pinned is refused', () => {
    w.known.pins.clear()
    expect(decide()).toEqual(refusal('tool', 'TOOL_NOT_PINNED'))
  })
  test('one that was pinned anew since the grant was given is refused', () => {
    w.known.pins.set('fs read', { digest: digest('new definition'), risk: 'read' })
    expect(decide()).toEqual(refusal('tool', 'TOOL_CHANGED'))
  })
  test('one that the server now describes differently, or does not offer, is refused', () => {
    expect(decide({ offered: new Map([['read', digest('poisoned')]]) })).toEqual(refusal('tool', 'TOOL_CHANGED'))
    expect(decide({ offered: new Map() })).toEqual(refusal('tool', 'TOOL_CHANGED'))
  })
  test('one of a server that has not said what it offers is refused', () => {
    expect(decide({ offered: undefined })).toEqual(refusal('tool', 'SERVER_FAILED'))
  })

  test('whose arguments do not fit the pinned schema is refused with the place, and one that cannot be checked is, too', () => {
    expect(decide({ fit: { fits: true } }).effect).toBe('run')
    expect(decide({ fit: { misfit: '/path: must be string' } })).toMatchObject({
      ...{ step: 'tool', code: 'ARGUMENT_REFUSED', message: expect.stringContaining('/path: must be string') },
    })
    expect(decide({ fit: { unusable: 'too deep' } })).toEqual(refusal('tool', 'SCHEMA_UNUSABLE'))
  })
})

describe('conditions', () => {
  const detail = { type: 'mcp_tool', server: 'fs', tool: 'read', schema: toolDigest } as const
  const narrowed = (args: object[], more = {}) => w.grant({ authorization_details: [{ ...detail, args: args as never, ...more }] })

  test.each([
    ['outside its range', { path: '/other/a' }],
    ['climbing out of its prefix', { path: '/notes/../etc/passwd' }],
    ['missing', {}],
    ['of another type', { path: 7 }],
    ['that nothing names', { path: '/notes/a', mode: 'r' }],
  ])('an argument %s is refused by the grant', (_, args) => {
    held = narrowed([{ arg: 'path', is: { prefix: '/notes' } }])
    expect(decide({ args: args as never })).toEqual(refusal('conditions', 'ARGUMENT_REFUSED'))
  })
  test('an argument within the grant runs', () => {
    held = narrowed([{ arg: 'path', is: { prefix: '/notes' } }])
    expect(decide({ args: { path: '/notes/a' } }).effect).toBe('run')
  })
  test('the policy is asked again for every call, with the same arguments', () => {
    w.known.policy = policyOf({
      ...{ v: 1, name: 'narrow' },
      rules: [{ id: 'notes', who: ['*'], servers: ['fs'], tools: ['read'], when: { path: { prefix: '/notes' } }, effect: 'allow' }],
    })
    held = w.grant({ pol: w.known.policy.digest })
    expect(decide({ args: { path: '/notes/a' } })).toMatchObject({ effect: 'run', rule: 'notes' })
    const refused = decide({ args: { path: '/etc/passwd' } })
    expect(refused).toMatchObject({ effect: 'refuse', step: 'conditions', code: 'ARGUMENT_REFUSED', rule: 'notes' })
    expect(JSON.stringify(refused)).not.toContain('passwd') // no argument's value in what is logged and shown
  })
  test('what no rule allows is denied', () => {
    w.known.policy = policyOf({ v: 1, name: 'none', rules: [] })
    held = w.grant({ pol: w.known.policy.digest })
    expect(decide()).toEqual(refusal('conditions', 'POLICY_DENIED'))
  })
  test('an agent under a delegation reaches only the servers of the delegation', () => {
    w.known.agents.set(parseAtSign('@bot'), { ...liveAgent('@bot'), servers: ['mail'] })
    expect(decide()).toEqual(refusal('conditions', 'POLICY_DENIED'))
  })
})

describe('once', () => {
  const id = encodeBase64url(seedOf('id').subarray(0, 16))
  test('a retry of a call is answered with the first one, and runs nothing', () => {
    const first = w.input(held, 1, { claims: { id } })
    expect(w.authoriser.decide(first, now)).toMatchObject({ effect: 'run', call: { id } })
    const { a } = (w.authoriser.decide(w.input(held, 2, { claims: { id } }), now) as { call?: { a: string } }).call ?? {}
    w.calls.set(`@bot ${id}`, { server: 'fs', tool: 'read', a: a ?? '', salt: first.header.salt })
    expect(decide({ claims: { id, n: 9 } })).toEqual(refusal('once', 'REPLAYED')) // a is of another salt here, so it is not the same call
  })
  test('the same parameters under another salt are the same call', () => {
    const first = w.input(held, 1, { claims: { id } })
    const verdict = w.authoriser.decide(first, now)
    if (verdict.effect !== 'run') throw new Error('refused')
    w.calls.set(`@bot ${id}`, { server: 'fs', tool: 'read', a: verdict.call.a, salt: first.header.salt })
    expect(w.decide(held, 2, { claims: { id } })).toMatchObject({ effect: 'repeat', id })
    expect(w.decide(held, 3, { claims: { id }, args: { path: '/other' } })).toEqual(refusal('once', 'REPLAYED'))
  })
  test('a retry is not counted', () => {
    held = w.grant({ max: 1 })
    const first = w.input(held, 1, { claims: { id } })
    const verdict = w.authoriser.decide(first, now)
    if (verdict.effect !== 'run') throw new Error('refused')
    w.calls.set(`@bot ${id}`, { server: 'fs', tool: 'read', a: verdict.call.a, salt: first.header.salt })
    expect(w.decide(held, 2, { claims: { id } }).effect).toBe('repeat')
    expect(w.decide(held, 3)).toEqual(refusal('limits', 'LIMIT_EXCEEDED'))
  })
})

describe('limits', () => {
  const limited = (limits: object) => {
    w.known.policy = policyOf({
      v: 1,
      name: 'l',
      rules: [{ id: 'some', who: ['*'], servers: ['fs'], tools: ['*'], effect: 'allow', limits }],
    })
    held = w.grant({ pol: w.known.policy.digest })
  }
  test('a grant for three calls runs three', () => {
    held = w.grant({ max: 3 })
    expect([1, 2, 3].map(() => decide().effect)).toEqual(['run', 'run', 'run'])
    expect(decide()).toEqual(refusal('limits', 'LIMIT_EXCEEDED'))
  })
  test('a rule for two calls per grant runs two', () => {
    limited({ calls: 2 })
    expect([1, 2].map(() => decide().effect)).toEqual(['run', 'run'])
    expect(decide()).toEqual(refusal('limits', 'LIMIT_EXCEEDED'))
  })
  test('a rule for two calls per minute runs two, over all grants, and more when the minute is over', () => {
    limited({ per_minute: 2 })
    expect([1, 2].map(() => decide().effect)).toEqual(['run', 'run'])
    held = w.grant({ pol: w.known.policy!.digest, exp: now + 200 })
    expect(decide({ claims: { n: 1 } })).toMatchObject({ code: 'LIMIT_EXCEEDED', rule: 'some' })
    expect(decide({ claims: { n: 2, iat: now + 60 } }, now + 60).effect).toBe('run')
  })
  test('a continuation is counted with the call that it continues, once', () => {
    held = w.grant({ max: 1 })
    expect(decide().effect).toBe('run')
    const asked = { gth: held.hash, server: 'fs', taken: 0 }
    w.asked.set(digest('first'), asked)
    expect(decide({ claims: { re: digest('first') } }).effect).toBe('run')
    expect(asked.taken).toBe(1)
    expect(decide()).toEqual(refusal('limits', 'LIMIT_EXCEEDED'))
  })
})

describe('what this version cannot do is refused where the policy asks for it, never let through', () => {
  const ruled = (rule: object) => {
    w.known.policy = policyOf({
      v: 1,
      name: 'x',
      rules: [{ id: 'r', who: ['*'], servers: ['fs'], tools: ['*'], effect: 'allow', ...rule }],
    })
    held = w.grant({ pol: w.known.policy.digest })
  }
  test('a flow rule', () => {
    ruled({ flow: 'deny' })
    expect(decide()).toEqual(refusal('flow', 'FLOW_UNSUPPORTED'))
  })
  test('a check of results runs, and says how: the strictest of the rules that permit it', () => {
    ruled({ output: 'redact' })
    expect(decide()).toMatchObject({ effect: 'run', output: 'redact' })
    const rule = { who: ['*'], servers: ['fs'], tools: ['*'], effect: 'allow' }
    w.known.policy = policyOf({
      v: 1,
      name: 'x',
      rules: [
        { id: 'a', ...rule, output: 'redact' },
        { id: 'b', ...rule, output: 'refuse' },
        { id: 'c', ...rule },
      ],
    })
    held = w.grant({ pol: w.known.policy.digest })
    expect(decide()).toMatchObject({ effect: 'run', output: 'refuse' })
  })
  test('a limit on a total', () => {
    ruled({ when: { amount: { sum: 100 } } })
    expect(decide({ args: { amount: 1 } })).toEqual(refusal('conditions', 'LIMIT_UNSUPPORTED'))
  })
})

describe('approval', () => {
  const asks = (rule: object = {}) => {
    const rules = [{ id: 'r', who: ['*'], servers: ['fs'], tools: ['*'], effect: 'ask', approvers: ['@ana', '@cy'], ...rule }]
    w.known.policy = policyOf({ v: 1, name: 'x', rules })
    held = w.grant({ pol: w.known.policy.digest })
  }
  const askedFor = () => {
    const verdict = decide()
    if (verdict.effect !== 'ask') throw new Error(JSON.stringify(verdict))
    return verdict
  }
  const offered = new Map([['read', toolDigest]])

  test('a rule that asks never gives a permit, but says whom to ask', () => {
    asks({ wait_seconds: 60 })
    expect(decide()).toMatchObject({
      ...{ effect: 'ask', named: ['@ana', '@cy'], approvers: [{ atsign: '@ana' }], waitSeconds: 60 },
      policy: { name: 'x', rule: 'r', line: 1 },
    })
  })
  test('where nobody can be asked the call is refused, and says why', () => {
    asks({ approvers: ['@cy'] })
    expect(decide()).toMatchObject({ code: 'APPROVAL_IMPOSSIBLE', message: expect.stringContaining('without a seal key'), rule: 'r' })
    w.known.agents.set(parseAtSign('@bot'), { ...liveAgent('@bot'), subject: { ...liveAgent('@bot').subject, owner: parseAtSign('@ana') } })
    asks({ approvers: ['@ana'] })
    held = w.grant({ pol: w.known.policy!.digest, obo: parseAtSign('@ana') })
    expect(decide()).toMatchObject({ code: 'APPROVAL_IMPOSSIBLE', message: expect.stringContaining('nobody but the owner') })
  })
  test('a call that was held by somebody else is not asked about again', () => {
    asks()
    expect(decide({ header: { held: encodeBase64url(seedOf('hold').subarray(0, 16)) } })).toEqual(refusal('approval', 'APPROVAL_ENDED'))
  })
  test('asking counts like calling', () => {
    asks({ limits: { calls: 1 } })
    askedFor()
    expect(decide()).toEqual(refusal('limits', 'LIMIT_EXCEEDED'))
  })
  test('the end of the grant does not end what is held', () => {
    asks()
    expect(w.authoriser.again(askedFor(), offered, now + 500)).toEqual({ named: ['@ana', '@cy'] })
  })
  test.each([
    ['the agent is revoked', 'REVOKED', (): void => w.known.agents.clear()],
    ['the grant is revoked', 'REVOKED', (): void => void w.known.revokedGrants.add(held.hash)],
    ['the policy changes', 'GRANT_POLICY', (): void => void Object.assign(w.known, { policy: policyOf({ v: 1, name: 'y', rules: [] }) })],
    [
      'the gateway restarts',
      'GRANT_EPOCH',
      (): void => void Object.assign(w.known, { epoch: encodeBase64url(seedOf('next').subarray(0, 16)) }),
    ],
    ['the tool is pinned anew', 'TOOL_CHANGED', (): void => void w.known.pins.set('fs read', { digest: digest('new'), risk: 'read' })],
    ['the pin is taken back', 'TOOL_NOT_PINNED', (): void => w.known.pins.clear()],
    ['nobody is left who can be asked', 'APPROVAL_IMPOSSIBLE', (): void => w.known.people.clear()],
    ['the gateway is cut off', 'STALE', (): void => void Object.assign(w.known, { trouble: no('STALE') })],
  ] as const)('what is held cannot run any more when %s', (_, code, change) => {
    asks()
    const asked = askedFor()
    change()
    expect(w.authoriser.again(asked, offered, now)).toMatchObject({ effect: 'refuse', code })
  })
  test('nor when the server says something else by the tool', () => {
    asks()
    expect(w.authoriser.again(askedFor(), new Map([['read', digest('poisoned')]]), now)).toMatchObject({ code: 'TOOL_CHANGED' })
    expect(w.authoriser.again(askedFor(), undefined, now)).toMatchObject({ code: 'SERVER_FAILED' })
  })
})

test('a step that throws refuses', () => {
  Object.defineProperty(w.known, 'policy', {
    get() {
      throw new Error('a defect')
    },
  })
  expect(decide()).toEqual(refusal('grant', 'INTERNAL'))
})

test('the binding in these tests is the channel’s', () => expect(w.input(held, 1).channel.binding).toBe(binding))
