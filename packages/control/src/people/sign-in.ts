import type { PublicKey, Signature, Signed, SignerSite } from '@postern/core'
import { decodeBase64url, encodeBase64url, parseLogin, sshsigTbs, VerifyError, verifyLogin } from '@postern/core'
import { verifyAuthenticationResponse } from '@simplewebauthn/server'
import type { z } from 'zod'
import { newSecret, principalOfCookie, secretHash } from '../auth/browser-session.ts'
import { cookieJarOf, readCookie, setCookie } from '../auth/cookies.ts'
import { isDuplicate } from '../authority/store.ts'
import type { Control } from '../context.ts'
import { ControlError } from '../errors.ts'
import { readSigned } from '../fields.ts'
import { signInUrl } from '../requests/signer-url.ts'
import { dateOf } from '../time.ts'
import type { loginInput } from './schema.ts'
import { SESSION_SECONDS } from './service.ts'

/** How long somebody has to find their passkey. The login that comes back lasts 120 s by itself. */
const NONCE_SECONDS = 600
const MAX_SESSIONS = 20
const MAX_CLIENT_CHARS = 200

/** Where a browser goes to sign in, and the cookie that ties the nonce in that link to this browser. */
export interface SignInStart {
  readonly url: string
  readonly nonce: string
  readonly cookie: { readonly name: string; readonly value: string; readonly seconds: number; readonly isSecure: boolean }
}

/**
 * Gives this browser a nonce to sign, and the link of the signing page. Tabs of one browser share the cookie, so that one does not undo the other.
 * @throws {ControlError} TOO_MANY, NOT_FOUND before there is an organisation
 */
export async function startSignIn(control: Control, headers: Headers, atsign?: string): Promise<SignInStart> {
  if (!control.ledger.state) throw new ControlError('NOT_FOUND', 'there is no organisation here yet')
  control.limits.lookups.check()
  control.limits.lookups.spend()
  const jar = cookieJarOf(control, headers.get('host'))
  const value = readCookie(headers.get('cookie'), jar.login) ?? newSecret(control)
  const nonce = encodeBase64url(control.random(16))
  const expiresAt = dateOf(control.now() + NONCE_SECONDS)
  await control.db.prisma.loginNonce.create({ data: { nonce, browser: secretHash(control, value), expiresAt } })
  const url = signInUrl(control, originOf(control, headers), nonce, atsign)
  return { url, nonce, cookie: { name: jar.login, value, seconds: NONCE_SECONDS, isSecure: jar.isSecure } }
}

/** Under which of our origins this browser sees us. */
const originOf = ({ config }: Control, headers: Headers): string =>
  config.publicUrl.find((url) => new URL(url).host === headers.get('host')) ?? config.publicUrl[0]!

/** Who signed in, and the cookies that go with it. */
export interface SignedInBrowser {
  readonly atsign: string
  readonly cookies: readonly string[]
}

/**
 * Opens a session for the browser that brings a signed login back: meant for this console, fresh, by a live signing key of an enrolled
 * person (`verifyLogin`; a passkey is also checked by `@simplewebauthn/server`), over a nonce that was given to exactly this browser and
 * not used yet. The cookie is new each time; a session that the browser had before ends. Gives no authority: every decision is signed.
 * @throws {ControlError} WRONG_BROWSER, REPLAYED
 * @throws {VerifyError} what `verifyLogin` finds; MALFORMED for a login of a CLI
 */
export async function finishSignIn(
  control: Control,
  headers: Headers,
  console: string,
  input: z.output<typeof loginInput>,
): Promise<SignedInBrowser> {
  const signed = readSigned(input.login)
  const { signature, key, ...login } = await verified(control, signed, console)
  const jar = cookieJarOf(control, headers.get('host'))
  await spendNonce(control, login.nonce, readCookie(headers.get('cookie'), jar.login))
  const before = await principalOfCookie(control, headers)
  const secret = newSecret(control)
  await open(control, { ...login, signedBy: signature.kid, secret, bytes: signed.bytes, client: headers.get('user-agent') ?? '' })
  if (before && 'kid' in before.principal) await end(control, before.principal.kid)
  const { isSecure } = jar
  return {
    atsign: login.atsign,
    cookies: [
      setCookie(jar.session, secret, { sameSite: 'Strict', seconds: SESSION_SECONDS, isSecure }),
      setCookie(jar.login, '', { sameSite: 'Lax', seconds: 0, isSecure }),
    ],
  }
}

async function verified(control: Control, signed: Signed, console: string) {
  const { state, revocations } = control.ledger
  if (!state) throw new ControlError('NOT_FOUND', 'there is no organisation here yet')
  const [signature] = signed.signatures
  if (!signature || signed.signatures.length > 1) throw new VerifyError('MALFORMED', 'signatures: one signs in')
  if (parseLogin(signed.bytes).session_key) throw new VerifyError('MALFORMED', 'session_key: this login is for a CLI')
  const login = verifyLogin(signed, state, { console, revocations, now: control.now(), suite: control.suite })
  const key = state.keys.get(signature.kid)!.key
  if (key.alg === 'webauthn-es256') await checkAssertion(key, signed.bytes, signature, state.site)
  return { ...login, signature, key }
}

