// Sessions of browsers: how one is opened, what its cookie can do, and what it can never do. Real cookies, the real doors.
import type { Signed } from '@postern/core'
import { encodeBase64url, encodeLogin, encodeSigned, parseAtSign, parseSignerRequest } from '@postern/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startSignIn } from '../../packages/control/src/people/sign-in.ts'
import type { TestControl } from '../fixtures/control.ts'
import { openTestControl } from '../fixtures/control.ts'
import type { Branch } from '../fixtures/organisation.ts'
import { draft, revocation } from '../fixtures/organisation.ts'
import type { TestKey } from '../fixtures/people.ts'
import { bytesOf, ed25519Key, passkey, requestOf, signKey, site, T0 } from '../fixtures/people.ts'
import { pglite } from './database/databases.ts'

const console = 'https://console.example'
const phone = passkey('@ana phone')
const YEAR = 31_536_000

/** As much of a browser as matters here: one cookie jar, and the headers a page cannot choose. */
class Browser {
  readonly jar = new Map<string, string>()
  readonly seen: string[] = []
  readonly page: string
  constructor(page = console) {
    this.page = page
  }
  headers(extra: Record<string, string> = {}): Headers {
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    return new Headers({ host: 'console.example', ...(cookie ? { cookie } : {}), 'user-agent': 'Test/1', ...extra })
  }
  keep(response: Response) {
    for (const line of response.headers.getSetCookie()) {
      this.seen.push(line)
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (line.includes('Max-Age=0')) this.jar.delete(name!)
      else this.jar.set(name!, value!)
    }
  }
  async send(method: string, path: string, body?: unknown, extra: Record<string, string> = {}) {
    const origin = method === 'GET' ? {} : { origin: this.page }
    const headers = this.headers({ ...origin, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...extra })
    const request = new Request(`${console}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const door = path.startsWith('/api/trpc/')
      ? await import('../../app/api/trpc/[trpc]/route.ts')
      : await import('../../app/api/session/route.ts')
    const response = await (door as unknown as Record<string, (request: Request) => Promise<Response>>)[method]!(request)
    this.keep(response)
    return { status: response.status, json: await response.json(), response }
  }
  query = (name: string, input?: unknown) =>
    this.send('GET', `/api/trpc/${name}${input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(input))}`}`)
  mutate = (name: string, input: unknown, extra?: Record<string, string>) => this.send('POST', `/api/trpc/${name}`, input, extra)
}

let t: TestControl
let branch: Branch
beforeAll(async () => {
  t = await openTestControl(pglite, { publicUrl: `${console},http://localhost:3000` })
  branch = await t.found({ keys: { '@ana': [phone, signKey('@ana')] } })
  const lease = { exp: T0 + YEAR / 4, tags: [] }
  branch = await t.append(branch, 'person.enroll', { ...requestOf(branch.org, 'person', '@ben'), ...lease } as never)
  await t.call('GET', '/api/health')
})
afterAll(() => t[Symbol.asyncDispose]())
beforeEach(() => {
  t.now.seconds += 1
})

/** The nonce goes out as it does from the sign-in page's action. */
async function begin(browser: Browser): Promise<string> {
  const { nonce, cookie } = await startSignIn(t.control, browser.headers())
  browser.jar.set(cookie.name, cookie.value)
  return nonce
}
function loginOf(
  nonce: string,
  change: object = {},
  by: TestKey = phone,
  namespace: Parameters<TestKey['sign']>[0] = 'postern-login-v1',
): Signed {
  const at = t.now.seconds
  const bytes = encodeLogin({ org: branch.org, atsign: parseAtSign('@ana'), console, nonce, at, exp: at + 120, ...change })
  return { bytes, signatures: [by.sign(namespace, bytes)] }
}
const bring = (browser: Browser, signed: Signed, extra?: Record<string, string>) =>
  browser.send('POST', '/api/session', { login: encodeSigned(signed) }, extra)
async function signIn(browser = new Browser(), by: TestKey = phone, atsign = '@ana') {
  const { status, json } = await bring(browser, loginOf(await begin(browser), { atsign }, by))
  expect({ status, json }).toEqual({ status: 200, json: { atsign } })
  return browser
}
const whoami = async (browser: Browser) => (await browser.query('people.whoami')).json.result?.data
const refused = (status: number, code: string) => ({ status, json: { error: { code } } })

