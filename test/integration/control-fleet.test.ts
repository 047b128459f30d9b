import type { Principal } from '@postern/control'
import { createCaller } from '@postern/control'
import type { Receipt, Target } from '@postern/core'
import {
  encodeBase64url,
  encodeSigned,
  keyIdOf,
  parseRevocation,
  parseStatement,
  policyDigest,
  portable,
  revocationHash,
  revocationsDigest,
  signAck,
  signReceipt,
  targetId,
  targetsOf,
  toolDigest,
  utf8,
} from '@postern/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Everybody, TestControl } from '../fixtures/control.ts'
import { enrolEverybody, machineKey, openTestControl, seedOf, signKey, T0 } from '../fixtures/control.ts'
import { revocation } from '../fixtures/organisation.ts'
import { requestOf } from '../fixtures/people.ts'
import { pglite } from './database/databases.ts'

let t: TestControl
let all: Everybody
beforeEach(async () => {
  t = await openTestControl(pglite)
  all = await enrolEverybody(t)
})
afterEach(() => t[Symbol.asyncDispose]())

const principalOf = (atsign: string, role: 'admin' | 'person'): Principal =>
  ({ role, org: all.branch.org, atsign, kid: 'A'.repeat(43) }) as Principal
const as = (atsign = '@ana', role: 'admin' | 'person' = 'admin') =>
  createCaller({ control: t.control, principal: principalOf(atsign, role), requestId: 'test' })
const hashOf = (name: string) => encodeBase64url(seedOf(name))
const claims = (use: 'receipt', by = '@gw') => ({
  v: 1 as const,
  org: all.branch.org,
  iss: by as never,
  kid: keyIdOf(machineKey(by, use).publicKey),
})
const present = (body: object = {}, by = all.gateway) => t.call('POST', '/api/v1/presence', { by, body: { version: '0.1.0', ...body } })
const names = async (q: string, sort?: string) =>
  (await as().fleet.search({ q, ...(sort ? { sort } : {}) })).members.map(({ atsign }) => atsign)

async function ack({ by = '@gw', seq = all.branch.state.seq, head = all.branch.state.head, hashes = [] as string[] } = {}) {
  const revocations = revocationsDigest(hashes, portable)
  const token = signAck(
    { ...claims('receipt', by), seq, head, revocations, at: t.now.seconds, epoch: encodeBase64url(seedOf('epoch').subarray(0, 16)) },
    machineKey(by, 'receipt').seed,
    portable,
  )
  const { json } = await t.call('POST', '/api/v1/acks', { by: machineKey(by, 'auth'), body: { acks: [token] } })
  expect(json.refused).toEqual([])
}

let rseq = 0
async function receipt(content: Partial<Receipt> = {}) {
  rseq += 1
  const body = {
    ...{ ...claims('receipt'), epoch: encodeBase64url(seedOf('epoch').subarray(0, 16)), rseq, agent: '@bot' as never, server: 'fs' },
    ...{ tool: 'read', decision: 'allow' as const, code: 'OK', status: 'ok' as const, t0: t.now.seconds, t1: t.now.seconds, ms: 5 },
    ...content,
  }
  const token = signReceipt(body, machineKey('@gw', 'receipt').seed, portable)
  const { json } = await t.call('POST', '/api/v1/receipts', { by: all.gateway, body: { receipts: [token] } })
  expect(json).toMatchObject({ stored: 1, refused: [] })
}
async function revoke(targets: Target | readonly Target[], options: Parameters<typeof revocation>[2] = {}) {
  const signed = revocation(all.branch, targets, { at: t.now.seconds, ...options })
  const { status } = await t.call('POST', '/api/v1/revocations', { body: encodeSigned(signed) })
  expect(status).toBe(200)
  return revocationHash(signed.bytes)
}
const enrolmentOf = (atsign: string): Target => ({ kind: 'enrolment', id: all.branch.state.identities.get(atsign as never)!.enrolment })

