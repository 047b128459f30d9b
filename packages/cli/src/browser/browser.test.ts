import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { encodeBase64url, parseAtSign } from '@postern/core'
import { describe, expect, test } from 'vitest'
import { passkeyOf, signLogin } from '../../../../test/fixtures/passkey-browser.ts'
import { createSessionKey } from '../profile/session.ts'
import { loginRequestUrl, readLogin } from './login.ts'
import { openLoopback } from './loopback.ts'
import { openerOf } from './open-url.ts'

const wish = {
  org: `${'A'.repeat(42)}E`,
  atsign: parseAtSign('@ana'),
  console: 'http://localhost:3000',
  sessionKey: createSessionKey((n) => new Uint8Array(n).fill(7)).public,
  signer: 'http://localhost:3001',
}
const nonce = encodeBase64url(new Uint8Array(16).fill(9))
const url = loginRequestUrl(wish, nonce, 41_234)

describe('what comes back from the signing page', () => {
  test('is taken when it is for this session key, request, console and person', () => {
    const { text, port } = signLogin(url, '@ana phone')
    expect(port).toBe(41_234)
    const { signatures } = readLogin(text, wish, nonce)
    expect(signatures[0]!.kid).toBe(passkeyOf('@ana phone').sign('postern-login-v1', new Uint8Array()).kid)
    expect(readLogin(` http://127.0.0.1:41234/#${text}\n`, wish, nonce).signatures).toEqual(signatures)
  })

  test.each([
    ['another session key', { session_key: createSessionKey((n) => new Uint8Array(n).fill(8)).public }, 'session key'],
    ['no session key', { session_key: undefined }, 'session key'],
    ['another request', { nonce: encodeBase64url(new Uint8Array(16)) }, 'request'],
    ['another console', { console: 'https://elsewhere.example' }, 'console'],
    ['another organisation', { org: `${'B'.repeat(42)}E` }, 'organisation'],
    ['another person', { atsign: '@eve' }, 'person'],
  ])('is refused when it is for %s', (_, change, what) => {
    expect(() => readLogin(signLogin(url, '@ana phone', change).text, wish, nonce)).toThrow(`another ${what}`)
  })

  test.each(['', 'x', '{}', encodeBase64url(new TextEncoder().encode('{}')), 'A'.repeat(100_000)])(
    'is refused when it is no login (%#)',
    (text) => {
      expect(() => readLogin(text, wish, nonce)).toThrow('this is not the login that was asked for')
    },
  )
})

describe('the listener', () => {
  const open = () =>
    openLoopback((given) => {
      if (given !== 'good') throw new Error('bad')
    })
  const post = (port: number, body: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const origin = `http://127.0.0.1:${port}`
      const sent = request({ host: '127.0.0.1', port, path: '/', method: 'POST', headers: { origin, ...headers } }, (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode!, text }))
      })
      sent.on('error', reject)
      sent.end(body)
    })

  test('serves one page whose policy allows its own script and style and nothing else', async () => {
    await using loopback = await open()
    const answer = await fetch(`http://127.0.0.1:${loopback.port}/`)
    const page = await answer.text()
    const policy = answer.headers.get('content-security-policy')!
    const hash = (tag: string) => {
      const inside = new RegExp(`<${tag}>([\\s\\S]*)</${tag}>`).exec(page)![1]!
      return `'sha256-${createHash('sha256').update(inside).digest('base64')}'`
    }
    expect(policy).toBe(
      `default-src 'none'; script-src ${hash('script')}; style-src ${hash('style')}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    )
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
  })

  test('takes one good answer, and goes on waiting after bad ones', async () => {
    await using loopback = await open()
    expect(await post(loopback.port, 'worse')).toMatchObject({ status: 400, text: 'Not signed in: bad' })
    expect((await post(loopback.port, 'good')).status).toBe(200)
    expect(await loopback.taken).toBe('good')
    expect((await post(loopback.port, 'good')).status).toBe(409)
  })

  test.each([
    ['another origin', { origin: 'https://evil.example' }],
    ['no origin', { origin: '' }],
    ['another host name for this machine', { host: 'localhost:1' }],
    ['a name that was made to point here', { host: 'evil.example' }],
  ])('takes nothing from %s', async (_, headers) => {
    await using loopback = await open()
    expect((await post(loopback.port, 'good', headers)).status).toBe(404)
  })

  test('takes nothing that is too long, and nothing at other addresses', async () => {
    await using loopback = await open()
    expect((await post(loopback.port, 'x'.repeat(70_000))).status).toBe(413)
    expect((await fetch(`http://127.0.0.1:${loopback.port}/other`)).status).toBe(404)
    expect((await fetch(`http://127.0.0.1:${loopback.port}/`, { method: 'PUT', body: 'good' })).status).toBe(405)
  })
})

test.each([
  ['linux', { DISPLAY: ':0' }, ['xdg-open']],
  ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, ['xdg-open']],
  ['linux', {}, undefined],
  ['darwin', {}, ['open']],
  ['darwin', { SSH_CONNECTION: 'x' }, undefined],
  ['win32', {}, ['rundll32', 'url.dll,FileProtocolHandler']],
  ['linux', { BROWSER: 'firefox --new-tab' }, ['firefox', '--new-tab']],
] as const)('on %s with %j the address is opened with %j', (platform, environment, opener) => {
  expect(openerOf(platform, environment)).toEqual(opener)
})
