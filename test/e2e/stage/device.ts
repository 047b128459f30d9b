// A person's device: a browser of its own (cookies, storage) with an authenticator. Chromium's virtual authenticator belongs to one page;
// passkeys belong to the device, so each page of it gets one that holds all of them.
import type { Browser, BrowserContext, CDPSession, Page } from '@playwright/test'

export const WIDTHS = { desktop: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const
export type Width = keyof typeof WIDTHS

export interface DeviceOptions {
  readonly width?: Width
  readonly colorScheme?: 'light' | 'dark'
  /** Popups are blocked, as strict browsers and phones do. */
  readonly hasPopups?: boolean
  /**
   * Whether its passkeys make seal keys. What makes them stays with the authenticator of one page: what a passkey sealed in one page does not
   * open in another, so a story that opens things in popups says no, and seal keys are kept in the browser.
   */
  readonly hasPrf?: boolean
}

interface Credential {
  readonly credentialId: string
  readonly rpId?: string
  readonly privateKey: string
}

const AUTHENTICATOR = {
  protocol: 'ctap2',
  ctap2Version: 'ctap2_1',
  transport: 'internal',
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  hasPrf: true,
  automaticPresenceSimulation: true,
} as const

interface Equipped {
  readonly page: Page
  readonly cdp: CDPSession
  authenticatorId: string
}

async function plugIn(cdp: CDPSession, { isThere, hasPrf }: { isThere: boolean; hasPrf: boolean }): Promise<string> {
  const options = { ...AUTHENTICATOR, hasPrf, automaticPresenceSimulation: isThere }
  return (await cdp.send('WebAuthn.addVirtualAuthenticator', { options })).authenticatorId
}

/** One that is there already, and a page that was closed meanwhile, are no trouble. */
async function putIn({ cdp, authenticatorId }: Equipped, credentials: Iterable<Credential>): Promise<void> {
  for (const credential of credentials)
    await cdp.send('WebAuthn.addCredential', { authenticatorId, credential: credential as never }).catch(() => {})
}

/** What a page did that no page may: kept for `device.complaints`. */
const CSP = /Content Security Policy/i

export interface Device extends AsyncDisposable {
  readonly context: BrowserContext
  readonly page: Page
  /** Policy violations, uncaught errors, requests to other origins: empty, or the story fails. */
  readonly complaints: readonly string[]
  /** Nobody touches the authenticator from now on: prompts stay open until they are cancelled or time out. */
  setPresence(isThere: boolean): Promise<void>
  /** Plugs in an authenticator that has no passkey yet, for the first page; what is made on it belongs to this device, too. */
  anotherAuthenticator(): Promise<void>
  /** The person's finger is the wrong one: prompts end as if they were cancelled, until `acceptAgain`. */
  refuseNext(): Promise<void>
  /** What passkeys made of a PRF before is lost. */
  acceptAgain(): Promise<void>
  credentials(): readonly { readonly id: string; readonly rpId: string | undefined }[]
  /** The page that opens next, and its address once it is not empty. */
  popup(open: () => Promise<unknown>): Promise<Page>
}

/** @param origins where its pages may send requests: everything else is a complaint */
export async function openDevice(browser: Browser, origins: readonly string[], options: DeviceOptions = {}): Promise<Device> {
  const { width = 'desktop', colorScheme = 'light', hasPrf = true } = options
  const context = await browser.newContext({
    viewport: WIDTHS[width],
    colorScheme,
    ...(width === 'phone' ? { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } : {}),
  })
  const complaints: string[] = []
  const held = new Map<string, Credential>()
  const open = new Set<Equipped>()
  let isThere = true

  const equip = async (page: Page) => {
    const cdp = await context.newCDPSession(page)
    await cdp.send('WebAuthn.enable', { enableUI: false })
    const one = { page, cdp, authenticatorId: await plugIn(cdp, { isThere, hasPrf }) }
    await putIn(one, held.values())
    cdp.on('WebAuthn.credentialAdded', ({ credential }) => {
      const before = [...held.values()].filter(({ credentialId }) => credentialId !== credential.credentialId)
      held.set(credential.credentialId, credential)
      void putIn(one, before)
      for (const other of open) if (other !== one) void putIn(other, [credential])
    })
    open.add(one)
    page.on('close', () => open.delete(one))
  }
  const watch = (page: Page) => {
    page.on('console', (message) => {
      if (CSP.test(message.text())) complaints.push(`${page.url()}: ${message.text()}`)
    })
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`))
    page.on('request', (request) => {
      const url = new URL(request.url())
      if (/^https?:$|^wss?:$/.test(url.protocol) && !origins.includes(url.origin)) complaints.push(`asked ${url.origin} from ${page.url()}`)
    })
  }
  const equipped = new Map<Page, Promise<void>>()
  context.on('page', (page) => {
    watch(page)
    equipped.set(page, equip(page))
  })
  const replug = async (one: Equipped) => {
    await one.cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: one.authenticatorId })
    one.authenticatorId = await plugIn(one.cdp, { isThere, hasPrf })
  }
  const page = await context.newPage()
  await equipped.get(page)
  return {
    context,
    page,
    complaints,
    async setPresence(next) {
      isThere = next
      for (const { cdp, authenticatorId } of open)
        await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: next })
    },
    async anotherAuthenticator() {
      await replug([...open].find(({ page: of }) => of === page)!)
    },
    async refuseNext() {
      for (const { cdp, authenticatorId } of open) await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
    },
    async acceptAgain() {
      // Wrong fingers lock an authenticator: it takes a new one, with the same passkeys.
      for (const one of open) {
        await replug(one)
        await putIn(one, held.values())
      }
    },
    credentials: () => [...held.values()].map(({ credentialId, rpId }) => ({ id: credentialId, rpId })),
    async popup(act) {
      const [opened] = await Promise.all([context.waitForEvent('page'), act()])
      await equipped.get(opened)
      return opened
    },
    [Symbol.asyncDispose]: () => context.close(),
  }
}