describe('signing in', () => {
  test('with a passkey gives this browser a cookie that says who it is', async () => {
    const browser = await signIn()
    expect(await whoami(browser)).toMatchObject({ atsign: '@ana', role: 'admin', org: branch.org, expires: t.now.seconds + 12 * 3600 })
  })
  test('with a key of ssh kind works the same', async () => {
    expect(await whoami(await signIn(new Browser(), signKey('@ben'), '@ben'))).toMatchObject({ atsign: '@ben', role: 'person' })
  })
  test('sets a cookie that no script reads, no other site sends and no other host can set', async () => {
    const browser = await signIn()
    const [session, login] = browser.seen
    expect(session).toMatch(/^__Host-postern=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$/)
    expect(login).toMatch(/^__Host-postern_login=; .*Max-Age=0/)
  })
  test('keeps only a hash of the cookie', async () => {
    const browser = await signIn()
    const { rows } = await t.control.db.pool.query('SELECT row_to_json(s)::text AS text FROM browser_sessions s')
    expect(rows.length).toBeGreaterThan(0)
    for (const { text } of rows) expect(text).not.toContain(browser.jar.get('__Host-postern'))
  })
  test('in another browser than the one that asked is refused: a link sent to a victim signs nobody in', async () => {
    const mallory = new Browser()
    const nonce = await begin(mallory)
    const victim = new Browser()
    expect(await bring(victim, loginOf(nonce))).toMatchObject(refused(401, 'WRONG_BROWSER'))
    await begin(victim)
    expect(await bring(victim, loginOf(nonce))).toMatchObject(refused(401, 'WRONG_BROWSER'))
    expect(victim.jar.has('__Host-postern')).toBe(false)
  })
  test('with a nonce that nobody gave out is refused', async () => {
    const browser = new Browser()
    await begin(browser)
    expect(await bring(browser, loginOf(encodeBase64url(bytesOf('made up', 16))))).toMatchObject(refused(401, 'WRONG_BROWSER'))
  })
  test('works once per nonce, also for two at the same time', async () => {
    const browser = new Browser()
    const signed = loginOf(await begin(browser))
    const cookie = { cookie: browser.headers().get('cookie')! }
    const answers = await Promise.all([bring(browser, signed, cookie), bring(browser, signed, cookie)])
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401])
    expect(await bring(browser, signed, cookie)).toMatchObject(refused(401, 'REPLAYED'))
  })
  test('in two tabs of one browser works in both', async () => {
    const browser = new Browser()
    const [one, two] = [await begin(browser), await begin(browser)]
    const cookie = { cookie: browser.headers().get('cookie')! }
    expect((await bring(browser, loginOf(two), cookie)).status).toBe(200)
    expect((await bring(browser, loginOf(one), cookie)).status).toBe(200)
  })
  test('too late is refused: the login lasts two minutes, the nonce ten', async () => {
    const browser = new Browser()
    const signed = loginOf(await begin(browser))
    t.now.seconds += 241
    expect(await bring(browser, signed)).toMatchObject(refused(400, 'EXPIRED'))
    t.now.seconds += 360
    expect(await bring(browser, loginOf(await begin(browser)))).toMatchObject({ status: 200 })
    const late = await begin(browser)
    t.now.seconds += 601
    expect(await bring(browser, loginOf(late))).toMatchObject(refused(401, 'WRONG_BROWSER'))
  })
  test.each<[string, string, object, TestKey?, Parameters<TestKey['sign']>[0]?]>([
    ['for another console', 'WRONG_AUDIENCE', { console: 'https://evil.example' }],
    ['for this control plane under a name that is no console of the log', 'WRONG_AUDIENCE', { console: 'http://localhost:3000' }],
    ['for another organisation', 'WRONG_ORG', { org: encodeBase64url(bytesOf('other org', 32)) }],
    ['by somebody else’s key', 'BAD_SIGNATURE', {}, signKey('@ben')],
    [
      'by a passkey of another site',
      'BAD_SIGNATURE',
      {},
      passkey('@ana phone', { site: { origins: ['https://evil.example'], rpId: 'evil.example' } }),
    ],
    ['by a passkey that did not verify its user', 'BAD_SIGNATURE', {}, passkey('@ana phone', { flags: 0x01 })],
    ['signed as a statement', 'BAD_SIGNATURE', {}, phone, 'postern-statement-v1'],
    ['of somebody who is not enrolled', 'NOT_ENTITLED', { atsign: '@eve' }, signKey('@eve')],
    ['that is a CLI’s', 'MALFORMED', { session_key: ed25519Key('session', 'auth').publicKey }],
  ])('%s is refused', async (_, code, change, by, namespace) => {
    const browser = new Browser()
    const { json } = await bring(browser, loginOf(await begin(browser), change, by, namespace))
    expect(json).toMatchObject({ error: { code } })
    expect(browser.jar.has('__Host-postern')).toBe(false)
  })
  test('from a page that is not ours is refused, whatever it brings', async () => {
    for (const page of ['https://evil.example', site.origins[0]!, 'null']) {
      const browser = new Browser(page)
      expect(await bring(browser, loginOf(await begin(browser)))).toMatchObject(refused(403, 'WRONG_ORIGIN'))
    }
    const browser = new Browser()
    const nonce = await begin(browser)
    expect(await bring(browser, loginOf(nonce), { 'sec-fetch-site': 'same-site' })).toMatchObject(refused(403, 'WRONG_ORIGIN'))
  })
  test('again gives a new cookie, and the one before ends', async () => {
    const browser = await signIn()
    const before = new Browser()
    for (const [name, value] of browser.jar) before.jar.set(name, value)
    await signIn(browser)
    expect(browser.jar.get('__Host-postern')).not.toBe(before.jar.get('__Host-postern'))
    expect(await whoami(browser)).toMatchObject({ atsign: '@ana' })
    expect(await whoami(before)).toBeUndefined()
  })
})