describe('the list', () => {
  test('has gateways and agents, never people', async () => {
    const { members, total, counts } = await as().fleet.search({})
    expect(members.map(({ atsign }) => atsign).sort()).toEqual(['@bot', '@gw'])
    expect({ total, counts }).toEqual({ total: 2, counts: { states: { offline: 2 }, kinds: { gateway: 1, agent: 1 }, outdated: 0 } })
  })

  test('filters by every key, with NOT, several values and words, and counts what matches', async () => {
    await present({ host: 'kite-7', servers: [{ name: 'fs', tools: [] }] })
    await ack()
    expect(await names('kind:gateway')).toEqual(['@gw'])
    expect(await names('-kind:gateway')).toEqual(['@bot'])
    expect(await names('state:online,degraded')).toEqual(['@gw'])
    expect(await names('state:offline')).toEqual(['@bot'])
    expect(await names('tag:dev')).toEqual(['@bot'])
    expect(await names('-tag:dev kind:agent')).toEqual([])
    expect(await names('owner:ben')).toEqual(['@bot'])
    expect(await names('server:fs')).toEqual(['@gw'])
    expect(await names('version:0.1.0')).toEqual(['@gw'])
    expect(await names('seen:never')).toEqual(['@bot'])
    expect(await names('seen:<5m')).toEqual(['@gw'])
    expect(await names('seen:>5m')).toEqual([])
    expect(await names('name:@bot')).toEqual(['@bot'])
    expect(await names('GW')).toEqual(['@gw'])
    expect((await as().fleet.search({ q: 'kind:agent' })).matching).toBe(1)
  })

  test.each([
    ['colour:red', /no such key/],
    ['seen:yesterday', /no age/],
    ['kind:', /has no value/],
    ['-kind:,', /has no value/],
    [`${'x'.repeat(1000)} y`, /./],
  ])('a filter that means nothing is refused, and says so: %s', async (q, message) => {
    await expect(as().fleet.search({ q })).rejects.toThrow(message)
  })

  test('is paged by cursor, without gap or repetition, in each direction of each order', async () => {
    for (const name of ['@a1', '@a2', '@a3']) {
      const body = { ...requestOf(all.branch.org, 'agent', name), exp: T0 + 9_000_000, tags: ['x'] }
      all.branch = await t.append(all.branch, 'agent.enroll', body as never)
    }
    for (const sort of ['name', '-name', 'state', '-seen', 'tags', '-owner']) {
      const seen: string[] = []
      for (let cursor: string | undefined; ; ) {
        const { members, next } = await as().fleet.search({ sort, limit: 2, ...(cursor ? { cursor } : {}) })
        seen.push(...members.map(({ atsign }) => atsign))
        if (!next) break
        cursor = next
      }
      expect(seen.toSorted(), sort).toEqual(['@a1', '@a2', '@a3', '@bot', '@gw'])
    }
    await expect(as().fleet.search({ cursor: 'bm9uc2Vuc2U' })).rejects.toThrow(/cursor/)
  })

  test('suggests the values that a key has', async () => {
    expect(await as().fleet.facets()).toMatchObject({
      tag: ['dev'],
      kind: ['agent', 'gateway'],
      owner: ['@ben'],
      seen: expect.arrayContaining(['never']),
    })
  })
})

describe('states are computed from what was signed and reported', () => {
  const stateOf = async (name: string) => {
    const { members } = await as().fleet.search({ q: `name:${name}` })
    return members[0]
  }

  test('a gateway that is here and never acknowledged anything is degraded: silent', async () => {
    await present()
    t.now.seconds += 30
    await present()
    expect(await stateOf('@gw')).toMatchObject({ state: 'degraded', reasons: ['silent'] })
  })

  test('one that has acknowledged everything is online; without a report it is offline a minute later', async () => {
    await present()
    await ack()
    expect(await stateOf('@gw')).toMatchObject({ state: 'online', reasons: [] })
    t.now.seconds += 61
    await new Promise((resolve) => setTimeout(resolve, 1_050)) // the roster may be a second old
    expect(await stateOf('@gw')).toMatchObject({ state: 'offline' })
  })

  test('one that lags behind the log and the policy says which, and which policy it applies', async () => {
    const policy = utf8('{"name":"main","rules":[],"v":1}')
    const before = all.branch.state
    all.branch = await t.append(
      all.branch,
      'policy.set',
      { sha256: policyDigest(policy), name: 'main' },
      { policy: encodeBase64url(policy) },
    )
    t.now.seconds += 30
    await present()
    await ack({ seq: before.seq, head: before.head })
    expect(await stateOf('@gw')).toMatchObject({ state: 'degraded', reasons: ['behind', 'policy'] })
    await ack()
    await revoke(enrolmentOf('@bot')) // a new roster
    expect(await stateOf('@gw')).toMatchObject({ policy: 1 })
  })

  test('one that lacks a revocation is degraded, and one whose clock is off too', async () => {
    await revoke(enrolmentOf('@bot'))
    t.now.seconds += 30
    await present({ now: t.now.seconds - 5 })
    await ack()
    expect(await stateOf('@gw')).toMatchObject({ state: 'degraded', reasons: ['revocations', 'clock'], skew: -5 })
    expect(await names('state:clock')).toEqual(['@gw'])
  })

  test('suspended until its end, revoked for ever, expired with its lease', async () => {
    await revoke(enrolmentOf('@bot'), { until: t.now.seconds + 3600 })
    expect(await stateOf('@bot')).toMatchObject({ state: 'suspended', until: t.now.seconds + 3600 })
    await revoke(enrolmentOf('@bot'))
    expect(await stateOf('@bot')).toMatchObject({ state: 'revoked' })
    t.now.seconds = T0 + 31_536_000
    await revoke({ kind: 'grant', id: hashOf('g') })
    expect(await stateOf('@gw')).toMatchObject({ state: 'expired' })
  })

  test('an agent whose owner is suspended is suspended with them', async () => {
    await revoke(enrolmentOf('@ben'), { until: t.now.seconds + 3600 })
    expect(await stateOf('@bot')).toMatchObject({ state: 'suspended' })
  })
})