/** The same assertion, judged by another implementation: both must accept it. @throws {VerifyError} BAD_SIGNATURE */
async function checkAssertion(key: PublicKey, bytes: Uint8Array, { sig, authenticator_data, client_data }: Signature, site: SignerSite) {
  const id = key.credential!
  const response = { authenticatorData: authenticator_data!, clientDataJSON: client_data!, signature: derOf(decodeBase64url(sig)) }
  try {
    const { verified: isVerified } = await verifyAuthenticationResponse({
      response: { id, rawId: id, type: 'public-key', response, clientExtensionResults: {} },
      expectedChallenge: encodeBase64url(sshsigTbs('postern-login-v1', bytes)),
      ...{ expectedOrigin: [...site.origins], expectedRPID: site.rpId, requireUserVerification: true },
      credential: { id, publicKey: coseOf(decodeBase64url(key.key)), counter: 0 }, // synced passkeys report 0: never a reason to fail
    })
    if (isVerified) return
  } catch (cause) {
    throw new VerifyError('BAD_SIGNATURE', 'the passkey’s answer does not verify', { cause })
  }
  throw new VerifyError('BAD_SIGNATURE', 'the passkey did not sign this')
}

/** COSE_Key of a P-256 point: {1: 2, 3: −7, −1: 1, −2: x, −3: y} (RFC 9053 §7.1). */
const coseOf = (point: Uint8Array): Uint8Array<ArrayBuffer> =>
  Uint8Array.from([
    ...[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01],
    ...[0x21, 0x58, 0x20, ...point.subarray(1, 33), 0x22, 0x58, 0x20, ...point.subarray(33)],
  ])

/** From r ‖ s, as it is stored, to the DER that authenticators give. */
function derOf(signature: Uint8Array): string {
  const integer = (bytes: Uint8Array) => {
    const start = bytes.findIndex((byte) => byte !== 0)
    const digits = bytes.subarray(start < 0 ? bytes.length - 1 : start)
    const padded = digits[0]! >= 0x80 ? [0, ...digits] : [...digits]
    return [0x02, padded.length, ...padded]
  }
  const body = [...integer(signature.subarray(0, 32)), ...integer(signature.subarray(32))]
  return encodeBase64url(Uint8Array.from([0x30, body.length, ...body]))
}

/** One nonce, one session, whoever races; unknown and somebody else's are told apart for nobody. */
async function spendNonce(control: Control, nonce: string, cookie: string | undefined) {
  const { prisma } = control.db
  const now = dateOf(control.now())
  const row = await prisma.loginNonce.findUnique({ where: { nonce } })
  if (!row || !cookie || row.browser !== secretHash(control, cookie) || row.expiresAt <= now)
    throw new ControlError('WRONG_BROWSER', 'this sign-in was not begun in this browser, or too long ago', { fix: 'begin again' })
  const { count } = await prisma.loginNonce.updateMany({ where: { nonce, usedAt: null }, data: { usedAt: now } })
  if (count === 0) throw new ControlError('REPLAYED', 'this sign-in was used before', { fix: 'begin again' })
}

interface NewSession {
  readonly atsign: string
  readonly signedBy: string
  readonly secret: string
  readonly bytes: Uint8Array
  readonly client: string
}

async function open(control: Control, { atsign, signedBy, secret, bytes, client }: NewSession) {
  const { db, suite } = control
  const org = control.ledger.org!
  const now = control.now()
  const times = { createdAt: dateOf(now), rotatedAt: dateOf(now), expiresAt: dateOf(now + SESSION_SECONDS) }
  const login = encodeBase64url(suite.sha256(bytes))
  const told = { client: client.slice(0, MAX_CLIENT_CHARS) }
  const data = { id: newSecret(control), org, atsign, signedBy, hash: secretHash(control, secret), login, ...told, ...times }
  try {
    await db.prisma.browserSession.create({ data })
  } catch (error) {
    if (isDuplicate(error)) throw new ControlError('REPLAYED', 'this sign-in was used before', { cause: error })
    throw error
  }
  const where = { org, atsign, endedAt: null, expiresAt: { gt: dateOf(now) } }
  const old = await db.prisma.browserSession.findMany({ where, orderBy: { createdAt: 'desc' }, skip: MAX_SESSIONS, select: { id: true } })
  for (const { id } of old) await end(control, id)
}

async function end(control: Control, id: string) {
  await control.db.prisma.$transaction(async (tx) => {
    const row = await tx.browserSession.update({ where: { id }, data: { endedAt: dateOf(control.now()) } })
    await control.bus.publish(tx, { org: row.org, kind: 'session', to: row.atsign, data: { kid: id } }, control.now())
  })
}

/** Signs this browser out. Says nothing of whether it was signed in. */
export async function signOut(control: Control, headers: Headers): Promise<readonly string[]> {
  const found = await principalOfCookie(control, headers)
  if (found && 'kid' in found.principal) await end(control, found.principal.kid)
  const jar = cookieJarOf(control, headers.get('host'))
  return [setCookie(jar.session, '', { sameSite: 'Strict', seconds: 0, isSecure: jar.isSecure })]
}
