// What a person sees of `npm start`: addresses, how to become the owner, how long it took; and an end that leaves nothing behind.
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Child, Home } from '../fixtures/processes.ts'
import { freePorts, openHome, scripts, startNode, until } from '../fixtures/processes.ts'

let home: Home
let ports: [number, number, number]
let up: Child | undefined
beforeAll(async () => {
  home = await openHome('start')
  ports = (await freePorts(3)) as [number, number, number]
})
afterEach(async () => {
  await up?.stop('SIGKILL')
})
afterAll(() => home[Symbol.asyncDispose]())

/** The root script without its set-up, which has run before the tests. */
async function start(): Promise<{ child: Child; seconds: number }> {
  const [port, relayPort, signerPort] = ports.map(String) as [string, string, string]
  const args = ['up', '--port', port, '--relay-port', relayPort, '--signer-port', signerPort, '--data', join(home.path, 'data')]
  const child = startNode('up', scripts.cli, args, { env: home.env })
  up = child
  const [, seconds] = await child.said(/ready in ([\d.]+) s/, 60_000)
  return { child, seconds: Number(seconds) }
}
const answers = (port: number) =>
  fetch(`http://127.0.0.1:${port}/`).then(
    () => true,
    () => false,
  )

test('it says where everything is, and how to become the owner', async () => {
  const { child } = await start()
  const [port, relayPort, signerPort] = ports
  for (const text of [
    `http://localhost:${port}`,
    `http://localhost:${signerPort}`,
    `http://localhost:${port}/api/health`,
    `ws://localhost:${relayPort}/relay`,
  ]) {
    expect(child.output()).toContain(text)
  }
  expect(child.output()).toMatch(new RegExp(`http://localhost:${signerPort}/genesis#[\\w-]{22} +valid 15 min, one use`))
  expect(child.output()).toMatch(new RegExp(`npx postern genesis 'http://localhost:${port}#[\\w-]{22}' `))
  expect(await (await fetch(`http://localhost:${port}/api/health`)).json()).toMatchObject({ status: 'ok', database: 'pglite' })
})

test('Ctrl-C ends all of it, and the next start is a quick one', async () => {
  const { child, seconds } = await start()
  const began = performance.now()
  expect(await child.stop('SIGINT')).toBe(130)
  expect(performance.now() - began).toBeLessThan(10_000)
  const stillThere = async () => (await Promise.all(ports.map(answers))).includes(true)
  await until('all ports to be free', 5000, async () => !(await stillThere()) || undefined)
  console.log(`a second start was ready in ${seconds} s, and was gone ${((performance.now() - began) / 1000).toFixed(1)} s after Ctrl-C`)
})
