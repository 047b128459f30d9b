import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ask, ControlClient, Grant, GrantAnswer, SealAddress } from '@postern/core'
import {
  decodeBase64url,
  edgeKeysOf,
  emptyRevocations,
  encodeBase64url,
  keyIdOf,
  openAsk,
  parseAtSign,
  policyDigest,
  portable,
  sealAnswer,
  signGrant,
  tokenHash,
  utf8,
  verifyAsk,
} from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { Secret } from '@postern/daemon'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { found, grow } from '../../../../test/fixtures/organisation.ts'
import { bytesOf, keysOf, machineKey, requestOf, seedOf, T0 } from '../../../../test/fixtures/people.ts'
import { conditionsOf } from './conditions.ts'
import { listGrantFiles, readGrantFile, writeGrant } from './grant-files.ts'
import type { LocalAgent } from './local-agent.ts'
import { requestGrant } from './request-grant.ts'

const now = T0 + 3600
const lease = { exp: T0 + 1_000_000, tags: [] }
const founded = found()
const { org } = founded
const withGateway = grow(founded, 'gateway.enroll', { ...requestOf(org, 'gateway', '@gw'), ...lease })
const other = grow(withGateway, 'gateway.enroll', { ...requestOf(org, 'gateway', '@gw-other'), ...lease })
const pin = (server: string, gateway: string) => ({
  gateway: parseAtSign(gateway),
  server,
  set: [{ name: 'read', digest: policyDigest(utf8('d')), risk: 'read' as const }],
  unset: [],
})
const secrets = new Map([
  ['call', machineKey('@bot', 'call').seed],
  ['auth', machineKey('@bot', 'auth').seed],
  ['channel', seedOf('@bot channel 1')],
])
const agentKeys = edgeKeysOf('agent', secrets, (bytes) => new Secret(bytes))
const enrolled = grow(other, 'agent.enroll', { ...requestOf(org, 'agent', '@bot'), ...lease })
const { state } = grow(grow(enrolled, 'server.pin', pin('fs', '@gw')), 'server.pin', pin('mail', '@gw-other'))
const known = { state, revocations: emptyRevocations() }

/** The gateway's side: opens the ask, verifies it, and answers what the test wants. */
function gatewayThat(answer: (ask: Ask) => GrantAnswer, change: (sealed: Uint8Array) => Uint8Array = (sealed) => sealed): LocalAgent {
  const seal = keysOf('gateway', '@gw').others.find(({ use }) => use === 'seal')!
  const at: SealAddress = { org, gateway: parseAtSign('@gw'), key: seal }
  const call = async (_path: string, { json }: { json: { gateway: string; ask: string } }) => {
    const { ask, exporter } = openAsk(decodeBase64url(json.ask), seedOf('@gw seal 1'), at, portable)
    const resolve = () => agentKeys.call.public
    const read = verifyAsk(ask, resolve, { org, now, suite: portable, audience: at.gateway })
    return { answer: encodeBase64url(change(sealAnswer(answer(read), exporter, at, (n) => seedOf('n').subarray(0, n), portable))) }
  }
  const client = { call } as unknown as ControlClient
  return { org, control: 'http://control', atsign: parseAtSign('@bot'), keys: agentKeys, dir: undefined as unknown as StateDir, client }
}

const grantFor = (ask: Ask, change: Partial<Grant> = {}): Grant => ({
  ...{ v: 1, org, iss: parseAtSign('@gw'), kid: keyIdOf(machineKey('@gw', 'issue').publicKey), aud: parseAtSign('@gw') },
  ...{ epoch: encodeBase64url(bytesOf('epoch', 16)), sub: ask.sub, log: { seq: state.seq, head: state.head }, pol: state.head },
  ...{ cnf: { jkt: ask.kid }, jti: encodeBase64url(bytesOf('jti', 16)), nbf: now, exp: now + 60 },
  authorization_details: ask.details.map((detail) => ({ ...detail, schema: policyDigest(utf8('d')) })),
  ...change,
})
const granting = (change: Partial<Grant> = {}, key = machineKey('@gw', 'issue')) =>
  gatewayThat((ask) => ({ grant: signGrant(grantFor(ask, change), key.seed, portable) }))

const wish = { tools: [{ server: 'fs', tool: 'read' }], args: conditionsOf(['path.prefix=/notes']) }

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: now * 1000 }))
afterEach(() => void vi.useRealTimers())

