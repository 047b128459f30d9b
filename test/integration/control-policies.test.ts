// Policy drafts, versions and roll-out, on both databases.
import type { Principal } from '@postern/control'
import { createCaller } from '@postern/control'
import { encodeBase64url, keyIdOf, parseStatement, policyDigest, portable, revocationsDigest, signAck, utf8 } from '@postern/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Everybody, TestControl } from '../fixtures/control.ts'
import { enrolEverybody, machineKey, openTestControl } from '../fixtures/control.ts'
import { databases } from './database/databases.ts'

const policyOf = (more: object = {}) => JSON.stringify({ v: 1, name: 'main', rules: [], ...more })
const nothing = { name: 'nobody reads', who: '@bot', server: 'fs', tool: 'read', risk: 'read', expect: 'deny' }

describe.each(databases)('policies on $name', (kind) => {
  let t: TestControl
  let all: Everybody
  beforeAll(async () => {
    t = await openTestControl(kind)
    all = await enrolEverybody(t)
  })
  afterAll(() => t[Symbol.asyncDispose]())

  const as = (atsign: string, role = 'admin') =>
    createCaller({ control: t.control, principal: { role, org: all.branch.org, atsign, kid: 'x' } as Principal, requestId: 'test' })
      .policies
  const ana = () => as('@ana')
  const bea = () => as('@bea')
  const set = async (text: string) => {
    const bytes = utf8(text)
    const body = { sha256: policyDigest(bytes), name: 'main' }
    all.branch = await t.append(all.branch, 'policy.set', body, { as: all.admin, policy: encodeBase64url(bytes) })
    return all.branch.state.seq
  }
  const refusal = async (work: Promise<unknown>) => {
    try {
      await work
    } catch (error) {
      return (error as { cause: { refusal: { code: string; details: Record<string, unknown> } } }).cause.refusal
    }
    throw new Error('it was not refused')
  }

  test('there is none at first, and nothing to roll out', async () => {
    expect(await ana().draft({ name: 'main' })).toBeNull()
    expect(await ana().versions()).toEqual([])
    expect(await ana().rollout({})).toBeNull()
  })

  test('a draft begins from a template, with the administrators as approvers', async () => {
    const draft = await ana().openDraft({ name: 'main', from: { kind: 'template', template: 'read-only' } })
    expect(draft).toMatchObject({ revision: 1, updated_by: '@ana', editors: ['@ana'] })
    expect(JSON.parse(draft.text).groups.approvers).toContain('@ana')
  })
  test('an existing draft is not written over, unless the one who asks has seen it', async () => {
    const from = { kind: 'template', template: 'deny-all' } as const
    expect(await refusal(bea().openDraft({ name: 'main', from }))).toMatchObject({
      code: 'CONFLICT',
      details: { theirs: { by: '@ana', revision: 1 } },
    })
    expect(await bea().openDraft({ name: 'main', from, replace: 1 })).toMatchObject({ revision: 2, updated_by: '@bea', created_by: '@ana' })
  })

  test('whatever was typed is kept, and who saved last is told apart from who is late', async () => {
    expect(await ana().saveDraft({ name: 'main', revision: 2, text: '{ half a' })).toMatchObject({ revision: 3, text: '{ half a' })
    const late = await refusal(bea().saveDraft({ name: 'main', revision: 2, text: 'of bea' }))
    expect(late).toMatchObject({ code: 'CONFLICT', details: { theirs: { revision: 3, text: '{ half a', by: '@ana' } } })
    expect(await ana().draft({ name: 'main' })).toMatchObject({ revision: 3, text: '{ half a' })
  })
  test('of two who save the same revision at the same time one wins', async () => {
    const saves = [ana(), bea()].map((who, i) => who.saveDraft({ name: 'main', revision: 3, text: `text ${i}` }))
    const settled = await Promise.allSettled(saves)
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })
  test('saving the same text again is no conflict', async () => {
    const { text } = (await ana().draft({ name: 'main' }))!
    expect(await bea().saveDraft({ name: 'main', revision: 1, text })).toMatchObject({ revision: 4 })
  })
  test('a text that is too long or not Unicode is refused', async () => {
    expect(await refusal(ana().saveDraft({ name: 'main', revision: 4, text: 'ö'.repeat(140_000) }))).toMatchObject({ code: 'TOO_LARGE' })
    expect(await refusal(ana().saveDraft({ name: 'main', revision: 4, text: '\ud800' }))).toMatchObject({ code: 'MALFORMED' })
  })

  test('whoever has it open is seen by the others, and told to them once', async () => {
    const name = 'seen'
    const events: unknown[] = []
    const stop = t.control.bus.subscribe(({ kind, data }) => kind === 'draft' && data.name === name && events.push(data.editors))
    const { revision } = await ana().openDraft({ name, from: { kind: 'template', template: 'deny-all' } })
    t.now.seconds += 60
    expect(await ana().touchDraft({ name })).toEqual({ editors: ['@ana'] })
    expect(await bea().touchDraft({ name })).toEqual({ editors: ['@ana', '@bea'] })
    expect(await bea().touchDraft({ name })).toEqual({ editors: ['@ana', '@bea'] })
    t.now.seconds += 60
    expect((await ana().draft({ name }))!.editors).toEqual([])
    await ana().discardDraft({ name, revision })
    await expect.poll(() => events).toEqual([['@ana'], ['@ana'], ['@ana', '@bea'], undefined])
    stop()
  })

  test('what is not a policy, or fails its own tests, cannot be signed', async () => {
    expect(await refusal(ana().signDraft({ name: 'main', revision: 4 }))).toMatchObject({ code: 'MALFORMED' })
    const failing = policyOf({ tests: [{ ...nothing, expect: 'allow' }] })
    await ana().saveDraft({ name: 'main', revision: 4, text: failing })
    expect(await refusal(ana().signDraft({ name: 'main', revision: 5 }))).toMatchObject({ code: 'CHECKS_FAILED' })
    expect(await refusal(ana().signDraft({ name: 'main', revision: 4 }))).toMatchObject({ code: 'CONFLICT' })
  })
  test('signing drafts policy.set of exactly these bytes, keeps them, and names rules without a test', async () => {
    const rules = [{ id: 'reads', who: ['*'], servers: ['*'], tools: ['risk:read'], effect: 'allow' }]
    const text = policyOf({ rules, tests: [{ ...nothing, risk: 'write' }] })
    await ana().saveDraft({ name: 'main', revision: 5, text })
    const { id, url, sha256, untested } = await ana().signDraft({ name: 'main', revision: 6 })
    expect(sha256).toBe(policyDigest(utf8(text)))
    expect(untested).toEqual(['reads'])
    expect(url).toMatch(/^https:\/\/sign\.example\/#/)
    const row = await t.control.db.prisma.signingRequest.findUniqueOrThrow({ where: { id } })
    expect(parseStatement(new Uint8Array(row.bytes!))).toMatchObject({ op: 'policy.set', body: { sha256, name: 'main' } })
    expect(await ana().document({ sha256 })).toEqual({ sha256, text })
  })
  test('a draft whose bytes come into force is gone; another one stays', async () => {
    const { text } = (await ana().draft({ name: 'main' }))!
    await ana().openDraft({ name: 'other', from: { kind: 'template', template: 'deny-all' } })
    await set(text)
    expect(await ana().draft({ name: 'main' })).toBeNull()
    expect((await ana().drafts()).map(({ name }) => name)).toEqual(['other'])
  })

  test('versions are those that the log names, with their signers and the size of their bytes', async () => {
    await set(policyOf())
    const [second, first] = await ana().versions()
    expect(second).toMatchObject({ version: 2, seq: all.branch.state.seq, signers: ['@ana'], bytes: policyOf().length, name: 'main' })
    expect(first).toMatchObject({ version: 1 })
    expect(await ana().version({ seq: first!.seq })).toEqual(first)
    expect(await refusal(ana().version({ seq: 1 }))).toMatchObject({ code: 'NOT_FOUND' })
  })
  test('an older version is restored as a draft of its exact text, based on what is in force now', async () => {
    const [second, first] = await ana().versions()
    const draft = await ana().openDraft({ name: 'main', from: { kind: 'version', seq: first!.seq } })
    expect(policyDigest(utf8(draft.text))).toBe(first!.sha256)
    expect(draft.base).toBe(second!.sha256)
    expect(await ana().discardDraft({ name: 'main', revision: draft.revision })).toEqual({ ok: true })
  })
  test('a version whose bytes nobody has is listed, and cannot be restored', async () => {
    const [second] = await ana().versions()
    await t.control.db.prisma.policyDocument.delete({ where: { org_sha256: { org: all.branch.org, sha256: second!.sha256 } } })
    expect((await ana().versions())[0]).not.toHaveProperty('bytes')
    expect(await refusal(ana().openDraft({ name: 'main', from: { kind: 'version', seq: second!.seq } }))).toMatchObject({
      code: 'NOT_FOUND',
    })
    await set(policyOf({ tests: [nothing] }))
  })

  test('a roll-out counts the signed acks of gateways that reach as far', async () => {
    const before = (await ana().rollout({}))!
    expect(before.effect).toMatchObject({ of: 1, on: 0, effective: false })
    const { seq, head } = all.branch.state
    const { publicKey, seed } = machineKey('@gw', 'receipt')
    const claims = { v: 1 as const, org: all.branch.org, iss: '@gw' as never, kid: keyIdOf(publicKey) }
    const revocations = revocationsDigest([], portable)
    const ack = (reached: number) =>
      signAck({ ...claims, seq: reached, head, revocations, at: t.now.seconds, epoch: encodeBase64url(new Uint8Array(16)) }, seed, portable)
    const post = (reached: number) => t.call('POST', '/api/v1/acks', { by: all.gateway, body: { acks: [ack(reached)] } })
    expect((await post(seq - 1)).json).toMatchObject({ stored: 1 })
    expect((await ana().rollout({}))!.effect).toMatchObject({ on: 0 })
    expect((await post(seq)).json).toMatchObject({ stored: 1 })
    const after = (await ana().rollout({ sha256: before.version.sha256 }))!
    expect(after).toMatchObject({
      version: { version: 3 },
      effect: { of: 1, on: 1, effective: true, gateways: [{ gateway: '@gw', applied: true }] },
    })
    expect(after.effect.ms).toBeGreaterThanOrEqual(0)
    expect(await refusal(ana().rollout({ sha256: encodeBase64url(new Uint8Array(32)) }))).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('a denied call becomes a rule and a test for its agent and tool, in a draft that may exist already', async () => {
    const at = new Date(t.now.seconds * 1000)
    const receipt = await t.control.db.prisma.receipt.create({
      data: {
        ...{ org: all.branch.org, gateway: '@gw', epoch: 'e', rseq: 1n, agent: '@bot', server: 'fs', tool: 'write_file' },
        ...{ decision: 'deny', code: 'POLICY_DENIED', status: 'refused', startedAt: at, endedAt: at, hash: 'h', jws: 'j', receivedAt: at },
      },
    })
    const from = { kind: 'receipt', id: Number(receipt.id) } as const
    const once = await ana().openDraft({ name: 'main', from })
    expect(JSON.parse(once.text)).toMatchObject({
      rules: [{ who: ['@bot'], tools: ['write_file'] }],
      tests: [nothing, { who: '@bot', tool: 'write_file' }],
    })
    const twice = await bea().openDraft({ name: 'main', from })
    expect(twice.revision).toBe(2)
    expect(JSON.parse(twice.text).rules).toHaveLength(2)
    await ana().saveDraft({ name: 'main', revision: 2, text: '{' })
    expect(await refusal(ana().openDraft({ name: 'main', from }))).toMatchObject({ code: 'CONFLICT' })
    expect(await refusal(ana().openDraft({ name: 'main', from: { ...from, id: 999_999 } }))).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('people who are not administrators read drafts and change nothing', async () => {
    const ben = as('@ben', 'person')
    expect(await ben.draft({ name: 'main' })).toMatchObject({ revision: 3 })
    expect(await refusal(ben.saveDraft({ name: 'main', revision: 3, text: 'x' }))).toMatchObject({ code: 'NOT_PERMITTED' })
    expect((await ben.facts()).agents).toEqual([{ atsign: '@bot', tags: ['dev'], owner: '@ben' }])
  })
  test('discarding wants the revision that was seen', async () => {
    expect(await refusal(bea().discardDraft({ name: 'main', revision: 1 }))).toMatchObject({ code: 'CONFLICT' })
    await bea().discardDraft({ name: 'main', revision: 3 })
    expect(await refusal(ana().saveDraft({ name: 'main', revision: 3, text: 'x' }))).toMatchObject({ code: 'NOT_FOUND' })
    expect(await refusal(ana().touchDraft({ name: 'main' }))).toMatchObject({ code: 'NOT_FOUND' })
  })
})
