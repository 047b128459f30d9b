// J2: a gateway joins by a code and six words, on a desktop, on a phone, and without a pointer.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Locator } from '@playwright/test'
import { root } from '../fixtures/processes.ts'
import type { Device, Width } from './stage/device.ts'
import { compareWords, copyText, found, openSigner, press, sign, signIn } from './stage/people.ts'
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

/** Tab until it has the focus: whatever can be pressed has to be reached so, in an order that ends. */
async function tabTo(target: Locator): Promise<void> {
  const page = target.page()
  await page.bringToFront()
  await expect(target).toBeEnabled()
  for (let steps = 0; steps < 60; steps++) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`60 times Tab do not lead to ${target}`)
}

test('J2 without a pointer: Tab, Enter and Space from the list of codes to an enrolled gateway', async ({ postern, device }) => {
  const ana = await device({ hasPrf: false })
  const { page } = ana
  await found(ana, postern)
  await signIn(ana, postern, '@ana')
  await page.goto(`${postern.console}/codes`)
  await tabTo(page.getByRole('button', { name: 'Enrol a gateway' }).first())
  await page.keyboard.press('Enter')
  await tabTo(page.getByLabel('Name of the gateway'))
  await page.keyboard.type('@gw-home')
  await tabTo(page.getByRole('button', { name: /^Make a code/ }))
  const shown = await ana.popup(() => page.keyboard.press('Enter'))
  const string = JOIN.exec(await copyText(shown, 'The join string alone'))![0]
  await shown.close()

  const { words } = await postern.json<{ words: string[] }>(['gateway', 'enroll', string, '--no-wait', '--name', '@gw-home'])
  await page.bringToFront()
  await tabTo(page.getByRole('button', { name: 'Review and sign ▸' }))
  const signer = await ana.popup(() => page.keyboard.press('Enter'))
  for (const word of words) await expect(signer.getByText(word, { exact: true }).first()).toBeVisible()
  await tabTo(signer.getByRole('button', { name: 'They match' }))
  await signer.keyboard.press('Space')
  await tabTo(signer.getByRole('button', { name: /^Approve/ }))
  await signer.keyboard.press('Enter') // signs nothing
  await expect(signer.getByRole('button', { name: /^Approve/ })).toBeEnabled()
  await signer.keyboard.press('Space')
  await expect(signer.getByText(/in the log/).first()).toBeVisible()
  await expect(page.getByText('@gw-home is enrolled')).toBeVisible()
})