describe('labels', () => {
  test('are put on many names at once, found by filter, and taken back as one', async () => {
    const { change, changed } = await as().fleet.relabel({
      selection: { filter: 'kind:agent,gateway', expected: 2 },
      add: ['lab'],
      remove: [],
    })
    expect(changed).toBe(2)
    expect(await names('label:lab')).toHaveLength(2)
    expect(await names('tag:lab')).toEqual([])
    expect(await as().fleet.labels()).toEqual([{ label: 'lab', count: 2 }])
    await as().fleet.undoLabels({ change })
    expect(await names('label:lab')).toEqual([])
  })

  test('undo puts back only what the change took', async () => {
    await as().fleet.relabel({ selection: { names: ['@gw'] }, add: ['a'], remove: [] })
    const { change } = await as().fleet.relabel({ selection: { names: ['@gw', '@bot'] }, add: ['b'], remove: ['a'] })
    await as().fleet.undoLabels({ change })
    expect(await names('label:a')).toEqual(['@gw'])
    expect(await names('label:b')).toEqual([])
  })

  test('are nothing that the log or a policy knows', async () => {
    const before = t.control.ledger.head()
    await as().fleet.relabel({ selection: { names: ['@bot'] }, add: ['prod'], remove: [] })
    expect(t.control.ledger.head()).toEqual(before)
    expect(t.control.ledger.state!.identities.get('@bot' as never)!.tags).toEqual(['dev'])
  })

  test('"all that match" is refused when it matches another number than the person saw', async () => {
    const selection = { filter: 'kind:agent', expected: 7 }
    await expect(as().fleet.relabel({ selection, add: ['x'], remove: [] })).rejects.toThrow(/matches 1 now, not 7/)
  })

  test('a label outside the grammar, a name that is not there and a seventeenth label are refused', async () => {
    const put = (name: string, add: string[]) => as().fleet.relabel({ selection: { names: [name] }, add, remove: [] })
    await expect(put('@gw', ['<b>'])).rejects.toThrow()
    await expect(put('@nobody', ['x'])).rejects.toThrow(/not in the fleet/)
    for (const group of ['a', 'b'])
      await put(
        '@gw',
        Array.from({ length: 8 }, (_, i) => `${group}${i}`),
      )
    await expect(put('@gw', ['c'])).rejects.toThrow(/more than 16/)
  })
})