describe('a grant', () => {
  test('is asked for sealed, with its conditions, and verified', async () => {
    const { token, grant } = await requestGrant(granting(), known, { ...wish, intent: 'reading' })
    expect(grant.authorization_details).toEqual([
      { type: 'mcp_tool', server: 'fs', tool: 'read', args: [{ arg: 'path', is: { prefix: '/notes' } }], schema: policyDigest(utf8('d')) },
    ])
    expect(token.split('.')).toHaveLength(3)
  })

  test.each([
    ['for another agent', granting({ sub: parseAtSign('@else') })],
    ['for another key', granting({ cnf: { jkt: state.head as never } })],
    ['of another organisation', granting({ org: state.head })],
    ['signed by another key of the gateway', granting({}, machineKey('@gw', 'receipt'))],
    [
      'of another gateway',
      granting(
        { iss: '@gw-other' as never, aud: '@gw-other' as never, kid: keyIdOf(machineKey('@gw-other', 'issue').publicKey) },
        machineKey('@gw-other', 'issue'),
      ),
    ],
    ['that is over', granting({ nbf: now - 900, exp: now - 600 })],
    [
      'in an answer that was changed on the way',
      gatewayThat(
        (ask) => ({ grant: signGrant(grantFor(ask), machineKey('@gw', 'issue').seed, portable) }),
        (sealed) => sealed.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
      ),
    ],
  ])('%s is refused with exit code 8', async (_, agent) => {
    await expect(requestGrant(agent, known, wish)).rejects.toMatchObject({ code: 'VERIFICATION_FAILED', exit: 'verification' })
  })

  test('that the gateway refuses ends with its code, and with what to do', async () => {
    const agent = gatewayThat(() => ({ refused: { code: 'POLICY_DENIED', message: 'no rule allows fs.read' } }))
    await expect(requestGrant(agent, known, wish)).rejects.toMatchObject({
      code: 'POLICY_DENIED',
      exit: 'notPermitted',
      why: 'no rule allows fs.read',
      fix: expect.any(String),
    })
  })

  test('is not asked for when no gateway, or more than one, stands in front of the tools', async () => {
    const agent = granting()
    await expect(requestGrant(agent, known, { ...wish, tools: [{ server: 'gone', tool: 'x' }] })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    const tools = [...wish.tools, { server: 'mail', tool: 'read' }]
    await expect(requestGrant(agent, known, { ...wish, tools })).rejects.toMatchObject({ code: 'USAGE' })
  })

  test('with conditions that make no sense is wrong usage, and nothing is sent', async () => {
    await expect(requestGrant(granting(), known, { ...wish, args: conditionsOf(['amount.max="x"']) })).rejects.toMatchObject({
      exit: 'usage',
    })
  })
})

describe('conditions as people type them', () => {
  test.each([
    [['path.prefix=/notes'], [{ arg: 'path', is: { prefix: '/notes' } }]],
    [['amount.min=1', 'amount.max=50'], [{ arg: 'amount', is: { min: 1, max: 50 } }]],
    [['/to/0.in=["a","b"]'], [{ arg: '/to/0', is: { in: ['a', 'b'] } }]],
    [['text.maxLength=5'], [{ arg: 'text', is: { max_length: 5 } }]],
    [['a.b.eq=x=y'], [{ arg: 'a.b', is: { eq: 'x=y' } }]],
  ])('%j', (given, conditions) => {
    expect(conditionsOf(given)).toEqual(conditions)
  })

  test.each(['path=/notes', 'path.near=/notes', '.eq=1', 'constructor', 'path.constructor=1'])('%s is wrong usage', (text) => {
    expect(() => conditionsOf([text])).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})

describe('grant files', () => {
  let root: string
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'postern-grants-'))
  })
  afterEach(() => rm(root, { recursive: true }))

  test('are kept 0600 beside the agent’s keys, and found again', async () => {
    const { token } = await requestGrant(granting(), known, wish)
    const folder = join(root, 'postern', 'agent', '@bot', 'grants')
    const path = await writeGrant(
      async () => (await import('node:fs/promises')).mkdir(folder, { recursive: true }).then(() => folder),
      token,
    )
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await readFile(path, 'utf8')).trim()).toBe(token)
    expect(await listGrantFiles({ XDG_STATE_HOME: root })).toMatchObject([{ hash: tokenHash(token), path, grant: { sub: '@bot' } }])
  })

  test('what is no grant is none', async () => {
    expect(await readGrantFile(join(root, 'nothing'))).toBeUndefined()
    const path = await writeGrant(async () => root, 'not a token')
    expect(await readGrantFile(path)).toBeUndefined()
  })
})
