import type { SignerRequest } from '@postern/core'
import { parseAtSign, signerRequestUrl } from '@postern/core'
import type { Context, Control } from '../context.ts'
import type { Draft } from './draft.ts'

/** Where people of this organisation sign: an origin that the log names if one of them is served, since passkeys are bound to it. */
export function signerOriginOf({ config, ledger }: Control): string {
  const named = ledger.state?.site.origins ?? []
  return config.signerOrigins.find((origin) => named.includes(origin)) ?? named[0] ?? config.signerOrigins[0]!
}

/** The link that opens the signing page with a typed request. It carries no bytes to sign, only what they must hash to. */
export const signerLink = (control: Control, request: SignerRequest): string => signerRequestUrl(signerOriginOf(control), request)

/** Where the signing page finds what it is asked for. */
export const placeOf = ({ config, ledger }: Control) => ({ v: 1, control: config.publicUrl[0]!, org: ledger.org! }) as const

/**
 * @param back a path of the console that the page may lead back to
 * @throws {VerifyError} MALFORMED for another path
 */
export function signerUrl({ control }: Pick<Context, 'control'>, { id, kind, sha256 }: Draft, back?: string): string {
  const place = placeOf(control)
  if (kind === 'invite') return signerLink(control, { ...place, kind, id })
  return signerLink(control, { ...place, kind, id, sha256: sha256!, ...(back === undefined ? {} : { back }) })
}

/** Sends a browser off to sign in: it comes back to `console`, with a login over this nonce. */
export const signInUrl = (control: Control, console: string, nonce: string, atsign?: string): string =>
  signerLink(control, {
    ...{ v: 1, kind: 'login', console, org: control.ledger.org!, nonce },
    ...(atsign === undefined ? {} : { atsign: parseAtSign(atsign) }),
  })
