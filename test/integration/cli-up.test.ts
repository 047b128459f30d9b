// `postern up`: what starts together stops together.
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { runCli, runCliJson } from '../fixtures/cli.ts'
import type { Child, Home } from '../fixtures/processes.ts'
import { freePorts, openHome, scripts, startNode, until } from '../fixtures/processes.ts'

let home: Home
beforeAll(async () => {
  home = await openHome('cli-up')
})
afterAll(() => home[Symbol.asyncDispose]())

const started: Child[] = []
afterEach(async () => {
  for (const child of started.splice(0)) await child.stop('SIGKILL')
})

interface Plan {
  readonly port?: number
  readonly relayPort?: number
  readonly data?: string
}
async function start({ port, relayPort, data = 'data' }: Plan = {}) {
  const [free, freeRelay, signerPort] = (await freePorts(3)) as [number, number, number]
  const ports = { port: port ?? free, relayPort: relayPort ?? freeRelay }
  const args = [
    'up',
    '--port',
    ports.port,
    '--relay-port',
    ports.relayPort,
    '--signer-port',
    signerPort,
    '--data',
    join(home.path, data),
    '--json',
  ]
  const child = startNode('up', scripts.cli, args.map(String), { env: home.env })
  started.push(child)
  return { child, ...ports, signerPort }
}

interface Ready {
  readonly control: string
  readonly pids: { readonly control: number; readonly relay: number; readonly signer: number }
  readonly genesis: { readonly link: string; readonly cli: string; readonly command: string } | null
}
const ready = async (child: Child): Promise<Ready> => JSON.parse((await child.said(/\{"schema":"postern\.up".*\n/, 60_000))[0]).data

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
const allGone = ({ pids }: Ready) => until('all processes to be gone', 10_000, () => (Object.values(pids).some(isAlive) ? undefined : true))

describe('postern up', () => {
  test('brings up control plane, signer and relay, and tells how to become the owner', async () => {
    const { child, port, relayPort, signerPort } = await start()
    const { control, genesis, pids } = await ready(child)
    expect((await fetch(`${control}/api/health`)).status).toBe(200)
    expect((await fetch(`http://127.0.0.1:${relayPort}/health`)).status).toBe(200)
    expect(genesis!.command).toBe(
      `npx postern genesis '${genesis!.cli}' --name <organisation> --as @you --console-origin http://localhost:${port} --signer-origin http://localhost:${signerPort}`,
    )
    expect(genesis!.cli).toMatch(/^http:\/\/localhost:\d+#[A-Za-z0-9_-]{22}$/)
    expect(genesis!.link).toBe(`http://localhost:${signerPort}/genesis#${genesis!.cli.split('#')[1]}`)
    expect(Object.values(pids).map(isAlive)).toEqual([true, true, true])
  })

  test('the signer is the one that was built, may talk to this control plane alone, and is let in by it', async () => {
    const { child, signerPort } = await start()
    const { control } = await ready(child)
    const signer = `http://localhost:${signerPort}`
    const page = await fetch(`${signer}/genesis`)
    expect(page.headers.get('content-security-policy')).toContain(`connect-src ${control};`)
    const checked = await runCliJson<{ same: boolean; parts: object[] }>(home, ['signer', 'hashes', '--check', signer])
    expect(checked.same).toBe(true)
    const asks = (origin: string) =>
      fetch(`${control}/api/v1/log`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'GET' } })
    expect((await asks(signer)).headers.get('access-control-allow-origin')).toBe(signer)
    expect((await asks('http://localhost:1')).headers.get('access-control-allow-origin')).toBeNull()
    const other = await runCli(home, ['signer', 'hashes', '--check', control])
    expect(other.code).toBe(8)
  })

  test('a genesis link that was renewed replaces the first one, and says who used it', async () => {
    const { child, port } = await start({ data: 'renewed' })
    const { genesis } = await ready(child)
    const data = join(home.path, 'renewed')
    const renewed = await runCliJson<{ cli: string; link: string }>(home, ['genesis', 'link', '--data', data])
    expect(renewed.cli).toMatch(new RegExp(`^http://localhost:${port}#[\\w-]{22}$`))
    const found = (link: string) => runCli(home, ['genesis', link, '--name', 'Acme', '--as', '@ana', '--yes'])
    expect(await found(genesis!.cli)).toMatchObject({ code: 5, stderr: expect.stringContaining('this is not the genesis secret') })
    expect(await found(renewed.cli)).toMatchObject({ code: 0 })
    await child.said(/✓ Genesis signed by @ana · log size 1 · (\w+ ){7}\w+\n/)
    expect(await runCli(home, ['genesis', 'link', '--data', data])).toMatchObject({
      code: 9,
      stderr: expect.stringContaining('somebody has founded "Acme" here already'),
    })
  })

  test('without a running Postern there is no link to make', async () => {
    const { code, stderr } = await runCli(home, ['genesis', 'link', '--data', join(home.path, 'nothing')])
    expect(code).toBe(3)
    expect(stderr).toContain('error: Postern does not run on this machine')
  })

  test('Ctrl-C stops everything within ten seconds, with exit code 130', async () => {
    const { child } = await start()
    const running = await ready(child)
    const began = performance.now()
    child.process.kill('SIGINT')
    expect(await child.exit).toBe(130)
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(Object.values(running.pids).some(isAlive)).toBe(false)
  })

  test('kill -9 leaves no orphans', async () => {
    const { child } = await start()
    const running = await ready(child)
    child.process.kill('SIGKILL')
    await allGone(running)
  })

  test.each(['control', 'relay', 'signer'] as const)('when the %s process dies, the others are stopped and it says which', async (name) => {
    const { child } = await start()
    const running = await ready(child)
    process.kill(running.pids[name], 'SIGKILL')
    expect(await child.exit).toBe(1)
    expect(child.output()).toMatch(new RegExp(`error: the ${name}[a-z ]* process ended with exit code 137`))
    await allGone(running)
  })

  test('a taken port is named, with the flag that changes it', async () => {
    const [port] = (await freePorts(1)) as [number]
    const server = createServer().listen(port, '127.0.0.1')
    const { child } = await start({ relayPort: port })
    expect(await child.exit).toBe(1)
    expect(child.output()).toContain(`error: port ${port} is taken`)
    expect(child.output()).toContain('--relay-port')
    await new Promise((resolve) => server.close(resolve))
  })

  test('a second process on the embedded database is refused, and the holder named', async () => {
    const first = await start({ data: 'shared' })
    const { pids } = await ready(first.child)
    const second = await start({ data: 'shared' })
    expect(await second.child.exit).toBe(1)
    expect(second.child.output()).toContain(`is in use by process ${pids.control}`)
    expect(second.child.output()).toContain('ref: DATABASE_IN_USE')
    expect((await fetch(`http://127.0.0.1:${first.port}/api/health`)).status).toBe(200)
  })
})
