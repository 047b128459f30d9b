import type { Approval, JsonObject } from '@postern/core'
import { encodeApproval, encodeBase64url, encodeSigned } from '@postern/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Everybody, TestControl } from '../fixtures/control.ts'
import { enrolEverybody, machineKey, openTestControl } from '../fixtures/control.ts'
import type { TestKey } from '../fixtures/people.ts'
import { bytesOf, requestOf, seedOf, signKey } from '../fixtures/people.ts'
import { openStream } from '../fixtures/stream.ts'
import { databases } from './database/databases.ts'

const digest = (name: string) => encodeBase64url(seedOf(name))
const short = (name: string) => encodeBase64url(bytesOf(name, 16))
let made = 0

describe.each(databases)('held calls on $name', (kind) => {
  let t: TestControl
  let all: Everybody
  beforeAll(async () => {
    t = await openTestControl(kind)
    all = await enrolEverybody(t)
    const cy = { ...requestOf(all.branch.org, 'person', '@cy'), exp: t.now.seconds + 86_400, tags: [] }
    all.branch = await t.append(all.branch, 'person.enroll', cy as never)
  })
  afterAll(() => t[Symbol.asyncDispose]())

  const newHold = (change: object = {}) => ({
    ...{
      id: short(`hold ${++made}`),
      epoch: short('epoch'),
      agent: '@bot',
      server: 'bank',
      tool: 'refund',
      risk: 'financial',
      rule: 'refunds',
    },
    ...{ gth: digest('grant'), cth: digest(`call ${made}`), schema: digest('schema'), a: digest('a'), deadline: t.now.seconds + 300 },
    ...{ approvers: ['@ana', '@cy'], content: encodeBase64url(bytesOf('sealed', 20)), sealed: [{ kid: digest('kid'), bytes: 'AAAA' }] },
    ...change,
  })
  const hold = async (change: object = {}) => {
    const body = newHold(change)
    const answer = await t.call('POST', '/api/v1/approvals', { by: all.gateway, body })
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.json))
    return body
  }
  type Held = ReturnType<typeof newHold>
  const approvalOf = ({ epoch, agent, gth, cth, server, tool, schema, a, deadline }: Held, change: object = {}): Approval =>
    ({
      ...{ org: all.branch.org, gateway: '@gw', epoch, agent, gth, cth, server, tool, schema, a, exp: deadline },
      ...{ decision: 'approve', at: t.now.seconds },
      ...change,
    }) as unknown as Approval
  const signed = (approval: Approval, by: TestKey = signKey('@cy')) => {
    const bytes = encodeApproval(approval)
    return encodeSigned({ bytes, signatures: [by.sign('postern-approval-v1', bytes)] })
  }
  const decide = (held: Held, change: object = {}, by?: TestKey) =>
    t.call('POST', `/api/v1/approvals/${held.id}/decisions`, { body: { decision: signed(approvalOf(held, change), by) } })
  const get = async (held: Held) => (await t.call('GET', `/api/v1/approvals/${held.id}`)).json as JsonObject
  const stage = (held: Held, status: string, more: object = {}) =>
    t.call('POST', '/api/v1/approvals/stages', { by: all.gateway, body: { stages: [{ id: held.id, status, ...more }] } })

  test('whoever knows the id gets what is sealed; a list has metadata only', async () => {
    const held = await hold()
    expect(await get(held)).toMatchObject({ status: 'waiting', content: held.content, sealed: held.sealed, owner: '@ben', gateway: '@gw' })
    const { approvals } = (await t.call('GET', '/api/v1/approvals', { by: all.admin })).json
    expect(approvals[0]).toMatchObject({ id: held.id, tool: 'refund', risk: 'financial', approvers: ['@ana', '@cy'] })
    expect(JSON.stringify(approvals)).not.toContain(held.content)
    expect(await t.call('GET', `/api/v1/approvals/${short('no such')}`)).toMatchObject({ status: 404 })
  })

  test('a person sees what they may decide and what their own agents wait for, and nothing else', async () => {
    const [mine, other] = [await hold(), await hold({ agent: '@other', approvers: ['@ana'] })]
    const seen = async (by: Everybody['admin']) => (await t.call('GET', '/api/v1/approvals', { by })).json.approvals.map((a: Held) => a.id)
    expect(await seen(all.person)).toContain(mine.id) // @ben owns @bot
    expect(await seen(all.person)).not.toContain(other.id)
    expect(await seen(await t.login('@cy'))).not.toContain(other.id)
    expect(await seen(all.admin)).toEqual(expect.arrayContaining([mine.id, other.id]))
  })

  test('a decision goes to the gateway as it was signed, and each stage is told', async () => {
    const held = await hold()
    const gateway = await openStream(t, all.gateway)
    const approver = await openStream(t, await t.login('@cy'))
    expect(await decide(held)).toMatchObject({ status: 200, json: { status: 'decided', by: '@cy' } })
    expect((await gateway.next('decision'))?.data).toEqual({ id: held.id, decision: signed(approvalOf(held)) })
    await stage(held, 'approved', { by: '@cy' })
    await stage(held, 'executed', { outcome: 'ok', ms: 1_100 })
    for (const status of ['decided', 'approved', 'executed'])
      expect((await approver.next('approval'))?.data).toMatchObject({ id: held.id, status })
    expect(await get(held)).toMatchObject({ status: 'executed', by: '@cy', outcome: 'ok', ms: 1_100 })
    expect(await get(held)).not.toHaveProperty('content') // nobody needs it any more
    for (const stream of [gateway, approver]) stream.abort()
  })

  test('of two who decide, the first counts, and the other learns who it was', async () => {
    const held = await hold()
    const answers = await Promise.all([decide(held), decide(held, { decision: 'refuse', reason: 'wrong customer' }, signKey('@ana'))])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    const late = answers.find(({ status }) => status === 409)!
    expect(late.json.error).toMatchObject({ code: 'ALREADY_DECIDED', by: (await get(held)).by })
  })

  test.each([
    ['another call', { cth: digest('other') }, undefined, 'WRONG_CALL'],
    ['other arguments', { a: digest('other') }, undefined, 'WRONG_CALL'],
    ['another run of the gateway', { epoch: short('other') }, undefined, 'WRONG_CALL'],
    ['somebody who may not decide', {}, signKey('@ben'), 'NOT_ENTITLED'],
    ['the agent', {}, machineKey('@bot', 'call'), 'BAD_SIGNATURE'],
    ['a stranger', {}, signKey('@eve'), 'BAD_SIGNATURE'],
  ] as const)('a decision about or by %s is refused at once, and the request stays open', async (_, change, by, code) => {
    const held = await hold()
    expect(await decide(held, change, by)).toMatchObject({ status: 400, json: { error: { code } } })
    expect(await get(held)).toMatchObject({ status: 'waiting' })
    expect(await decide(held)).toMatchObject({ status: 200 })
  })

  test('after the deadline nothing is taken, and it shows as timed out even if the gateway says nothing', async () => {
    const held = await hold({ deadline: t.now.seconds + 5 })
    t.now.seconds += 5
    expect(await decide(held, { at: t.now.seconds - 1 })).toMatchObject({ status: 400, json: { error: { code: 'EXPIRED' } } })
    t.now.seconds += 31
    expect(await get(held)).toMatchObject({ status: 'timed_out' })
    expect((await t.call('GET', '/api/v1/approvals', { by: all.admin })).json.approvals.map((a: Held) => a.id)).not.toContain(held.id)
  })

  test('a decision the gateway did not take opens the request again, and says why', async () => {
    const held = await hold()
    await decide(held)
    await stage(held, 'waiting', { code: 'NOT_ENTITLED' })
    expect(await get(held)).toMatchObject({ status: 'waiting', code: 'NOT_ENTITLED' })
    expect(await decide(held)).toMatchObject({ status: 200 })
  })

  test('what is over stays over', async () => {
    const held = await hold()
    await stage(held, 'timed_out')
    expect((await stage(held, 'executed', { outcome: 'ok' })).json).toEqual({ taken: 0 })
    expect((await stage(held, 'waiting')).json).toEqual({ taken: 0 })
    expect(await decide(held)).toMatchObject({ status: 410, json: { error: { code: 'GONE' } } })
  })

  test('a gateway that has restarted ends what it held, and hears of what was decided meanwhile', async () => {
    const [lost, kept] = [await hold(), await hold({ epoch: short('next epoch') })]
    await decide(kept)
    const body = { epoch: short('next epoch'), ids: [kept.id] }
    const { decisions } = (await t.call('POST', '/api/v1/approvals/held', { by: all.gateway, body })).json
    expect(decisions).toEqual([{ id: kept.id, decision: signed(approvalOf(kept)) }])
    expect(await get(lost)).toMatchObject({ status: 'ended', code: 'APPROVAL_ENDED' })
    expect(await decide(lost)).toMatchObject({ status: 410, json: { error: { code: 'GONE' } } })
  })

  test('one that was approved when the gateway went is not said not to have run; one that runs now is left alone', async () => {
    const [before, now] = [await hold({ epoch: short('old') }), await hold({ epoch: short('new') })]
    for (const held of [before, now]) {
      await decide(held)
      await stage(held, 'approved', { by: '@cy' })
    }
    await t.call('POST', '/api/v1/approvals/held', { by: all.gateway, body: { epoch: short('new'), ids: [] } })
    expect(await get(before)).toMatchObject({ status: 'executed', outcome: 'unknown', code: 'OUTCOME_UNKNOWN' })
    expect(await get(now)).toMatchObject({ status: 'approved' })
  })

  test('the log is readable with the id of a held call, while it waits', async () => {
    const held = await hold()
    expect(await t.call('GET', `/api/v1/log?approval=${held.id}`)).toMatchObject({ status: 200, json: { org: all.branch.org } })
    t.now.seconds += 301
    expect(await t.call('GET', `/api/v1/log?approval=${held.id}`)).toMatchObject({ status: 401, json: { error: { code: 'BAD_CODE' } } })
    expect(await t.call('GET', `/api/v1/log?approval=${short('other')}`)).toMatchObject({ status: 401 })
  })

  test('what a gateway may keep here is bounded', async () => {
    const mebibyte = encodeBase64url(new Uint8Array(1 << 20))
    let refused: unknown
    for (let n = 0; n < 80 && !refused; n++) {
      const answer = await t.call('POST', '/api/v1/approvals', { by: all.gateway, body: newHold({ content: mebibyte }) })
      if (answer.status !== 200) refused = answer.json.error.code
    }
    expect(refused).toBe('TOO_MANY')
    await t.call('POST', '/api/v1/approvals/held', { by: all.gateway, body: { epoch: short('after'), ids: [] } })
    expect((await t.call('POST', '/api/v1/approvals', { by: all.gateway, body: newHold() })).status).toBe(200)
  })

  test('a deadline that no hold has is refused, and an id that is known', async () => {
    const post = (body: object) => t.call('POST', '/api/v1/approvals', { by: all.gateway, body })
    expect(await post(newHold({ deadline: t.now.seconds + 1_000 }))).toMatchObject({ status: 400, json: { error: { code: 'BAD_TIME' } } })
    const held = await hold()
    expect(await post(newHold({ id: held.id }))).toMatchObject({ status: 401, json: { error: { code: 'REPLAYED' } } })
  })
})