describe('effective', () => {
  test('is a statement on the gateways that acknowledged it, and NOT EFFECTIVE while one has not', async () => {
    const { seq, head } = all.branch.state
    expect(await as().acks.effective({ seq })).toMatchObject({
      on: 0,
      of: 1,
      effective: false,
      gateways: [{ gateway: '@gw', applied: false }],
    })
    await ack({ seq: seq - 1, head: all.branch.entries.length > 1 ? hashOf('x') : head })
    expect(await as().acks.effective({ seq })).toMatchObject({ on: 0, effective: false })
    await ack()
    const { gateways, ms, ...rest } = await as().acks.effective({ hash: head })
    expect(rest).toMatchObject({ kind: 'statement', seq, on: 1, of: 1, effective: true })
    expect(gateways[0]!.ms).toBe(ms)
    expect(ms).toBeGreaterThanOrEqual(0)
  })

  test('is a revocation where an ack names a set that holds it, whatever came after', async () => {
    const first = await revoke(enrolmentOf('@bot'), { until: t.now.seconds + 60 })
    await ack()
    expect(await as().acks.effective({ hash: first })).toMatchObject({ kind: 'revocation', on: 0, of: 1, effective: false })
    const second = await revoke({ kind: 'grant', id: hashOf('grant') })
    await ack({ hashes: [second] })
    expect(await as().acks.effective({ hash: first })).toMatchObject({ on: 0 })
    await ack({ hashes: [first, second] })
    expect(await as().acks.effective({ hash: first })).toMatchObject({ on: 1, effective: true })
    expect(await as().acks.effective({ hash: second })).toMatchObject({ on: 1 })
  })

  test('does not count what a gateway had once and lacks now', async () => {
    await ack()
    await ack({ seq: 1, head: hashOf('restored') })
    expect(await as().acks.effective({ seq: all.branch.state.seq })).toMatchObject({ on: 0, effective: false })
  })

  test('leaves out gateways that may serve nobody', async () => {
    const hash = await revoke([enrolmentOf('@gw'), enrolmentOf('@bot')])
    expect(await as().acks.effective({ hash })).toMatchObject({ of: 0, gateways: [] })
  })

  test('says until when the grants of a gateway run that has not applied it', async () => {
    await present({
      grants: [
        { gth: hashOf('g'), agent: '@bot', tools: [{ server: 'fs', tool: 'read' }], iat: t.now.seconds, exp: t.now.seconds + 41, used: 0 },
      ],
    })
    const hash = await revoke(enrolmentOf('@bot'))
    const { gateways } = await as().acks.effective({ hash })
    expect(gateways).toMatchObject([{ online: true, applied: false, grants_until: t.now.seconds + 41 }])
  })

  test('of what nobody knows is refused', async () => {
    await expect(as().acks.effective({ hash: hashOf('nothing') })).rejects.toThrow(/neither in the log/)
  })
})

describe('grants', () => {
  const grant = (name: string, more: object = {}) => ({
    ...{
      gth: hashOf(name),
      agent: '@bot',
      tools: [{ server: 'fs', tool: 'read', rule: 'R1' }],
      iat: t.now.seconds,
      exp: t.now.seconds + 60,
      used: 0,
    },
    ...more,
  })

  test('are what gateways report: counted down, used up, and history when their time is over', async () => {
    await present({ grants: [grant('one', { max: 5 }), grant('two', { exp: t.now.seconds + 30 })] })
    const { grants, active } = await as().grants.out({})
    expect(active).toBe(2)
    expect(grants).toMatchObject([
      { hash: hashOf('two') },
      { hash: hashOf('one'), max: 5, used: 0, state: 'active', tools: [{ rule: 'R1' }] },
    ])
    await present({ grants: [grant('one', { max: 5, used: 3 }), grant('two', { exp: t.now.seconds + 30 })] })
    expect((await as().grants.out({ q: 'rule:R1' })).grants.at(-1)).toMatchObject({ used: 3 })
    t.now.seconds += 31
    expect(await as().grants.out({})).toMatchObject({ active: 1, past: 1 })
    expect((await as().grants.out({ past: true })).grants).toMatchObject([{ hash: hashOf('two'), state: 'expired' }])
  })

  test('one that its gateway no longer names has ended before its time', async () => {
    await present({ grants: [grant('one')] })
    await present({ grants: [] })
    expect((await as().grants.out({ past: true })).grants).toMatchObject([{ state: 'ended' }])
  })

  test('a revoked one says so as soon as the revocation is here, and so do those of a revoked agent', async () => {
    await present({ grants: [grant('one'), grant('two')] })
    await revoke({ kind: 'grant', id: hashOf('one') })
    const states = async () => (await as().grants.out({})).grants.map(({ state }) => state).toSorted()
    expect(await states()).toEqual(['active', 'revoked'])
    await revoke(enrolmentOf('@bot'))
    expect(await states()).toEqual(['revoked', 'revoked'])
  })

  test('are filtered by tool, agent and NOT', async () => {
    await present({ grants: [grant('one'), grant('two', { tools: [{ server: 'jira', tool: 'read' }] })] })
    const count = async (q: string) => (await as().grants.out({ q })).grants.length
    expect(await count('tool:fs.read')).toBe(1)
    expect(await count('tool:read')).toBe(2)
    expect(await count('-server:jira')).toBe(1)
    expect(await count('agent:bot -gateway:gw')).toBe(0)
    expect(await count('jira')).toBe(1)
  })

  test('a gateway cannot report one longer than any grant may be, and an agent none at all', async () => {
    await present({ grants: [grant('one', { exp: t.now.seconds + 601 })] })
    expect(await as().grants.out({})).toMatchObject({ active: 0, past: 0 })
    expect((await present({ grants: [] }, all.agent)).status).toBe(403)
    expect((await present({ grants: [grant('one', { args: [] })] })).json.error.code).toBe('UNKNOWN_FIELD')
  })

  test('people see those of their own agents', async () => {
    await present({ grants: [grant('one'), grant('two', { agent: '@other' })] })
    expect((await as('@ben', 'person').grants.out({})).grants).toHaveLength(1)
    expect((await as('@carol', 'person').grants.out({})).grants).toHaveLength(0)
  })
})

