// What people do in the browser, as steps that stories put together. Every step looks at what is on the screen.
import type { Page } from '@playwright/test'
import { expect } from '@playwright/test'
import type { Device } from './device.ts'
import type { Postern } from './postern.ts'

/** A button that arms itself after a moment of being looked at. */
export async function press(page: Page, name: string | RegExp): Promise<void> {
  await page.bringToFront()
  const button = page.getByRole('button', { name }).first()
  await expect(button).toBeEnabled()
  await button.click()
}

export interface Founding {
  readonly atsign?: string
  readonly name?: string
  readonly passkeys?: 1 | 2
}

/** J1: from the printed link to the founded organisation. Returns its eight words, as the signer showed them. */
export async function found(device: Device, postern: Postern, { atsign = '@ana', name = 'acme', passkeys = 1 }: Founding = {}) {
  const { page } = device
  await page.goto(postern.genesisLink!)
  await press(page, 'This address is right')
  await page.getByLabel('Your atSign').fill(atsign)
  await page.getByLabel('The organisation’s name').fill(name)
  await press(page, 'Continue')
  await press(page, 'Make passkey 1')
  if (passkeys === 2) {
    await expect(page.getByRole('heading', { name: 'A second passkey, now' })).toBeVisible()
    await device.anotherAuthenticator()
    await press(page, 'Make passkey 2')
  } else await press(page, 'Skip in this trial')
  await expect(page.getByRole('heading', { name: 'The recovery kit' })).toBeVisible()
  const kit = await page.locator('.kit-words li').allInnerTexts()
  expect(kit).toHaveLength(24)
  await press(page, 'I have it on paper')
  for (const field of await page.getByLabel(/^Word \d+$/).all()) {
    const number = Number(/\d+/.exec(await field.evaluate((element) => (element as HTMLInputElement).labels![0]!.innerText))![0])
    await field.fill(kit[number - 1]!.trim())
  }
  await press(page, 'Continue')
  await expect(page.getByRole('heading', { name: 'The first statement' })).toBeVisible()
  const words = await page.getByRole('list', { name: 'The organisation’s words' }).getByRole('listitem').allInnerTexts()
  await press(page, 'Sign and start')
  await expect(page.getByRole('heading', { name: `"${name}" is founded` })).toBeVisible()
  return { words: words.map((word) => word.trim()), kit }
}

/** From wherever to the Inbox, signed in. */
export async function signIn(device: Device, postern: Postern, atsign: string): Promise<void> {
  const { page } = device
  await page.goto(`${postern.console}/sign-in`)
  await press(page, 'Sign in with a passkey')
  await page.waitForURL(`${postern.signer}/**`)
  const same = page.getByRole('button', { name: 'They are the same' })
  const sign = page.getByRole('button', { name: `Sign in as ${atsign}` })
  const name = page.getByLabel('Your atSign')
  await expect(same.or(sign).or(name).first()).toBeVisible()
  if (await same.isVisible()) await same.click()
  await expect(sign.or(name).first()).toBeVisible()
  if (await name.isVisible()) {
    await name.fill(atsign)
    await press(page, 'Continue')
  }
  await press(page, `Sign in as ${atsign}`)
  await page.waitForURL(`${postern.console}/inbox`)
  await expect(page.getByRole('heading', { name: 'Inbox', level: 1 })).toBeVisible()
}

/** Opens the signer by a button of the console; on a phone it takes the place of the page. */
export async function openSigner(device: Device, page: Page, name: string | RegExp): Promise<Page> {
  const isPhone = (page.viewportSize()?.width ?? 0) <= 640
  const button = page.getByRole('button', { name }).first()
  await expect(button).toBeEnabled()
  if (isPhone) {
    await button.click()
    await page.waitForURL(/:\d+\/(?:#|$)/)
    return page
  }
  const popup = await device.popup(() => button.click())
  await popup.waitForURL(/^http/)
  return popup
}

/** Reads the six words of an enrolment where it is signed, and says that they match. */
export async function compareWords(signer: Page, expected: readonly string[]): Promise<void> {
  const list = signer.getByRole('list', { name: /words/i }).first()
  await expect(list).toBeVisible()
  const shown = (await list.getByRole('listitem').allInnerTexts()).map((word) => word.trim())
  expect(shown).toEqual(expected)
  await press(signer, 'They match')
}

/** Signs what the signer shows, and waits until it is taken up. */
export async function sign(signer: Page, name: string | RegExp = /^(?:Sign|Approve)/): Promise<void> {
  await press(signer, name)
  await expect(signer.locator('.stages').getByText(/in the log|handed in|kept: it needs/)).toBeVisible()
}

/** What stands in a copyable field of the signer, e.g. the join string. */
export const copyText = async (signer: Page, label: string): Promise<string> => {
  const field = signer.getByLabel(label, { exact: true }).first()
  await expect(field).toBeVisible()
  return (await field.innerText()).trim()
}

/** Opens what waits on `page`, which the words of an enrolment come before, if it is one; signs it, and closes the signer. */
export async function reviewAndSign(device: Device, page: Page, { words, button = 'Review and sign ▸' }: Reviewing = {}): Promise<void> {
  const signer = await openSigner(device, page, button)
  if (words) await compareWords(signer, words)
  await sign(signer)
  if (signer !== page) await signer.close()
  else await signer.goBack()
}
export interface Reviewing {
  readonly words?: readonly string[]
  readonly button?: string | RegExp
}

/** J2 and J3, first half: the form of /codes, the code, and the signer's page with what to run. The console goes on waiting for it. */
export async function makeCode(device: Device, kind: 'gateway' | 'agent' | 'person', fill: (form: Page) => Promise<void>): Promise<Page> {
  const { page } = device
  await page.goto(new URL(`/codes?new=${kind}`, page.url()).href)
  await expect(page.getByRole('dialog')).toBeVisible()
  await fill(page)
  return openSigner(device, page, /^Make a code/)
}

/** `host` invites somebody, who makes a passkey on `guest`, compares words with them, and signs; the guest is signed in at the end. */
export async function invite(host: Device, guest: Device, postern: Postern, atsign: string, { isAdmin = false } = {}): Promise<void> {
  const signer = await makeCode(host, 'person', async () => {})
  const link = await copyText(signer, 'Invitation link')
  await signer.close()
  const { page } = guest
  await page.goto(link)
  await press(page, 'They are the same')
  await page.getByLabel('Your atSign').fill(atsign)
  await press(page, 'Continue')
  await press(page, 'Make passkey')
  await press(page, 'Sign and ask')
  const list = page.getByRole('list', { name: 'Your request’s words' })
  await expect(list).toBeVisible()
  const words = (await list.getByRole('listitem').allInnerTexts()).map((word) => word.trim())
  if (isAdmin) {
    await host.page.locator('summary', { hasText: 'person' }).first().click()
    await host.page.getByLabel('Make an administrator').check()
  }
  await reviewAndSign(host, host.page, { words })
  await expect(page.getByRole('heading', { name: `${atsign} is in` })).toBeVisible()
  await signIn(guest, postern, atsign)
}
