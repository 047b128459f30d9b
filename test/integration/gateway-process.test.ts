// The gateway as a process of its own.
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeBase64url } from '@postern/core'
import { openStateDir, readHealth } from '@postern/daemon'
import { enrolGateway, healthName, readIdentity, systemDeps } from '@postern/gateway'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { seedOf } from '../fixtures/people.ts'
import { skipped } from '../skipped.ts'

const main = join(import.meta.dirname, '../../packages/gateway/src/main.ts')
const org = encodeBase64url(seedOf('some organisation'))
const join_ = `http://127.0.0.1:9#${org}.F4KD-9TWP`
let home: string
const running: ChildProcess[] = []
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'postern-process-'))
})
afterEach(async () => {
  for (const child of running.splice(0)) if (child.exitCode === null && child.signalCode === null) await ended(child, 'SIGKILL')
  rmSync(home, { recursive: true })
})

const places = () => ({
  state: join(home, '.local/state/postern'),
  runtime: join(home, 'run/postern'),
  config: join(home, '.config/postern'),
})
const enrol = () => enrolGateway(join_, { atsign: '@gw', stateRoot: places().state }, systemDeps())

/** Starts it and collects its log; resolves when it says that it is ready, or ends. */
async function start(): Promise<{ child: ChildProcess; log: () => string }> {
  const env = { NODE_ENV: 'test' as const, PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: join(home, 'run') }
  mkdirSync(env.XDG_RUNTIME_DIR, { recursive: true })
  const child = spawn(process.execPath, [main, '@gw'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  running.push(child)
  let log = ''
  await new Promise<void>((resolve) => {
    child.stderr!.on('data', (chunk) => {
      log += chunk
      if (log.includes('gateway @gw ·')) resolve()
    })
    child.once('close', () => resolve())
  })
  return { child, log: () => log }
}

function ended(child: ChildProcess, signal?: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null) return Promise.resolve(child.exitCode)
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve(code))
    if (signal) child.kill(signal)
  })
}

/** Local sockets of a process that listen for TCP or are bound for UDP. */
function listening(pid: number): string[] {
  const inodes = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? []
    } catch {
      return []
    }
  })
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((kind) => {
    const lines = readFileSync(`/proc/${pid}/net/${kind}`, 'utf8').split('\n').slice(1)
    const fields = lines.map((line) => line.trim().split(/\s+/)).filter(({ length }) => length > 9)
    return fields
      .filter(([, , , state, , , , , , inode]) => inodes.includes(inode!) && (kind.startsWith('udp') || state === '0A'))
      .map(([, local]) => `${kind} ${local}`)
  })
}

describe('enrolling', () => {
  test('makes private keys and a request with six words; doing it again keeps the keys and makes other words', async () => {
    const first = await enrol()
    const again = await enrol()
    expect(first.words).toHaveLength(6)
    expect(again.words).not.toEqual(first.words)
    const file = join(places().state, 'gateway/@gw/keys.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(Buffer.from(first.request).toString()).not.toContain(JSON.parse(readFileSync(file, 'utf8')).secrets.issue)
  })
  test('into another organisation is refused', async () => {
    await enrol()
    const other = `http://127.0.0.1:9#${encodeBase64url(seedOf('other'))}.F4KD-9TWP`
    await expect(enrolGateway(other, { atsign: '@gw', stateRoot: places().state }, systemDeps())).rejects.toMatchObject({
      code: 'WRONG_ORGANISATION',
    })
  })
  test('shows no secret when the identity is printed', async () => {
    await enrol()
    const identity = await readIdentity(await openStateDir('gateway', '@gw', places().state), '@gw')
    expect(JSON.stringify(identity)).toContain('[secret]')
  })
})

describe('the process', () => {
  test('opens no TCP or UDP socket to listen on; its health is a socket that only this user can open', async () => {
    await enrol()
    const { child } = await start()
    const health = await readHealth(healthName('@gw'), places())
    expect(health).toMatchObject({ atsign: '@gw', status: 'degraded', code: 'NOT_ENROLLED', pid: child.pid })
    expect(statSync(join(places().runtime, 'gateway-@gw.sock')).mode & 0o777).toBe(0o600)
    if (existsSync(`/proc/${child.pid}/net/tcp`)) expect(listening(child.pid!)).toEqual([])
    else skipped('listening sockets', 'no /proc')
    expect(await ended(child, 'SIGTERM')).toBe(143)
  })
  test('ends with 130 on Ctrl-C, and leaves no socket behind', async () => {
    await enrol()
    const { child } = await start()
    expect(await ended(child, 'SIGINT')).toBe(130)
    expect(existsSync(join(places().runtime, 'gateway-@gw.sock'))).toBe(false)
  })
  test('refuses keys that others can read, and prints the chmod', async () => {
    await enrol()
    chmodSync(join(places().state, 'gateway/@gw/keys.json'), 0o644)
    const { child, log } = await start()
    expect(await ended(child)).toBe(1)
    expect(log()).toContain('KEY_FILE_MODE')
    expect(log()).toContain('chmod 600')
  })
  test('refuses to run twice, and names the holder', async () => {
    await enrol()
    const first = await start()
    const second = await start()
    expect(await ended(second.child)).toBe(1)
    expect(second.log()).toContain('LOCKED')
    expect(second.log()).toContain(`process ${first.child.pid}`)
  })
  test('refuses a configuration that it cannot read, with every problem', async () => {
    await enrol()
    mkdirSync(join(places().config, 'gateway'), { recursive: true })
    writeFileSync(join(places().config, 'gateway/@gw.toml'), 'verify = false\n[servers.fs]\nshell = true\n')
    const { child, log } = await start()
    expect(await ended(child)).toBe(1)
    for (const problem of ['CONFIG_INVALID', 'verify', 'servers.fs.shell', 'servers.fs.command']) expect(log()).toContain(problem)
  })
  test('says what to do when it was never enrolled', async () => {
    const { child, log } = await start()
    expect(await ended(child)).toBe(1)
    expect(log()).toContain('postern gateway enroll')
  })
})
