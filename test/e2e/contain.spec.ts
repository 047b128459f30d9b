// Story: an agent is contained from its page (J6): what would stop, one signature, and in force only where gateways say so themselves.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import type { SignerRequest } from '@postern/core'
import { signerRequestUrl } from '@postern/core'
import type { Child } from '../fixtures/processes.ts'
import { root } from '../fixtures/processes.ts'
import { signIn } from './stage/people.ts'
import type { Postern } from './stage/postern.ts'
import { expect, test, timed } from './stage/story.ts'

const filesystem = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js')

/** An organisation of @ana at the command line; @cy, who has a passkey, and the agent @bot, which acts for @cy; one gateway, running. */
async function setUp(postern: Postern, page: Page): Promise<Child> {
  const { home, console: control, signer } = postern
  const notes = join(home.path, 'notes')
  await mkdir(notes)
  const link = /http:\/\/localhost:\d+#[\w-]+/.exec(postern.up.output())![0]
  const sites = ['--signer-origin', signer, '--console-origin', control]
  const { org } = await postern.json<{ org: string }>(['genesis', link, '--name', 'Acme', '--as', '@ana', '--yes', ...sites])
  await postern.json(['login'])
  const code = async (kind: string) => (await postern.json<{ join: string }>(['code', 'new', kind])).join
  const enrol = async (kind: string, name: string, more: readonly string[] = []) => {
    const { words } = await postern.json<{ words: string[] }>([kind, 'enroll', await code(kind), '--no-wait', '--name', name, ...more])
    await postern.json(['approve', name, '--words', words.join(' ')])
  }
  const request: SignerRequest = { v: 1, kind: 'enrolment', control, org, code: (await code('person')).split('.').at(-1)! }
  await enrolCy(page, signerRequestUrl(signer, request), postern)
  await enrol('agent', '@bot', ['--owner', '@cy'])
  await enrol('gateway', '@gw', ['--server', 'fs', '--', process.execPath, filesystem, notes])
  const gateway = postern.run('gateway', ['gateway', 'run', '@gw'])
  await gateway.said(/gateway @gw/)
  return gateway
}

async function enrolCy(page: Page, url: string, postern: Postern): Promise<void> {
  await page.goto(url)
  await page.getByRole('button', { name: 'They are the same' }).click()
  await page.getByLabel('Your atSign').fill('@cy')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('button', { name: 'Make passkey' }).click()
  await page.getByRole('button', { name: 'Sign and ask' }).click()
  await expect(page.getByRole('heading', { name: 'Read these six words' })).toBeVisible()
  const { enrolments } = await postern.json<{ enrolments: { atsign: string; words: string[] }[] }>(['pending'])
  const { words } = enrolments.find(({ atsign }) => atsign === '@cy')!
  await postern.json(['approve', '@cy', '--words', words.join(' ')])
  await expect(page.getByRole('heading', { name: '@cy is in' })).toBeVisible()
}

test('an agent is suspended from its page, effective when its gateway says so; revoked while the gateway is away, it says NOT EFFECTIVE', async ({
  postern,
  device,
}) => {
  const cy = await device()
  const { page } = cy
  const gateway = await setUp(postern, page)
  await signIn(cy, postern, '@cy')
  const dialog = page.getByRole('dialog')
  const sign = async () => {
    const signer = await cy.popup(() => dialog.getByRole('button', { name: /Review and sign/ }).click())
    await expect(signer.getByText(/enrolment .* of @bot/).first()).toBeVisible()
    const button = signer
      .locator('button:not([disabled])')
      .filter({ hasText: /suspend|revoke|sign/i })
      .last()
    await button.scrollIntoViewIfNeeded()
    await button.click()
  }

  await page.goto(`${postern.console}/fleet?q=kind:agent`)
  await timed('contain: from the list to in force everywhere', 60, async () => {
    await page.getByRole('link', { name: '@bot' }).click()
    await page.getByRole('button', { name: 'Suspend…' }).click()
    await dialog.getByLabel('Reason').fill('token leak?')
    await sign()
    await expect(dialog.getByText(/Effective on 1 of 1 gateways, [\d,]+ ms/)).toBeVisible()
  })
  await page.keyboard.press('Escape')
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Suspended')
  await expect(page.getByText('token leak?')).toBeVisible()

  await gateway.stop()
  await page.getByRole('button', { name: 'Revoke…' }).click()
  await dialog.getByLabel('Reason').fill('it was')
  await expect(dialog.getByRole('button', { name: /Review and sign/ })).toBeDisabled()
  await dialog.getByLabel('Type @bot to confirm').fill('@bot')
  await sign()
  await expect(dialog.getByText('NOT EFFECTIVE on any of 1 gateways yet')).toBeVisible()
  await expect(dialog.getByText('postern gateway apply revocation.json')).toBeVisible()
  const [file] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Save revocation.json' }).click()])
  const path = join(postern.home.path, 'revocation.json')
  await file.saveAs(path)
  await postern.cli(['gateway', 'apply', path])
  await postern.run('gateway again', ['gateway', 'run', '@gw']).said(/gateway @gw/)
  await expect(dialog.getByText(/Effective on 1 of 1 gateways/)).toBeVisible({ timeout: 30_000 })
})
