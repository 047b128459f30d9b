// Stories of those who have the console, or somebody's session, and want a signature, or authority without one.
import { encodeCanonical } from '@postern/core'
import { mutate } from './stage/console.ts'
import { found, signIn } from './stage/people.ts'
import { expect, test } from './stage/story.ts'

type Made = { readonly id: string; readonly url: string; readonly sha256: string }
type Fields = Record<string, unknown>

const thresholds = { root: { m: 1 }, sensitive: { m: 1 }, routine: { m: 1 } }
const fieldsOf = (url: string): Fields => JSON.parse(Buffer.from(new URL(url).hash.slice(1), 'base64url').toString())
const linkOf = (signer: string, fields: Fields) => `${signer}/#${Buffer.from(encodeCanonical(fields as never)).toString('base64url')}`

test('a stolen session reads and drafts, and changes no authority', async ({ postern, device }) => {
  const ana = await device()
  await found(ana, postern)
  await signIn(ana, postern, '@ana')
  const eve = await device()
  await eve.context.addCookies(await ana.context.cookies(postern.console))
  await eve.page.goto(`${postern.console}/inbox`)
  await expect(eve.page.getByRole('heading', { name: 'Inbox', level: 1 })).toBeVisible()

  const made = await mutate<Made>(eve.page, 'requests.draft', { op: 'threshold.set', body: { thresholds } })
  expect(made.status).toBe(200)
  const head = () => eve.page.evaluate(async () => (await (await fetch('/api/trpc/status.overview')).json()).result.data.head)
  const before = await head()
  const { bytes } = await eve.page.evaluate(async (id) => (await fetch(`/api/v1/requests/${id}`)).json(), made.data.id)
  const unsigned = await mutate(eve.page, 'authority.append', { entry: { bytes, signatures: [] } })
  expect(unsigned).toMatchObject({ status: 400, code: 'THRESHOLD_NOT_MET' })
  for (const path of ['/api/v1/fleet', '/api/v1/codes', '/api/v1/requests', '/api/v1/sessions'])
    expect(await eve.page.evaluate(async (url) => (await fetch(url)).status, path), path).toBe(401)

  // The signer asks for a passkey, which a cookie is not: whoever has none is told so, or their prompt comes to nothing.
  await eve.refuseNext()
  await eve.page.goto(made.data.url)
  const same = eve.page.getByRole('button', { name: 'They are the same' })
  const sign = eve.page.getByRole('button', { name: /^Sign/ })
  await expect(same.or(sign).first()).toBeVisible()
  if (await same.isVisible()) await same.click()
  await expect(sign.first()).toBeEnabled()
  await sign.first().click()
  await expect(eve.page.getByText(/Not signed|no passkey/i).first()).toBeVisible()
  await eve.page.goto(`${postern.console}/inbox`)
  expect(await head()).toEqual(before)
})

test('a hostile console gets no signature for anything but what the signer shows, in eight ways', async ({ postern, device }) => {
  const ana = await device()
  const { page } = ana
  await found(ana, postern)
  await signIn(ana, postern, '@ana')
  const wanted = (await mutate<Made>(page, 'requests.draft', { op: 'threshold.set', body: { thresholds } })).data
  const grant = { kind: 'grant', id: 'A'.repeat(43) }
  const other = (await mutate<Made>(page, 'requests.draftRevocation', { targets: [grant], reason: 'harmless' })).data
  const read = (id: string) => page.evaluate(async (of) => (await fetch(`/api/v1/requests/${of}`)).json(), id)
  const [statement, revocation] = [await read(wanted.id), await read(other.id)]
  const asked = fieldsOf(wanted.url)
  const json = (body: unknown) => ({ json: body, headers: { 'access-control-allow-origin': postern.signer } })
  const answers = `${postern.console}/api/v1/requests/*`
  const log = `${postern.console}/api/v1/log*`
  const posted: string[] = []
  page.on('request', (request) => {
    if (request.method() === 'POST' && /signatures|decisions/.test(request.url())) posted.push(request.url())
  })

  const attempts: readonly { readonly how: string; readonly fields: Fields; readonly lie?: readonly [string, unknown] }[] = [
    { how: 'other bytes under the same id', fields: asked, lie: [answers, { ...statement, bytes: revocation.bytes }] },
    { how: 'a statement asked for as a revocation', fields: { ...asked, kind: 'revocation' } },
    { how: 'the hash of something else', fields: { ...asked, sha256: other.sha256 } },
    { how: 'another organisation', fields: { ...asked, org: `${'B'.repeat(42)}A` } },
    { how: 'a field that nobody knows', fields: { ...asked, confirm: true } },
    { how: 'a kind that nobody knows', fields: { ...asked, kind: 'challenge' } },
    { how: 'a log without its beginning', fields: asked, lie: [log, { org: asked.org, entries: [], head: null, next: null }] },
    {
      how: 'a sign-in at a console that the organisation does not have',
      fields: { v: 1, kind: 'login', console: 'https://evil.example', org: asked.org, nonce: 'A'.repeat(22), atsign: '@ana' },
    },
  ]
  for (const { how, fields, lie } of attempts) {
    if (lie) await page.route(lie[0], (route) => route.fulfill(json(lie[1])))
    await page.goto('about:blank')
    await page.goto(linkOf(postern.signer, fields))
    await expect(page.locator('main h1, main h2, [role=alert]').first(), how).toBeVisible()
    await page.waitForLoadState('networkidle')
    await expect(page.getByRole('button', { name: /^(Sign|Approve)/ }), how).toHaveCount(0)
    if (lie) await page.unroute(lie[0])
  }
  expect(posted).toEqual([])
  // And the honest one can be signed: what was refused was refused for what it was.
  await page.goto('about:blank')
  await page.goto(wanted.url)
  await expect(page.getByRole('button', { name: /^Sign/ }).first()).toBeEnabled()
})

test('the signer cannot be put into a frame', async ({ postern, device }) => {
  const ana = await device()
  const answer = await ana.page.goto(postern.signer)
  expect(answer!.headers()['content-security-policy']).toContain("frame-ancestors 'none'")
  expect(answer!.headers()['cross-origin-opener-policy']).toBe('same-origin')
  expect(answer!.headers()['set-cookie']).toBeUndefined()
})