describe('a session', () => {
  test('ends after twelve hours', async () => {
    const browser = await signIn()
    t.now.seconds += 12 * 3600 - 1
    expect(await whoami(browser)).toMatchObject({ atsign: '@ana' })
    t.now.seconds += 1
    expect(await whoami(browser)).toBeUndefined()
  })
  test('gets a new cookie every hour of use, and the old one counts a minute longer', async () => {
    const browser = await signIn()
    const old = new Browser()
    old.jar.set('__Host-postern', browser.jar.get('__Host-postern')!)
    t.now.seconds += 3599
    await browser.query('people.whoami')
    expect(browser.jar.get('__Host-postern')).toBe(old.jar.get('__Host-postern'))
    t.now.seconds += 1
    const answer = await browser.query('people.whoami')
    expect(answer.response.headers.getSetCookie()[0]).toMatch(
      /^__Host-postern=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=39600; Secure$/,
    )
    expect(browser.jar.get('__Host-postern')).not.toBe(old.jar.get('__Host-postern'))
    t.now.seconds += 59
    expect(await whoami(old)).toMatchObject({ atsign: '@ana' })
    expect(await whoami(browser)).toMatchObject({ atsign: '@ana' })
    t.now.seconds += 1
    expect(await whoami(old)).toBeUndefined()
    expect(await whoami(browser)).toMatchObject({ atsign: '@ana' })
  })
  test('is listed beside those of the CLI, and can be ended there at once', async () => {
    const browser = await signIn()
    const other = await signIn()
    const { sessions } = (await browser.query('people.sessions')).json.result.data
    const [current] = sessions.filter((s: { current: boolean }) => s.current)
    expect(current).toMatchObject({ kind: 'browser', client: 'Test/1', atsign: '@ana' })
    await other.mutate('people.endSession', { kid: current.kid })
    expect(await whoami(browser)).toBeUndefined()
    expect(await whoami(other)).toMatchObject({ atsign: '@ana' })
  })
  test('of somebody else is shown to and ended by administrators only', async () => {
    const ana = await signIn()
    const ben = await signIn(new Browser(), signKey('@ben'), '@ben')
    const own = (await ben.query('people.sessions')).json.result.data.sessions
    expect(new Set(own.map((s: { atsign: string }) => s.atsign))).toEqual(new Set(['@ben']))
    const all = (await ana.query('people.sessions')).json.result.data.sessions
    const hers = all.find((s: { atsign: string; current: boolean }) => s.atsign === '@ana' && s.current)
    expect((await ben.mutate('people.endSession', { kid: hers.kid })).status).toBe(404)
    expect(await whoami(ana)).toMatchObject({ atsign: '@ana' })
  })
  test('ends when its browser signs out, which takes the cookie away', async () => {
    const browser = await signIn()
    const copy = new Browser()
    copy.jar.set('__Host-postern', browser.jar.get('__Host-postern')!)
    expect((await browser.send('DELETE', '/api/session')).status).toBe(200)
    expect(browser.jar.has('__Host-postern')).toBe(false)
    expect(await whoami(copy)).toBeUndefined()
  })
  test('ends when the key that opened it, or the person, is revoked; its stream too', async () => {
    const own = await openTestControl(pglite, { publicUrl: `${console},http://localhost:3000` })
    const keep = { t, branch }
    t = own
    branch = await own.found({ keys: { '@ana': [phone, signKey('@ana')] } })
    await own.call('GET', '/api/health')
    const browser = await signIn()
    const stream = await import('../../app/api/trpc/[trpc]/route.ts')
    const headers = browser.headers({ accept: 'text/event-stream' })
    const input = encodeURIComponent(JSON.stringify({}))
    const response = await stream.GET(new Request(`${console}/api/trpc/stream.events?input=${input}`, { headers }))
    const kid = branch.state.identities.get(parseAtSign('@ana'))!.keys.map((key) => key)[0]!
    const target = { kind: 'key', id: phone.sign('postern-login-v1', new Uint8Array()).kid } as const
    expect(kid.alg).toBe('webauthn-es256')
    await own.call('POST', '/api/v1/revocations', { body: encodeSigned(revocation(branch, target, { by: [signKey('@ana')] })) })
    expect(await whoami(browser)).toBeUndefined()
    expect(await response.text()).toContain('event') // it ends, or this would never return
    ;({ t, branch } = keep)
    await own[Symbol.asyncDispose]()
    await t.call('GET', '/api/health')
  })
})

