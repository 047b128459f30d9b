// `postern up --seed-demo`: simulated people and machines whose signatures are real.
import { join } from 'node:path'
import { parseSignerRequest } from '@postern/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Child, Home } from '../fixtures/processes.ts'
import { freePorts, openHome, scripts, startNode } from '../fixtures/processes.ts'

let home: Home
let ports: number[]
beforeAll(async () => {
  home = await openHome('seed-demo')
  ports = await freePorts(3)
})
afterAll(() => home[Symbol.asyncDispose]())

const start = (data = 'demo') => {
  const [port, signer, relay] = ports.map(String) as [string, string, string]
  const where = ['--port', port, '--signer-port', signer, '--relay-port', relay, '--data', join(home.path, data)]
  return startNode('up', scripts.cli, ['up', '--seed-demo', '--demo-agents', '13', ...where], { env: home.env })
}
const invitation = async (child: Child) => parseSignerRequest((await child.said(/http:\/\/localhost:\d+\/#(\S+)/, 90_000))[1]!)
const control = () => `http://localhost:${ports[0]}`

describe('the demo', () => {
  test('says what it is, founds its organisation once, and goes on with it after a restart', async () => {
    const first = start()
    const link = await invitation(first)
    expect(link).toMatchObject({ kind: 'enrolment', control: control() })
    expect(first.output()).toContain('simulated organisation')
    // Whoever holds the invitation may read the log; it verifies like any other, or the control plane would not have taken it.
    const { code, org } = link as Extract<typeof link, { kind: 'enrolment' }>
    const log = await (await fetch(`${control()}/api/v1/log?limit=1000`, { headers: { 'postern-code': code } })).json()
    expect(log.org).toBe(org)
    expect(log.entries.length).toBeGreaterThan(20)
    await first.stop('SIGTERM')

    const second = start()
    const again = await invitation(second)
    expect(again).toMatchObject({ kind: 'enrolment', org })
    await second.stop('SIGTERM')
  }, 180_000)

  test('is not played on an organisation that is none of its own', async () => {
    const plain = startNode(
      'up',
      scripts.cli,
      [
        'up',
        '--port',
        String(ports[0]),
        '--signer-port',
        String(ports[1]),
        '--relay-port',
        String(ports[2]),
        '--data',
        join(home.path, 'own'),
      ],
      { env: home.env },
    )
    const [, secret] = await plain.said(/localhost:\d+\/genesis#(\S+)/, 90_000)
    const founding = startNode('genesis', scripts.cli, ['genesis', `${control()}#${secret}`, '--name', 'own', '--as', '@me', '--yes'], {
      env: home.env,
    })
    expect(await founding.exit).toBe(0)
    await plain.stop('SIGTERM')
    const demo = start('own')
    await demo.said(/holds an organisation that is no demo/, 90_000)
    expect(await demo.exit).not.toBe(0)
  }, 180_000)
})
