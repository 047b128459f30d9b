// Story: a person whose only key is a passkey, at a terminal: invited, signed in over loopback, and signing what the terminal asks for.
import type { Page } from '@playwright/test'
import { runCliJson } from '../fixtures/cli.ts'
import type { Home } from '../fixtures/processes.ts'
import { openHome, scripts, startNode } from '../fixtures/processes.ts'
import { openDevice } from './stage/device.ts'
import type { Postern } from './stage/postern.ts'
import { expect, test, timed } from './stage/story.ts'

async function found(postern: Postern): Promise<string> {
  const link = /http:\/\/localhost:\d+#[\w-]+/.exec(postern.up.output())![0]
  const sites = ['--signer-origin', postern.signer, '--console-origin', postern.console]
  const { org } = await postern.json<{ org: string }>(['genesis', link, '--name', 'Acme', '--as', '@ana', '--yes', ...sites])
  await postern.json(['login'])
  return org
}

/** @cy opens the invitation, makes a passkey, and becomes an administrator after @ana has compared the words. */
async function join(page: Page, postern: Postern): Promise<void> {
  const { link } = await postern.json<{ link: string }>(['people', 'invite'])
  await page.goto(link)
  await page.getByRole('button', { name: 'They are the same' }).click()
  await page.getByLabel('Your atSign').fill('@cy')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('button', { name: 'Make passkey' }).click()
  await page.getByRole('button', { name: 'Sign and ask' }).click()
  await expect(page.getByRole('heading', { name: 'Read these six words' })).toBeVisible()
  const { enrolments } = await postern.json<{ enrolments: { atsign: string; words: string[] }[] }>(['pending'])
  const { words } = enrolments.find(({ atsign }) => atsign === '@cy')!
  await postern.json(['approve', '@cy', '--admin', '--words', words.join(' ')])
  await expect(page.getByRole('heading', { name: '@cy is in' })).toBeVisible()
}

/** A command of @cy's own machine, which prints an address and waits. */
function terminal(home: Home, args: readonly string[]) {
  const child = startNode('terminal', scripts.cli, args, { env: home.env })
  return { child, url: async () => (await child.said(/http:\/\/localhost:\d+\/#[\w-]+/))[0] }
}

test('a passkey signs in at a terminal, and signs what it asks for', async ({ browser, postern }) => {
  const org = await found(postern)
  await using device = await openDevice(browser, [postern.console, postern.signer])
  await join(device.page, postern)
  await using home = await openHome('terminal')

  await timed('sign in at a terminal with a passkey', 30, async () => {
    const args = ['login', `${postern.console}#${org}`, '--as', '@cy', '--no-browser', '--yes']
    const { child, url } = terminal(home, args)
    await device.page.goto(await url())
    await device.page.getByRole('button', { name: 'Sign in as @cy' }).click()
    await expect(device.page.getByRole('status')).toHaveText('Done. You can close this tab and go on in the terminal.')
    expect(new URL(device.page.url()).hash).toBe('')
    expect(await child.exit).toBe(0)
  })
  expect(await runCliJson(home, ['whoami'])).toMatchObject({ atsign: '@cy', role: 'admin' })

  const { join: joinString } = await runCliJson<{ join: string }>(home, ['code', 'new', 'agent'])
  const { words } = await runCliJson<{ words: string[] }>(home, ['agent', 'enroll', joinString, '--name', '@bot', '--no-wait'])
  await timed('approve from a terminal with a passkey', 30, async () => {
    const { child, url } = terminal(home, ['approve', '@bot', '--words', words.join(' '), '--json'])
    const page = await device.popup(async () => device.context.newPage())
    await page.goto(await url())
    for (const word of words) await expect(page.getByText(word, { exact: true }).first()).toBeVisible() // the page computes them again
    await page.getByRole('button', { name: 'They match' }).click()
    await page.getByRole('button', { name: /^(Sign|Approve)( as @cy)?$/ }).click()
    expect(await child.exit).toBe(0)
    expect(child.output()).toContain('"status":"appended"')
  })
  const here = device.complaints.filter((complaint) => !complaint.startsWith('asked http://127.0.0.1:'))
  expect(here).toEqual([])
})

test('for a terminal on another machine the signing page shows the login as text, and goes nowhere', async ({ browser, postern }) => {
  const org = await found(postern)
  await using device = await openDevice(browser, [postern.console, postern.signer])
  await join(device.page, postern)
  await using home = await openHome('terminal-device')
  const { child, url } = terminal(home, ['login', `${postern.console}#${org}`, '--as', '@cy', '--device', '--yes'])
  await device.page.goto(await url())
  await device.page.getByRole('button', { name: 'Sign in as @cy' }).click()
  await expect(device.page.getByRole('heading', { name: 'Signed: paste this into your terminal' })).toBeVisible()
  const shown = (await device.page.locator('.copyable').innerText()).split('\n').find((line) => line.length > 200)!
  const { signatures } = JSON.parse(Buffer.from(shown, 'base64url').toString()) as { signatures: object[] }
  expect(signatures).toHaveLength(1)
  expect(new URL(device.page.url()).origin).toBe(postern.signer)
  expect(await child.exit).toBe(2) // there is no terminal here to paste it into
  expect(device.complaints).toEqual([])
})