describe('calls', () => {
  beforeEach(async () => {
    await receipt({ rule: 'R1', ms: 10, gth: hashOf('grant') })
    await receipt({ tool: 'write', decision: 'deny', code: 'POLICY_DENIED', status: 'not_run', ms: 1 })
    await receipt({ server: 'pay', tool: 'refund', decision: 'deny', code: 'APPROVAL_PENDING', status: 'not_run', rule: 'R2', ms: 2 })
  })
  const count = async (q: string) => (await as().calls.search({ q })).calls.length

  test('are found by every key, with NOT and words', async () => {
    expect(await count('')).toBe(3)
    expect(await count('agent:bot gateway:@gw')).toBe(3)
    expect(await count('-agent:@bot')).toBe(0)
    expect(await count('tool:write,refund')).toBe(2)
    expect(await count('tool:fs.write')).toBe(1)
    expect(await count('decision:allow')).toBe(1)
    expect(await count('decision:deny')).toBe(1)
    expect(await count('decision:ask')).toBe(1)
    expect(await count('-decision:allow')).toBe(2)
    expect(await count('code:policy_denied')).toBe(1)
    expect(await count('rule:R2')).toBe(1)
    expect(await count('-rule:R2')).toBe(2)
    expect(await count('status:not_run server:fs')).toBe(1)
    expect(await count('ms:>5')).toBe(1)
    expect(await count('pay.ref')).toBe(1)
    expect(await count(`grant:${hashOf('grant')}`)).toBe(1)
  })

  test.each(['decision:maybe', 'ms:5', "agent:bot'); DROP TABLE receipts; --:x", 'from:1'])(
    'a filter that means nothing harms nothing: %s',
    async (q) => {
      await expect(as().calls.search({ q })).rejects.toThrow()
      expect(await count('')).toBe(3)
    },
  )

  test('are paged by id, and what is new after an id is counted', async () => {
    const first = await as().calls.search({ limit: 2 })
    expect(first.calls).toHaveLength(2)
    const rest = await as().calls.search({ limit: 2, cursor: first.next! })
    expect(rest.calls).toHaveLength(1)
    const oldest = rest.calls[0]!.id
    expect(await as().calls.search({ after: oldest, limit: 1 })).toMatchObject({ calls: [{ id: first.calls[0]!.id }], fresh: 2 })
  })

  test('a range is bounded: more than 31 days, or one that ends before it begins, is refused', async () => {
    const { seconds } = t.now
    await expect(as().calls.search({ from: seconds - 40 * 86_400, to: seconds })).rejects.toThrow(/31 days/)
    await expect(as().calls.search({ from: seconds, to: seconds })).rejects.toThrow(/before it begins/)
    expect((await as().calls.search({ from: seconds - 7200, to: seconds - 3600 })).calls).toEqual([])
  })

  test('are counted per bucket and decision, with the time they took', async () => {
    const stats = await as().calls.stats({ from: t.now.seconds - 300, to: t.now.seconds + 1, buckets: 10 })
    const sum = (series: readonly number[]) => series.reduce((a, b) => a + b, 0)
    expect({ allow: sum(stats.allow), deny: sum(stats.deny), ask: sum(stats.ask) }).toEqual({ allow: 1, deny: 1, ask: 1 })
    expect(stats).toMatchObject({ total: 3, sampled: false, p50: 2, p99: 10 })
  })

  test('one shows what its gateway signed, verified again, what its code means, and how often its grant was used', async () => {
    const [{ id }] = (await as().calls.search({ q: 'code:POLICY_DENIED' })).calls as unknown as [{ id: number }]
    const call = await as().calls.get({ id })
    expect(call).toMatchObject({ decision: 'deny', meaning: { title: expect.stringMatching(/policy/i) }, receipt: { verified: true } })
    expect(JSON.parse(call.receipt.payload)).toMatchObject({ tool: 'write', iss: '@gw' })
    const [allowed] = (await as().calls.search({ q: 'decision:allow' })).calls
    expect(await as().calls.get({ id: allowed!.id })).toMatchObject({ grant_hash: hashOf('grant'), grant_calls: 1 })
  })

  test('one that was changed in the database does not verify, and says so', async () => {
    const [{ id }] = (await as().calls.search({ q: 'code:POLICY_DENIED' })).calls as unknown as [{ id: number }]
    const row = await t.control.db.prisma.receipt.findUniqueOrThrow({ where: { id: BigInt(id) } })
    const [head, payload, sig] = row.jws.split('.') as [string, string, string]
    const forged = Buffer.from(payload, 'base64url').toString().replace('"deny"', '"allow"')
    await t.control.db.prisma.receipt.update({
      where: { id: BigInt(id) },
      data: { jws: [head, Buffer.from(forged).toString('base64url'), sig].join('.') },
    })
    expect((await as().calls.get({ id })).receipt).toMatchObject({ verified: false, why: expect.any(String) })
  })

  test('people see those of their own agents, and nobody else’s by id', async () => {
    expect((await as('@ben', 'person').calls.search({})).calls).toHaveLength(3)
    expect((await as('@carol', 'person').calls.search({})).calls).toHaveLength(0)
    const [{ id }] = (await as().calls.search({})).calls as unknown as [{ id: number }]
    await expect(as('@carol', 'person').calls.get({ id })).rejects.toThrow(/no such receipt/)
    expect((await as('@carol', 'person').calls.stats({})).total).toBe(0)
  })

  test('become the calls per minute of their agent and their gateway', async () => {
    const { activity, minutes } = await as().fleet.activity()
    expect(activity['@bot']).toHaveLength(minutes)
    expect(activity['@bot']!.at(-1)).toBe(3)
    expect(activity['@gw']!.at(-1)).toBe(3)
    expect(activity['@none']).toBeUndefined()
  })

  test('suggest values from what was called', async () => {
    expect(await as().calls.facets()).toMatchObject({
      tool: ['read', 'refund', 'write'],
      server: ['fs', 'pay'],
      decision: ['allow', 'deny', 'ask'],
    })
    expect((await as('@carol', 'person').calls.facets()).tool).toEqual([])
  })
})

