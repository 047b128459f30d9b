// J3, by nothing but buttons, popups and copied commands: a founded organisation gets a gateway, pins its tools, signs a policy from a
// template and lets in a developer, who enrols an agent; its client makes the first protected call.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { Page } from '@playwright/test'
import { root, scripts } from '../fixtures/processes.ts'
import type { Device } from './stage/device.ts'
import { copyText, found, invite, makeCode, reviewAndSign, signIn } from './stage/people.ts'
import type { Postern } from './stage/postern.ts'
import { expect, test, timed } from './stage/story.ts'

const filesystem = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js')

/** The code's page in the signer, closed once its join string is read; what it printed is what the person would copy. */
async function joinStringOf(signer: Page): Promise<string> {
  const string = await copyText(signer, 'The join string alone')
  await signer.close()
  return string
}

async function gatewayByCode(ana: Device, postern: Postern, notes: string): Promise<void> {
  const signer = await makeCode(ana, 'gateway', async (form) => {
    await form.getByLabel('Name of the gateway').fill('@gw')
    await form.getByLabel('Name of its first MCP server').fill('fs')
  })
  const command = await copyText(signer, 'macOS, Linux')
  expect(command).toContain(`gateway enroll '`)
  expect(command).toContain('--server fs')
  const string = await joinStringOf(signer)
  expect(await ana.page.content()).not.toContain(string.split('#')[1]) // the pin is never on a page of the console
  const behind = ['--name', '@gw', '--server', 'fs', '--', process.execPath, filesystem, notes]
  const machine = postern.run('gateway', ['gateway', 'enroll', string, ...behind])
  const words = (await machine.said(/approver sees:\s+((?:[a-z]+ ){5}[a-z]+)/))[1]!.split(' ')
  await reviewAndSign(ana, ana.page, { words })
  await expect(ana.page.getByText('@gw is enrolled')).toBeVisible()
  await machine.said(/gateway @gw/)
}

async function pinEverything(ana: Device): Promise<void> {
  const { page } = ana
  await page.goto(new URL('/fleet/@gw', page.url()).href)
  await page.getByLabel('Choose all that can be pinned').check()
  await page.getByLabel('For all that are chosen').selectOption('read')
  await page.getByLabel('Risk class of write_file').selectOption('write')
  await reviewAndSign(ana, page, { button: /^Pin \d+ tools/ })
  await expect(
    page
      .getByRole('listitem')
      .filter({ hasText: 'write_file' })
      .getByTitle(/^Callable/),
  ).toBeVisible()
}

async function firstPolicy(ana: Device): Promise<void> {
  const { page } = ana
  await page.goto(new URL('/policies', page.url()).href)
  await page.getByRole('listitem').filter({ hasText: 'Read-only allowed' }).getByRole('button', { name: 'Begin with this' }).click()
  await page.getByRole('tab', { name: 'Impact' }).click()
  const all = page.getByRole('button', { name: 'Open all' })
  const ready = page.getByRole('button', { name: 'Review and sign ▸' })
  await expect(all.or(ready).first()).toBeVisible()
  if (await all.isVisible()) await all.click()
  for (const untested of await page.getByLabel(/^I know that no test covers/).all()) await untested.check()
  await reviewAndSign(ana, page)
  await page.goto(new URL('/policies', page.url()).href)
  await expect(page.getByText(/1\/1 gateways on v\d+/).first()).toBeVisible()
}

async function ownAgent(bob: Device, postern: Postern): Promise<void> {
  const signer = await makeCode(bob, 'agent', async (form) => {
    await form.getByRole('radio', { name: 'Other' }).check()
    await form.getByLabel('Name of the agent').fill('@bob-bot')
  })
  const string = await joinStringOf(signer)
  const machine = postern.run('agent', ['agent', 'enroll', string, '--name', '@bob-bot', '--owner', '@bob'])
  const words = (await machine.said(/approver sees:\s+((?:[a-z]+ ){5}[a-z]+)/))[1]!.split(' ')
  await reviewAndSign(bob, bob.page, { words })
  expect(await machine.exit).toBe(0)
  await expect(bob.page.getByText('@bob-bot is enrolled')).toBeVisible()
}

async function connect(postern: Postern): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' })
  const args = [join(root, scripts.connector), '--agent', '@bob-bot', '--server', 'fs']
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args, env: { ...postern.home.env } as never, stderr: 'ignore' }),
  )
  return client
}
const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]!.text

test('from a founded organisation to a developer’s first protected call', async ({ postern, device }) => {
  const notes = join(postern.home.path, 'notes')
  await mkdir(notes)
  await writeFile(join(notes, 'today.txt'), 'buy milk')
  const ana = await device({ hasPrf: false })
  const bob = await device({ hasPrf: false })
  await found(ana, postern)
  await signIn(ana, postern, '@ana')
  await timed('J2 a gateway by code', 240, () => gatewayByCode(ana, postern, notes))
  await timed('J2 its tools pinned', 60, () => pinEverything(ana))
  await timed('a first policy, from a template', 60, () => firstPolicy(ana))
  await timed('J3 a developer is in, with a passkey', 120, () => invite(ana, bob, postern, '@bob'))
  await timed('J3 the developer’s own agent', 90, () => ownAgent(bob, postern))

  const client = await connect(postern)
  const read = () => client.callTool({ name: 'read_text_file', arguments: { path: join(notes, 'today.txt') } })
  expect(textOf(await read())).toContain('buy milk')
  await bob.page.goto(`${postern.console}/calls`)
  await expect(bob.page.getByText('read_text_file').first()).toBeVisible()
  await client.close()
})
