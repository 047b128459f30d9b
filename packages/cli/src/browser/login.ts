import type { AtSign, PublicKey, Signed } from '@postern/core'
import { decodeBase64url, decodeSigned, decodeUtf8, encodeBase64url, parseLogin, parseStrictJson, signerRequestUrl } from '@postern/core'
import { renderUnicodeCompact } from 'uqr'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { askFor } from '../prompt.ts'
import { surroundings } from '../surroundings.ts'
import { openLoopback } from './loopback.ts'
import { openUrl } from './open-url.ts'

export interface LoginWish {
  readonly org: string
  readonly atsign: AtSign
  /** Origin of the control plane. */
  readonly console: string
  readonly sessionKey: PublicKey
  /** Where passkeys sign. */
  readonly signer: string
}

export interface BrowserOptions {
  /** False: only print the address. */
  readonly browser: boolean
  /** The browser is on another machine: what it signed is pasted back. */
  readonly device: boolean
}

/** From the login that the page makes: it begins when the person presses the button. */
const WAIT_MS = 5 * 60_000

/**
 * Has a login for our session key signed by a passkey, in a browser. What comes back is taken only if it names this session key, this
 * nonce, this console and this person; whether its signature counts is for the control plane to say.
 * @throws {CliError} TIMED_OUT, INTERRUPTED, KEY_UNUSABLE
 */
export async function loginInBrowser(context: Context, wish: LoginWish, options: BrowserOptions): Promise<Signed> {
  const nonce = encodeBase64url(surroundings.random(16))
  if (options.device) return onOtherDevice(context, loginRequestUrl(wish, nonce), (text) => readLogin(text, wish, nonce))
  let login: Signed | undefined
  await using loopback = await openLoopback((text) => {
    login = readLogin(text, wish, nonce)
  })
  context.say('◌ Sign in with your passkey, in the browser:')
  openUrl(context, loginRequestUrl(wish, nonce, loopback.port), options.browser)
  await inTime(loopback.taken)
  return login!
}

/** @param port Where the result goes on this machine; undefined: the page shows it as text. */
export function loginRequestUrl({ org, atsign, console, sessionKey, signer }: LoginWish, nonce: string, port?: number): string {
  const request = { v: 1, kind: 'login', console, org, nonce, atsign, session_key: sessionKey } as const
  return signerRequestUrl(signer, port === undefined ? request : { ...request, port })
}

async function onOtherDevice(context: Context, url: string, read: (text: string) => Signed): Promise<Signed> {
  if (context.settings.human) for (const line of renderUnicodeCompact(url, { border: 1 }).split('\n')) process.stderr.write(`${line}\n`)
  context.say('◌ Open this on the device that holds your passkey, sign there, and paste the text that it shows:')
  context.show(`  ${url}`)
  return read(await askFor('The text', context.settings.input, 'a terminal: what is pasted is no secret, but nobody else can use it'))
}

/** Base64url of the signed login, or an address that ends with it. @throws {CliError} KEY_UNUSABLE saying what it is not */
export function readLogin(text: string, { org, atsign, console, sessionKey }: LoginWish, nonce: string): Signed {
  const given = text.trim().replace(/^.*#/s, '')
  let signed: Signed
  try {
    signed = decodeSigned(parseStrictJson(decodeUtf8(decodeBase64url(given)), { maxBytes: 64 * 1024, maxDepth: 6 }))
    const login = parseLogin(signed.bytes)
    const differs = [
      ['organisation', login.org, org],
      ['person', login.atsign, atsign],
      ['console', login.console, console],
      ['request', login.nonce, nonce],
      ['session key', login.session_key?.key, sessionKey.key],
    ].find(([, found, wanted]) => found !== wanted)
    if (differs) throw new Error(`it is for another ${differs[0]}`)
  } catch (cause) {
    throw new CliError('KEY_UNUSABLE', `this is not the login that was asked for: ${(cause as Error).message}`, {
      fix: 'postern login, and sign what it opens',
      exit: 'failed',
      cause,
    })
  }
  return signed
}

async function inTime<T>(waited: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new CliError('TIMED_OUT', `nobody signed in within ${WAIT_MS / 60_000} minutes`, {
      fix: 'postern login',
      exit: 'pending',
    })
    timer = setTimeout(() => reject(error), WAIT_MS)
  })
  try {
    return await Promise.race([waited, late])
  } finally {
    clearTimeout(timer)
  }
}