describe('a stolen cookie', () => {
  test('counts for nothing in the API', async () => {
    const browser = await signIn()
    const cookie = browser.headers().get('cookie')!
    for (const [method, path, body] of [
      ['GET', '/api/v1/fleet', undefined],
      ['GET', '/api/v1/sessions', undefined],
      ['POST', '/api/v1/codes', { kind: 'gateway' }],
      ['GET', '/api/v1/requests', undefined],
      ['GET', '/api/v1/stream', undefined],
    ] as const) {
      const headers = { host: 'console.example', cookie }
      expect(await t.call(method, path, { headers, ...(body ? { body } : {}) }), path).toMatchObject({ status: 401 })
    }
  })
  test('changes no authority: a statement or revocation without its signatures is refused, whoever is signed in', async () => {
    const browser = await signIn()
    const head = t.control.ledger.head()
    const unsigned = draft(
      branch,
      'policy.set',
      { name: 'main', sha256: encodeBase64url(bytesOf('policy', 32)) },
      {
        by: [],
        at: t.now.seconds,
      },
    )
    const wrong = draft(branch, 'admin.remove', { atsign: parseAtSign('@ana') }, { by: [signKey('@eve')], at: t.now.seconds })
    for (const signed of [unsigned, wrong]) {
      const { status } = await browser.mutate('authority.append', { entry: encodeSigned(signed) })
      expect(status).toBe(400)
    }
    const target = { kind: 'enrolment', id: branch.state.identities.get(parseAtSign('@ben'))!.enrolment } as const
    const revoking = revocation(branch, target, { by: [signKey('@eve')] })
    expect((await browser.mutate('revocations.add', encodeSigned(revoking))).status).toBe(400)
    expect(t.control.ledger.head()).toEqual(head)
    expect(t.control.ledger.revocations.held.size).toBe(0)
  })
  test('is useless from another page: a request must come from this console', async () => {
    const browser = await signIn()
    const evil = new Browser('https://evil.example')
    evil.jar.set('__Host-postern', browser.jar.get('__Host-postern')!)
    expect((await evil.mutate('people.endSession', { kid: encodeBase64url(bytesOf('x', 32)) })).json.error).toMatchObject({
      code: 'WRONG_ORIGIN',
    })
    const sibling = await browser.send('GET', '/api/trpc/people.whoami', undefined, { 'sec-fetch-site': 'same-site' })
    expect(sibling.json.error).toMatchObject({ code: 'WRONG_ORIGIN' })
    const silent = await browser.mutate('people.endSession', { kid: encodeBase64url(bytesOf('x', 32)) }, { origin: 'null' })
    expect(silent.json.error).toMatchObject({ code: 'WRONG_ORIGIN' })
  })
  test('sent twice under one name is not read at all', async () => {
    const browser = await signIn()
    const value = browser.jar.get('__Host-postern')!
    const cookie = `__Host-postern=${value}; __Host-postern=${value}`
    expect((await browser.send('GET', '/api/trpc/people.whoami', undefined, { cookie })).status).toBe(401)
  })
})

test('the link to the signing page asks for a login at this console over this nonce, and nothing else', async () => {
  const { url, nonce } = await startSignIn(t.control, new Browser().headers(), '@ana')
  const { origin, hash } = new URL(url)
  expect(origin).toBe(site.origins[0])
  expect(parseSignerRequest(hash.slice(1))).toEqual({ v: 1, kind: 'login', console, org: branch.org, nonce, atsign: '@ana' })
})

test('over http the cookies have other names, since browsers take __Host- over https only', async () => {
  const { cookie } = await startSignIn(t.control, new Headers({ host: 'localhost:3000' }))
  expect(cookie).toMatchObject({ name: 'postern_login', isSecure: false })
})
