// A person whose only key is a passkey, at a terminal: signs in and signs in a browser, and nowhere else.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createControlClient,
  createEnrolment,
  draftGenesis,
  edgeKeysOf,
  encodeBase64url,
  encodeSigned,
  generateEdgeSecrets,
  organisationOf,
  parseAtSign,
  parseJoinString,
  postEnrolment,
} from '@postern/core'
import { Secret } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli, runCliJson } from '../fixtures/cli.ts'
import type { HttpControl } from '../fixtures/connector/http-control.ts'
import { openHttpControl } from '../fixtures/connector/http-control.ts'
import { passkeyOf, SIGNER, signLogin } from '../fixtures/passkey-browser.ts'
import { signKey } from '../fixtures/people.ts'
import type { Home } from '../fixtures/processes.ts'
import { freePorts, openHome, root, scripts, startNode, until } from '../fixtures/processes.ts'
import { surroundings } from '../fixtures/running-organisation.ts'

let home: Home
let control: HttpControl
let org: string
const browser = `${process.execPath} ${join(root, 'test/fixtures/passkey-browser.ts')}`

beforeAll(async () => {
  home = await openHome('cli-passkey')
  const [port] = (await freePorts(1)) as [number]
  control = await openHttpControl(home.path, port, [])
  const recovery = signKey('recovery of the passkey people')
  const recoveryPublic = { ...recovery.publicKey, use: 'recovery' as const }
  const phones = [passkeyOf('@ana phone'), passkeyOf('@ben phone')]
  const bytes = draftGenesis(
    {
      name: 'Passkeys',
      nonce: encodeBase64url(surroundings.random(16)),
      admins: [
        { atsign: parseAtSign('@ana'), keys: [phones[0]!.publicKey] },
        { atsign: parseAtSign('@ben'), keys: [phones[1]!.publicKey] },
      ],
      thresholds: { root: { m: 2 }, sensitive: { m: 1 }, routine: { m: 1 } },
      signer: { origins: [SIGNER], rp_id: 'localhost' },
      console: { origins: [control.url] },
      recovery: recoveryPublic,
    },
    { at: Math.floor(Date.now() / 1000) },
  )
  const signatures = [...phones, recovery].map((key) => key.sign('postern-statement-v1', bytes))
  org = organisationOf(bytes)
  const stranger = createControlClient(control.url, undefined, surroundings)
  await stranger.call('/api/v1/log', { json: { entry: encodeSigned({ bytes, signatures }), secret: control.secret } })
})
afterAll(async () => {
  await control[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const run = (args: readonly string[], env: Record<string, string> = {}) => runCli(home, args, { env: { BROWSER: browser, ...env } })
const runJson = <T>(args: readonly string[], env: Record<string, string> = {}) =>
  runCliJson<T>(home, args, { env: { BROWSER: browser, ...env } })

describe('postern login', () => {
  test('the first time pins the organisation and is signed in the browser', async () => {
    const answer = await run(['login', `${control.url}#${org}`, '--as', '@ana', '--signer', SIGNER, '--yes'])
    expect(answer.stderr).toContain(`${SIGNER}/#`)
    expect(answer.code).toBe(0)
    expect(await runJson(['whoami'])).toMatchObject({ atsign: '@ana', role: 'admin', org })
    const files = readdirSync(join(home.state, 'person', '@ana'))
    expect(files).not.toContain('sign.json')
    expect(readFileSync(join(home.config, 'config.toml'), 'utf8')).toContain('key = "passkey"')
  })

  test('the next time needs nothing: the verified log says where passkeys sign', async () => {
    expect((await run(['login'])).code).toBe(0)
  })

  test('a passkey of somebody else is not taken, though its signature is good; then the right one is', async () => {
    await using child = startNode('login', scripts.cli, ['login', '--no-browser'], { env: home.env })
    const [url] = await child.said(/http:\/\/localhost:3001\/#[\w-]+/)
    const hand = async (name: string) => {
      const { text, port } = signLogin(url, name)
      const origin = `http://127.0.0.1:${port}`
      const answer = await fetch(origin, { method: 'POST', body: text, headers: { origin } })
      return [answer.status, await answer.text()]
    }
    expect(await hand('@ben phone')).toEqual([400, expect.stringContaining('it is for another person')])
    expect((await hand('@ana phone'))[0]).toBe(200)
    expect(await child.exit).toBe(0)
  })

  test.skipIf(!existsSync('/usr/bin/script'))('on another device: the text that the page shows is pasted', async () => {
    const child = spawn('script', ['-qec', `${process.execPath} ${join(root, scripts.cli)} login --device`, '/dev/null'], {
      env: { ...home.env, TERM: 'dumb' } as unknown as NodeJS.ProcessEnv,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
    const url = await until('the address', 20_000, () => /http:\/\/localhost:3001\/#[\w-]+/.exec(output)?.[0])
    await until('the question', 10_000, () => output.includes('The text:') || undefined)
    const { text, port } = signLogin(url, '@ana phone')
    expect(port).toBeUndefined()
    child.stdin.write(`${text}\n`)
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(output).toContain('signed in as')
    expect(code).toBe(0)
  })
})

async function enrol(atsign: string): Promise<string> {
  const join = parseJoinString((await runJson<{ join: string }>(['code', 'new', 'agent'])).join)
  const keys = edgeKeysOf('agent', generateEdgeSecrets('agent', surroundings.random), (secret) => new Secret(secret))
  const enrolment = createEnrolment(join, { kind: 'agent', atsign: parseAtSign(atsign) }, Object.values(keys), surroundings)
  await postEnrolment(enrolment, { host: 'h', os: 'o', version: 'v' }, surroundings)
  return enrolment.words.join(' ')
}

describe('what takes authority', () => {
  test('approving an enrolment opens the signing page and waits for the log', async () => {
    const words = await enrol('@bot')
    const outcome = await runJson<{ status: string; seq: number }>(['approve', '@bot', '--words', words, '--tags', ''])
    expect(outcome).toMatchObject({ status: 'appended', seq: 1 })
    expect((await runJson<{ atsign: string }[]>(['agent', 'list'])).map(({ atsign }) => atsign)).toEqual(['@bot'])
  })

  test('a refusal in the page ends the command with exit code 7, and nothing is signed', async () => {
    const words = await enrol('@late')
    const { code, stderr } = await run(['approve', '@late', '--words', words, '--tags', ''], { PASSKEY_REFUSES: '1' })
    expect(stderr).toContain('why: not now')
    expect(code).toBe(7)
    expect((await runJson<{ atsign: string }[]>(['agent', 'list'])).map(({ atsign }) => atsign)).toEqual(['@bot'])
  })

  test('a suspension and its end, with the stopwatch', async () => {
    expect(await runJson(['agent', 'suspend', '@bot', '--for', '1h', '--yes', '--wait', '0'])).toMatchObject({
      effective: true,
      gateways: 0,
    })
    expect(await runJson<{ state: string }>(['agent', 'show', '@bot'])).toMatchObject({ state: 'suspended' })
    expect(await runJson(['agent', 'release', '@bot', '--yes'])).toMatchObject({ status: 'appended', effective: true })
    expect(await runJson<{ state: string }>(['agent', 'show', '@bot'])).toMatchObject({ state: 'live' })
  })

  test('what needs two administrators waits for the second, whose passkey signs the same request', async () => {
    await using third = await openHome('cli-passkey-3')
    const { join } = await runJson<{ join: string }>(['code', 'new', 'person'])
    const { words } = await runCliJson<{ words: string[] }>(third, ['people', 'enroll', join, '--as', '@cy', '--no-wait'])
    const { code, stderr } = await run(['approve', '@cy', '--admin', '--words', words.join(' '), '--tags', ''])
    expect(stderr).toContain('it needs more signatures')
    expect(code).toBe(6)
    const { statements } = await runJson<{ statements: { hash: string; op: string }[] }>(['pending'])
    expect(statements).toMatchObject([{ op: 'admin.add' }])
    await using other = await openHome('cli-passkey-2')
    const env = { BROWSER: browser, PASSKEY_NAME: '@ben phone' }
    const login = await runCli(other, ['login', `${control.url}#${org}`, '--as', '@ben', '--signer', SIGNER, '--yes'], { env })
    expect(login.code).toBe(0)
    const signed = await runCliJson(other, ['sign', statements[0]!.hash, '--yes'], { env })
    expect(signed).toMatchObject({ status: 'appended', op: 'admin.add' })
  })
})

test('without a terminal --device has nobody to ask', async () => {
  const { code, stderr } = await run(['login', '--device'])
  expect(code).toBe(2)
  expect(stderr).toContain('The text is missing')
})