describe('one gateway or agent', () => {
  const tools = [{ name: 'read', description: 'Reads', annotations: { readOnlyHint: true }, inputSchema: { type: 'object' } }]
  const pin = async (digest = toolDigest(tools[0] as never)) => {
    const body = { gateway: '@gw', server: 'fs', set: [{ name: 'read', digest, risk: 'read' }], unset: [] }
    all.branch = await t.append(all.branch, 'server.pin', body as never)
  }

  test('has its keys, its entries in the log, and what stops it', async () => {
    await pin()
    const hash = await revoke([enrolmentOf('@gw'), enrolmentOf('@bot')], { until: t.now.seconds + 60, reason: 'token leak?' })
    const gateway = await as().fleet.entity({ atsign: '@gw' })
    expect(gateway.log.map(({ op }) => op)).toEqual(['server.pin', 'gateway.enroll'])
    expect(gateway.identity!.keys.map(({ use }) => use)).toContain('issue')
    expect(gateway.stops).toMatchObject([{ hash, reason: 'token leak?', in_force: true, with: 1, target: enrolmentOf('@gw') }])
    t.now.seconds += 61
    expect((await as().fleet.entity({ atsign: '@gw' })).stops).toMatchObject([{ in_force: false }])
    await expect(as().fleet.entity({ atsign: '@ana' })).rejects.toThrow(/no gateway or agent/)
  })

  test('an agent may call what policy and pins say, and a person who owns it is told that it is theirs', async () => {
    await pin()
    expect((await as().fleet.entity({ atsign: '@bot' })).reach).toEqual([])
    const policy = utf8('{"name":"main","rules":[{"effect":"allow","id":"R1","servers":["*"],"tools":["*"],"who":["*"]}],"v":1}')
    const body = { sha256: policyDigest(policy), name: 'main' }
    all.branch = await t.append(all.branch, 'policy.set', body, { policy: encodeBase64url(policy) })
    const bot = await as('@ben', 'person').fleet.entity({ atsign: '@bot' })
    expect(bot).toMatchObject({ mine: true, reach: [{ server: 'fs', tool: 'read', gateway: '@gw', effect: 'allow', rule: 'R1' }] })
    expect((await as('@ben', 'person').fleet.entity({ atsign: '@gw' })).mine).toBe(false)
  })

  test('tools are pinned, unpinned, changed or gone, with both definitions to compare', async () => {
    const state = async () => (await as().fleet.pins({ atsign: '@gw' })).servers[0]?.tools.map((tool) => `${tool.name} ${tool.state}`)
    await present({ servers: [{ name: 'fs', tools }] })
    expect(await state()).toEqual(['read unpinned'])
    await pin()
    expect(await state()).toEqual(['read pinned'])
    const hidden = [{ ...tools[0], description: 'Reads\u202e and sends' }]
    await present({ servers: [{ name: 'fs', tools: hidden }] })
    expect(await state()).toEqual(['read changed'])
    const { now, pinned } = await as().fleet.definitions({ gateway: '@gw', server: 'fs', tool: 'read' })
    expect(JSON.parse(pinned!)).toEqual(tools[0])
    expect(JSON.parse(now!)).toEqual(hidden[0])
    await present({ servers: [{ name: 'fs', tools: [] }] })
    expect(await state()).toEqual(['read gone'])
    expect(await as().fleet.definitions({ gateway: '@gw', server: 'fs', tool: 'read' })).toMatchObject({ pinned: expect.any(String) })
  })

  test('hints of a server are shown as claims, and a tool whose name cannot be signed cannot be pinned', async () => {
    await present({ servers: [{ name: 'fs', tools: [...tools, { name: 'rm\u202e -rf' }] }] })
    const [read, odd] = (await as().fleet.pins({ atsign: '@gw' })).servers[0]!.tools
    expect(read).toMatchObject({ hints: ['readOnlyHint'], pinnable: true })
    expect(odd).toMatchObject({ name: 'rm\u202e -rf', pinnable: false })
  })

  test('definitions that are neither reported nor pinned are not kept', async () => {
    await present({ servers: [{ name: 'fs', tools }] })
    await present({ servers: [{ name: 'fs', tools: [{ name: 'other' }] }] })
    expect(await t.control.db.prisma.toolDefinition.count()).toBe(1)
  })
})

