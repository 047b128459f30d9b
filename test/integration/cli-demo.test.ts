// `postern up --seed-demo`: an organisation to look at, which is signed like a real one.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCliJson } from '../fixtures/cli.ts'
import type { Child, Home } from '../fixtures/processes.ts'
import { freePorts, openHome, scripts, startNode, until } from '../fixtures/processes.ts'

const AGENTS = 24
let home: Home
let up: Child
let ports: number[]
/** What the banner says to set, for commands as the demo's administrator. */
let demo: Pick<Home, 'env'>

async function start() {
  const [port, signerPort, relayPort] = ports.map(String) as [string, string, string]
  const where = ['--port', port, '--signer-port', signerPort, '--relay-port', relayPort, '--data', join(home.path, 'data')]
  up = startNode('postern up', scripts.cli, ['up', '--seed-demo', '--demo-agents', String(AGENTS), ...where], { env: home.env })
  await up.said(/ready in [\d.]+ s/, 110_000)
  const [, state, config] = /XDG_STATE_HOME=(\S+) XDG_CONFIG_HOME=(\S+)/.exec(up.output())!
  demo = { env: { ...home.env, XDG_STATE_HOME: state!, XDG_CONFIG_HOME: config! } }
  await runCliJson(demo, ['login'])
}
beforeAll(async () => {
  home = await openHome('demo')
  ports = await freePorts(3)
  await start()
})
afterAll(async () => {
  await up.stop()
  await home[Symbol.asyncDispose]()
})

type Member = { atsign: string; state: string; presence?: { online: boolean } }
const api = async <T>(path: string): Promise<T> => {
  const { createControlClient } = await import('@postern/core')
  const { surroundings } = await import('../fixtures/running-organisation.ts')
  const { readSession } = await import('../../packages/cli/src/profile/session.ts')
  const { openStateDir } = await import('@postern/daemon')
  const dir = await openStateDir('person', '@demo', join(demo.env.XDG_STATE_HOME!, 'postern'))
  return createControlClient(`http://localhost:${ports[0]}`, (await readSession(dir))!, surroundings).call<T>(path)
}
const fleet = async () => (await api<{ members: Member[] }>('/api/v1/fleet?limit=500')).members

describe('a demo', () => {
  test('says what it is and how to sign in, and names no genesis link', () => {
    expect(up.output()).toContain('This is a DEMO')
    expect(up.output()).toContain('XDG_STATE_HOME=')
    expect(up.output()).not.toContain('Nobody owns it yet')
  })
  test('has gateways, people and agents in every state, by a log that replays', async () => {
    const members = await fleet()
    const count = (pattern: RegExp) => members.filter(({ atsign }) => pattern.test(atsign)).length
    expect(count(/^@gw-/)).toBe(5)
    expect(count(/^@(dev|support|finance|ops|lab)-\d+$/)).toBe(AGENTS)
    expect(new Set(members.map(({ state }) => state))).toEqual(new Set(['live', 'expired', 'revoked', 'suspended']))
    expect(members.some(({ presence }) => presence?.online)).toBe(true)
    const verified = await runCliJson<object>(demo, ['org', 'show'])
    expect(verified).toBeTruthy()
  })
  test('has receipts that keep coming', async () => {
    const newest = async () => (await api<{ receipts: { id: number }[] }>('/api/v1/receipts?limit=1')).receipts[0]!.id
    const before = await newest()
    await until('another receipt', 30_000, async () => ((await newest()) > before ? true : undefined))
  })
  test('has enrolments, statements and held calls that wait for somebody', async () => {
    const { enrolments } = await api<{ enrolments: object[] }>('/api/v1/enrolments')
    const { requests } = await api<{ requests: { status: string; op: string }[] }>('/api/v1/requests')
    const { approvals } = await api<{ approvals: { tool: string }[] }>('/api/v1/approvals')
    expect(enrolments.length).toBeGreaterThanOrEqual(2)
    expect(requests.find(({ status }) => status === 'open')).toMatchObject({ op: 'threshold.set' })
    expect(approvals.map(({ tool }) => tool).sort()).toEqual(['refund', 'send_mail'])
  })
  test('has gateways that have acknowledged all, and some that have not', async () => {
    const { acks } = await api<{ acks: { gateway: string; seq: number }[] }>('/api/v1/acks')
    const head = Math.max(...acks.map(({ seq }) => seq))
    expect(acks.filter(({ seq }) => seq === head).map(({ gateway }) => gateway)).toContain('@gw-berlin')
    expect(acks.filter(({ seq }) => seq < head).map(({ gateway }) => gateway)).toContain('@gw-lab')
  })
  test('is the same organisation after a restart, alive again', async () => {
    const before = (await fleet()).map(({ atsign }) => atsign)
    await up.stop()
    await start()
    expect((await fleet()).map(({ atsign }) => atsign)).toEqual(before)
  })
})
