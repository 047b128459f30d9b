// J2 and J3: a gateway joins by a code and six words; a developer who was invited enrols an agent alone; its first call is seen.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { Page } from '@playwright/test'
import { encodeBase64url, policyDigest, toolDigest, utf8 } from '@postern/core'
import { native } from '@postern/daemon'
import { root, scripts, until } from '../fixtures/processes.ts'
import { mutate } from './stage/console.ts'
import type { Device, Width } from './stage/device.ts'
import { compareWords, found, openSigner, press, sign, signIn } from './stage/people.ts'
import type { Postern } from './stage/postern.ts'
import { expect, test, timed } from './stage/story.ts'

const filesystem = join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js')
const JOIN = /http:\/\/localhost:\d+#[\w-]{43}\.[\w-]+/
const WIDTHS: readonly Width[] = ['desktop', 'phone']

/** Makes a code in the console, and reads what the signer shows for it: a join string or an invitation. Back at the console in the end. */
async function code(device: Device, postern: Postern, what: string, fields: Record<string, string>, wanted: RegExp): Promise<string> {
  const { page } = device
  await page.goto(`${postern.console}/codes`)
  await press(page, what)
  const dialog = page.getByRole('dialog')
  for (const [label, value] of Object.entries(fields)) await dialog.getByLabel(label).fill(value)
  const signer = await openSigner(device, page, 'Make a code and open the signer ▸')
  const same = signer.getByRole('button', { name: 'They are the same' })
  await expect(same.or(signer.getByText(wanted).first()).first()).toBeVisible()
  if (await same.isVisible()) await same.click()
  await expect(signer.getByText(wanted).first()).toBeVisible()
  const shown = wanted.exec((await signer.locator('body').innerText()).replace(/\s*\n\s*/g, '\n'))![0]
  if (signer === page) await page.goBack()
  else await signer.close()
  return shown
}

/** Compares the words of what waits, and signs it. */
async function approve(device: Device, postern: Postern, atsign: string, words: readonly string[]): Promise<void> {
  const { page } = device
  await page.goto(`${postern.console}/inbox`)
  await expect(page.getByText(new RegExp(`${atsign} wants to join`)).first()).toBeVisible()
  expect(await page.content()).not.toContain(words.slice(0, 3).join(' '))
  const signer = await openSigner(device, page, /Review and sign/)
  await compareWords(signer, words)
  await sign(signer)
}

async function addGateway(device: Device, postern: Postern): Promise<string> {
  const notes = join(postern.home.path, 'notes')
  await mkdir(notes, { recursive: true })
  const fields = { 'Name of the gateway': '@gw-home', 'Name of its first MCP server': 'fs' }
  const string = await code(device, postern, 'Enrol a gateway', fields, JOIN)
  const command = [
    'gateway',
    'enroll',
    string,
    '--no-wait',
    '--name',
    '@gw-home',
    '--server',
    'fs',
    '--',
    process.execPath,
    filesystem,
    notes,
  ]
  const { words } = await postern.json<{ words: string[] }>(command)
  await approve(device, postern, '@gw-home', words)
  await postern.run('gateway', ['gateway', 'run', '@gw-home']).said(/gateway @gw-home/)
  return notes
}

for (const width of WIDTHS) {
  test(`J2: a gateway joins by a code and six words, and is seen to be there (${width})`, async ({ postern, device }) => {
    const ana = await device({ width })
    await found(ana, postern)
    await signIn(ana, postern, '@ana')
    await timed(`J2 gateway, ${width}`, 120, () => addGateway(ana, postern))
    await ana.page.goto(`${postern.console}/fleet`)
    await expect(ana.page.getByText('@gw-home').first()).toBeVisible()
    await expect(ana.page.getByText(/online/i).first()).toBeVisible()
  })
}

/** Signs a draft of the console in this tab. */
async function signDraft(page: Page, input: { op: string; body: object; policy?: string }): Promise<void> {
  const { data, status, code: why } = await mutate<{ url: string }>(page, 'requests.draft', input)
  expect(status, why).toBe(200)
  await page.goto(data.url)
  await sign(page)
}

test('J3: an invited developer enrols an agent alone, and its first protected call appears in Live calls', async ({ postern, device }) => {
  const ana = await device()
  await found(ana, postern)
  await signIn(ana, postern, '@ana')
  const notes = await addGateway(ana, postern)
  await writeFile(join(notes, 'hello.txt'), 'hello')

  const ben = await device()
  const invitation = await code(ana, postern, 'Invite a person', {}, /http:\/\/localhost:\d+\/#[\w-]+/)
  await ben.page.goto(invitation)
  await press(ben.page, 'They are the same')
  await ben.page.getByLabel('Your atSign').fill('@ben')
  await press(ben.page, 'Continue')
  await press(ben.page, 'Make passkey')
  await press(ben.page, 'Sign and ask')
  await expect(ben.page.getByRole('heading', { name: 'Read these six words' })).toBeVisible()
  const shown = await ben.page.getByRole('list', { name: /words/i }).first().getByRole('listitem').allInnerTexts()
  await approve(
    ana,
    postern,
    '@ben',
    shown.map((word) => word.trim()),
  )
  await expect(ben.page.getByRole('heading', { name: '@ben is in' })).toBeVisible()

  await ana.page.goto(`${postern.console}/inbox`)
  const tools = await until('the gateway to report its tools', 30_000, () =>
    ana.page.evaluate(async () => {
      const input = encodeURIComponent(JSON.stringify({ atsign: '@gw-home' }))
      const { result } = await (await fetch(`/api/trpc/fleet.tools?input=${input}`)).json()
      return result?.data.servers[0]?.tools as { name: string }[] | undefined
    }),
  )
  const set = tools
    .filter(({ name }) => name === 'list_directory')
    .map((tool) => ({ name: tool.name, digest: toolDigest(tool as never, native), risk: 'read' }))
  await signDraft(ana.page, { op: 'server.pin', body: { gateway: '@gw-home', server: 'fs', set, unset: [] } })
  await ana.page.goto(`${postern.console}/inbox`)
  const rules = [{ id: 'lists', who: ['*'], servers: ['fs'], tools: ['list_directory'], effect: 'allow' }]
  const policy = utf8(JSON.stringify({ v: 1, name: 'main', rules }))
  await signDraft(ana.page, { op: 'policy.set', body: { name: 'main', sha256: policyDigest(policy) }, policy: encodeBase64url(policy) })

  await signIn(ben, postern, '@ben')
  await timed('J3 own agent to first protected call', 180, async () => {
    const string = await code(ben, postern, 'Enrol an agent', { 'Name of the agent': '@ben-bot', 'Which server?': 'fs' }, JOIN)
    const { words } = await postern.json<{ words: string[] }>([
      'agent',
      'enroll',
      string,
      '--no-wait',
      '--name',
      '@ben-bot',
      '--owner',
      '@ben',
    ])
    await approve(ben, postern, '@ben-bot', words)
    await ana.page.goto(`${postern.console}/calls`)
    const client = new Client({ name: 'story', version: '1' })
    const args = [join(root, scripts.connector), '--agent', '@ben-bot', '--server', 'fs']
    await client.connect(new StdioClientTransport({ command: process.execPath, args, env: { ...postern.home.env }, stderr: 'ignore' }))
    const { content } = await client.callTool({ name: 'list_directory', arguments: { path: notes } })
    expect(JSON.stringify(content)).toContain('hello.txt')
    await expect(ana.page.getByText('@ben-bot').first()).toBeVisible()
    await expect(ana.page.getByText(/list_directory/).first()).toBeVisible()
    await client.close()
  })
})