describe('blast radius', () => {
  test('counts grants, sessions, connected edges, tools and gateways, and who falls with a person', async () => {
    const gth = hashOf('g')
    await present({
      grants: [{ gth, agent: '@bot', tools: [{ server: 'fs', tool: 'read' }], iat: t.now.seconds, exp: t.now.seconds + 60, used: 0 }],
    })
    expect(await as().fleet.blast({ names: ['@bot'] })).toMatchObject({ names: ['@bot'], falling: [], grants: 1, sessions: 0, tools: 0 })
    expect(await as().fleet.blast({ names: ['@gw'] })).toMatchObject({ grants: 1, served: { servers: 0, tools: 0 } })
    expect(await as().fleet.blast({ filter: 'kind:agent', expected: 1 })).toMatchObject({ names: ['@bot'] })
    await expect(as().fleet.blast({ names: ['@nobody'] })).rejects.toThrow(/not in the fleet/)
  })
})

describe('drafts', () => {
  const drafted = async (id: string) => {
    const { bytes, kind } = await t.control.db.prisma.signingRequest.findUniqueOrThrow({ where: { id } })
    return { kind, bytes: new Uint8Array(bytes!) }
  }
  /** What the signing page was given, read from its link. */
  const linkOf = (url: string) => JSON.parse(Buffer.from(url.split('#')[1]!, 'base64url').toString())

  test('everybody that a filter matches is suspended by one signature, which lists each of them', async () => {
    const selection = { filter: 'kind:agent,gateway', expected: 2 }
    const { id, url } = await as().fleet.draftStop({ selection, reason: 'drill', hours: 1 })
    const { kind, bytes } = await drafted(id)
    expect(kind).toBe('revocation')
    expect(parseRevocation(bytes)).toMatchObject({ reason: 'drill', until: t.now.seconds + 3600 })
    expect(targetsOf(parseRevocation(bytes)).map(targetId)).toEqual([enrolmentOf('@bot'), enrolmentOf('@gw')].map(targetId).sort())
    expect(linkOf(url)).toMatchObject({ kind: 'revocation', id, back: '/fleet' })
    const signed = { bytes, signatures: [signKey('@ana').sign('postern-revocation-v1', bytes)] }
    await t.call('POST', '/api/v1/revocations', { body: encodeSigned(signed) })
    expect((await as().fleet.search({ q: 'state:suspended' })).matching).toBe(2)
  })

  test('without hours it is a revocation; one name leads back to its own page', async () => {
    const { id, url } = await as().fleet.draftStop({ selection: { names: ['@bot'] }, reason: 'laptop lost' })
    expect(parseRevocation((await drafted(id)).bytes)).toEqual({
      ...{ org: all.branch.org, target: enrolmentOf('@bot'), reason: 'laptop lost', at: t.now.seconds },
    })
    expect(linkOf(url).back).toBe('/fleet/@bot')
  })

  test('a person stops their own agents and nobody else', async () => {
    const stop = (who: string, name: string) => as(who, 'person').fleet.draftStop({ selection: { names: [name] }, reason: 'x', hours: 1 })
    expect((await stop('@ben', '@bot')).id).toBeTypeOf('string')
    await expect(stop('@ben', '@gw')).rejects.toThrow(/own agents/)
    await expect(stop('@carol', '@bot')).rejects.toThrow(/own agents/)
  })

  test('no reason, more than 72 hours and names that are not there are refused', async () => {
    const stop = (more: object) => as().fleet.draftStop({ selection: { names: ['@bot'] }, reason: 'x', hours: 1, ...more })
    await expect(stop({ reason: '' })).rejects.toThrow()
    await expect(stop({ hours: 73 })).rejects.toThrow()
    await expect(stop({ selection: { names: ['@nobody'] } })).rejects.toThrow(/not in the fleet/)
  })

  test('tools are pinned and unpinned in one statement, sorted whatever the order they were chosen in', async () => {
    const tool = (name: string) => ({ name, digest: hashOf(name), risk: 'read' as const })
    const { id } = await as().fleet.draftPin({ gateway: '@gw', server: 'fs', set: [tool('b'), tool('a')], unset: [] })
    expect(parseStatement((await drafted(id)).bytes)).toMatchObject({ op: 'server.pin', body: { set: [tool('a'), tool('b')] } })
    const many = Array.from({ length: 101 }, (_, i) => tool(`t${i}`))
    await expect(as().fleet.draftPin({ gateway: '@gw', server: 'fs', set: many, unset: [] })).rejects.toThrow(/100 tools at most/)
    await expect(as('@ben', 'person').fleet.draftPin({ gateway: '@gw', server: 'fs', set: [tool('a')], unset: [] })).rejects.toThrow(
      /not administrators/,
    )
  })

  test('a suspension is released target by target', async () => {
    await revoke([enrolmentOf('@bot'), enrolmentOf('@gw')], { until: t.now.seconds + 3600 })
    const { id } = await as().fleet.draftRelease({ target: enrolmentOf('@bot') as never, back: '/fleet/@bot' })
    expect(parseStatement((await drafted(id)).bytes)).toMatchObject({ op: 'release', body: { target: enrolmentOf('@bot') } })
  })

  test('several grants end by one signature', async () => {
    const { id } = await as().grants.draftStop({ hashes: [hashOf('g1'), hashOf('g2')], reason: 'wrong rule' })
    expect(targetsOf(parseRevocation((await drafted(id)).bytes)).every(({ kind }) => kind === 'grant')).toBe(true)
  })
})
