// Story: an agent's call waits, and a person with a passkey lets it run, or not: Inbox → signer → gateway → MCP client.
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { Page } from '@playwright/test'
import type { SignerRequest } from '@postern/core'
import { signerRequestUrl } from '@postern/core'
import { root, scripts, until } from '../fixtures/processes.ts'
import type { Device } from './stage/device.ts'
import type { Postern } from './stage/postern.ts'
import { expect, test, timed } from './stage/story.ts'

const filesystem = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js')
const rules = [{ id: 'writes', who: ['@bot'], servers: ['fs'], tools: ['write_file'], effect: 'ask', approvers: ['@cy'] }]

/** An organisation of @ana at the command line, with a gateway and the agent @bot; @cy, whose passkey approves. */
async function setUp(postern: Postern, cy: Device): Promise<{ notes: string; org: string }> {
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
  await enrol('gateway', '@gw', ['--server', 'fs', '--', process.execPath, filesystem, notes])
  await postern.run('gateway', ['gateway', 'run', '@gw']).said(/gateway @gw/)
  await enrol('agent', '@bot')
  await until('the gateway to report its tools', 30_000, async () =>
    (await postern.json<unknown[]>(['tools', 'list', 'fs'])).length > 0 ? true : undefined,
  )
  await postern.json(['tools', 'pin', 'fs', 'write_file', '--risk', 'write', '--yes'])
  await writeFile(join(home.path, 'policy.json'), JSON.stringify({ v: 1, name: 'main', rules }))
  await postern.json(['policy', 'sign', join(home.path, 'policy.json'), '--yes'])
  const request: SignerRequest = { v: 1, kind: 'enrolment', control, org, code: (await code('person')).split('.').at(-1)! }
  await enrolCy(cy.page, signerRequestUrl(signer, request), postern)
  return { notes, org }
}

/** @cy makes a passkey and is let in by @ana, who compares the words. */
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
  for (const word of words) await expect(page.getByText(word, { exact: true }).first()).toBeVisible()
  await postern.json(['approve', '@cy', '--words', words.join(' ')])
  await expect(page.getByRole('heading', { name: '@cy is in' })).toBeVisible()
}

async function signIn(page: Page, console: string): Promise<void> {
  await page.goto(`${console}/sign-in`)
  await page.locator('form button[type=submit]').click()
  await page.getByRole('button', { name: /sign in/i }).click()
  await page.waitForURL(/\/inbox/)
}

async function connect(postern: Postern): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  const args = [join(root, scripts.connector), '--agent', '@bot', '--server', 'fs']
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args, env: { ...postern.home.env } as never, stderr: 'ignore' }),
  )
  return client
}
const openSigner = (page: Page) => page.getByRole('button', { name: 'Review and sign' }).first()
const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]!.text

/** How people come from the Inbox to the signer: in a popup, or, on a phone, in the same tab. */
const ways = {
  'a popup, with a seal key that the browser keeps': {
    options: { hasPrf: false },
    open: (cy: Device) => cy.popup(() => openSigner(cy.page).click()),
  },
  'the same tab of a phone, with a seal key that the passkey makes': {
    options: { width: 'phone' },
    async open({ page }: Device) {
      await openSigner(page).click()
      return page
    },
  },
} as const

for (const [way, { options, open }] of Object.entries(ways)) {
  test(`a call waits in the Inbox, opens in ${way}, and runs once when a passkey has signed for it`, async ({ postern, device }) => {
    const cy = await device(options)
    const { notes } = await setUp(postern, cy)
    await signIn(cy.page, postern.console)
    const client = await connect(postern)
    const write = (name: string) =>
      client.callTool({ name: 'write_file', arguments: { path: join(notes, name), content: 'hello\u200b there' } })
    const openWaiting = async (decide: string) => {
      await expect(openSigner(cy.page)).toBeVisible()
      expect(await cy.page.content()).not.toContain('hello') // the console has no arguments to show
      const signer = await open(cy)
      const withPasskey = signer.getByRole('button', { name: 'Open with passkey' })
      const button = signer.getByRole('button', { name: decide, exact: true })
      await expect(withPasskey.or(button).first()).toBeVisible()
      if (await withPasskey.isVisible()) await withPasskey.click()
      await expect(signer.getByText('"hello<U+200B> there"').first()).toBeVisible()
      await button.scrollIntoViewIfNeeded()
      await expect(button).toBeEnabled()
      await button.click()
      return signer
    }

    const result = write('approved.txt')
    await timed('approval: from the Inbox to the result', 12, async () => {
      const signer = await openWaiting('Approve once')
      await expect(signer.getByText(/verified by @gw: approved by @cy/).first()).toBeVisible()
      await expect(signer.getByText(/executed, /).first()).toBeVisible()
      expect(textOf(await result)).toContain('Successfully wrote')
    })
    expect(readFileSync(join(notes, 'approved.txt'), 'utf8')).toBe('hello\u200b there')

    await cy.page.goto(`${postern.console}/inbox`)
    const other = write('refused.txt')
    const signer = await openWaiting('Refuse')
    await expect(signer.getByText(/verified by @gw: refused by @cy/).first()).toBeVisible()
    const answer = await other
    expect(answer.isError).toBe(true)
    expect(textOf(answer)).toContain('refused by @cy')
    expect(existsSync(join(notes, 'refused.txt'))).toBe(false)
    await client.close()
  })
}
