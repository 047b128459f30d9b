import type { SignerRequest } from '@postern/core'
import { parseSignerRequest, VerifyError } from '@postern/core'
import type { App } from './app.ts'
import { createSurroundings, nowOf } from './authority/net.ts'
import { createDevice, lockedInBrowser } from './device/device.ts'
import { openStore } from './device/store.ts'
import { SignerError } from './errors.ts'
import { browserPasskeys } from './keys/passkeys.ts'
import { createPage } from './page/page.ts'
import { approvalScreen } from './screens/approval.ts'
import { enrolmentScreen } from './screens/enrolment.ts'
import { genesisScreen } from './screens/genesis.ts'
import { inviteScreen } from './screens/invite.ts'
import { joinScreen } from './screens/join.ts'
import { loginScreen } from './screens/login.ts'
import { nothingScreen } from './screens/nothing.ts'
import { backOf, showRefusal } from './screens/refusal.ts'
import { waitingScreen } from './screens/waiting.ts'
import { consolesOf } from './served-for.ts'

const SCREENS: { readonly [kind in SignerRequest['kind']]: (app: App, request: never) => Promise<void> } = {
  statement: waitingScreen,
  revocation: waitingScreen,
  login: loginScreen,
  approval: approvalScreen,
  enrolment: enrolmentScreen,
  join: joinScreen,
  invite: inviteScreen,
}

/** The one request of this page load. Another fragment is another page load; in the address bar it stands no longer than it is read. */
const fragment = location.hash.slice(1)
history.replaceState(null, '', location.pathname)
window.addEventListener('hashchange', () => location.reload())

async function start(): Promise<void> {
  const root = document.getElementById('page')!
  const page = createPage(root, location.host)
  const around = createSurroundings()
  const app: App = {
    ...{ page, around, passkeys: browserPasskeys, origin: location.origin, hostname: location.hostname, consoles: consolesOf() },
    device: createDevice(await openStore(), lockedInBrowser),
    now: () => nowOf(around),
    navigate: (url) => location.replace(url),
  }
  await run(app)
}

/** Whatever a screen throws ends as a screen that says so. */
async function run(app: App): Promise<void> {
  let request: SignerRequest | undefined
  try {
    refusePlace()
    if (location.pathname.replace(/\/$/, '') === '/genesis') return await genesisScreen(app, fragment)
    if (fragment === '') return await nothingScreen(app)
    request = readRequest()
    await SCREENS[request.kind](app, request as never)
  } catch (error) {
    const back = request && 'control' in request ? backOf(request) : undefined
    showRefusal(app, error, { back, ...(canRepeat(error) ? { again: () => void run(app) } : {}) })
  }
}

/** @throws {SignerError} FRAMED, NOT_SECURE, NO_PASSKEYS */
function refusePlace(): void {
  if (window.top !== window.self) throw new SignerError('FRAMED')
  if (!isSecureContext) throw new SignerError('NOT_SECURE', location.origin)
  if (!('PublicKeyCredential' in window)) throw new SignerError('NO_PASSKEYS')
}

/** @throws {SignerError} BAD_LINK */
function readRequest(): SignerRequest {
  try {
    return parseSignerRequest(fragment)
  } catch (error) {
    if (error instanceof VerifyError) throw new SignerError('BAD_LINK', `${error.code}: ${error.message}`, { cause: error })
    throw error
  }
}

const REPEATABLE: ReadonlySet<string> = new Set([
  'UNREACHABLE',
  'BAD_ANSWER',
  'CANCELLED',
  'UNKNOWN_PASSKEY',
  'PASSKEY_FAILED',
  'CONTROL_REFUSED',
])
const canRepeat = (error: unknown): boolean => !(error instanceof SignerError) || REPEATABLE.has(error.code)

void start()
