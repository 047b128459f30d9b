// Every page in both themes and both widths: nothing that axe finds wrong, nothing wider than the screen, as little code as was promised.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { root } from '../fixtures/processes.ts'
import { WIDTHS } from './stage/device.ts'
import { found, signIn } from './stage/people.ts'
import { expect, test } from './stage/story.ts'

const ROUTES = [
  '/inbox',
  '/fleet',
  '/fleet/@ana',
  '/policies',
  '/policies/main/draft',
  '/grants',
  '/calls',
  '/people',
  '/people/@ana',
  '/codes',
  '/settings',
]
const screens = join(root, 'test-results/screens')

async function look(page: Page, name: string) {
  const { violations } = await new AxeBuilder({ page }).analyze()
  const found = violations.map(({ id, nodes }) => `${name}: ${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
  await page.screenshot({ path: join(screens, `${name.replaceAll('/', '_')}.png`) })
  const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  return [...found, ...(tooWide > 1 ? [`${name}: ${tooWide} px wider than the screen`] : [])]
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`every page can be read and used by everybody (${colorScheme})`, async ({ postern, device }) => {
    test.setTimeout(300_000)
    await mkdir(screens, { recursive: true })
    const ana = await device({ colorScheme })
    const { page } = ana
    await found(ana, postern)
    const wrong = await look(page, `signer-founded-${colorScheme}`)
    await page.goto(`${postern.console}/sign-in`)
    wrong.push(...(await look(page, `sign-in-${colorScheme}`)))
    await signIn(ana, postern, '@ana')
    for (const route of ROUTES) {
      for (const [width, size] of Object.entries(WIDTHS)) {
        await page.setViewportSize(size)
        await page.goto(`${postern.console}${route}`)
        await expect(page.getByRole('heading', { level: 1 }).first(), route).toBeVisible()
        await expect(page.locator('[aria-busy=true]')).toHaveCount(0)
        wrong.push(...(await look(page, `${route.slice(1)}-${width}-${colorScheme}`)))
      }
    }
    await page.setViewportSize(WIDTHS.desktop)
    await page.goto(`${postern.console}/codes`)
    await page.getByRole('button', { name: 'Enrol a gateway' }).first().click()
    await expect(page.getByRole('dialog')).toBeVisible()
    wrong.push(...(await look(page, `codes-dialog-${colorScheme}`)))
    expect(wrong).toEqual([])
  })
}

/** kB of JavaScript, compressed, that a page loads from an empty cache until it is quiet (console.md §6). */
const BUDGETS = {
  '/inbox': 190,
  '/settings': 190,
  '/fleet': 250,
  '/calls': 250,
  '/grants': 250,
  '/policies': 250,
  '/policies/main/draft': 380,
} as const

test('pages load no more JavaScript than was promised', async ({ postern, device }) => {
  const ana = await device()
  const { page } = ana
  await found(ana, postern)
  await signIn(ana, postern, '@ana')
  const measured: Record<string, number> = {}
  const weigh = async (url: string) => {
    const bodies: Promise<Buffer>[] = []
    const cdp = await ana.context.newCDPSession(page)
    await cdp.send('Network.setCacheDisabled', { cacheDisabled: true })
    const take = (response: { request(): { resourceType(): string }; body(): Promise<Buffer> }) => {
      if (response.request().resourceType() === 'script') bodies.push(response.body())
    }
    page.on('response', take)
    await page.goto('about:blank')
    await page.goto(url)
    await expect(page.getByRole('heading').first()).toBeVisible()
    page.off('response', take)
    return (await Promise.all(bodies)).reduce((sum, body) => sum + gzipSync(body).length, 0) / 1000
  }
  for (const route of Object.keys(BUDGETS)) measured[route] = Math.round(await weigh(`${postern.console}${route}`))
  measured.signer = Math.round(await weigh(postern.signer))
  console.log(
    `JavaScript, kB compressed: ${Object.entries(measured)
      .map(([route, kB]) => `${route} ${kB}`)
      .join(' · ')}`,
  )
  for (const [route, most] of Object.entries({ ...BUDGETS, signer: 130 })) expect(measured[route], route).toBeLessThanOrEqual(most)
})
