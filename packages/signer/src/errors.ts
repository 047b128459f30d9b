/**
 * Why nothing is signed here. A closed set: `words.ts` has a title and a sentence for each.
 */
export const SIGNER_CODES = [
  // the page and its link
  'FRAMED',
  'NO_PASSKEYS',
  'NOT_SECURE',
  'BAD_LINK',
  'NO_SECRET',
  'NO_CONSOLE',
  'WRONG_CONSOLE',
  // the control plane
  'UNREACHABLE',
  'CONTROL_REFUSED',
  'BAD_ANSWER',
  // what this device knows
  'OTHER_ORGANISATION',
  'DEVICE_STATE',
  'LOG_MISSING',
  'LOG_ROLLED_BACK',
  'LOG_FORKED',
  'LOG_REFUSED',
  'LOG_HALTED',
  // what waits
  'OTHER_BYTES',
  'WRONG_KIND',
  'WRONG_ORGANISATION',
  'TAKEN',
  'NOT_NEXT',
  'EXPIRED',
  'DECIDED',
  'INVALID',
  'NOT_COUNTED',
  'NEEDS_RECOVERY_KEY',
  'WRONG_SITE',
  // keys
  'CANCELLED',
  'PASSKEY_FAILED',
  'ALREADY_HERE',
  'UNKNOWN_PASSKEY',
  'CANNOT_OPEN',
] as const
export type SignerCode = (typeof SIGNER_CODES)[number]

export class SignerError extends Error {
  override name = 'SignerError'
  readonly code: SignerCode
  /** What exactly, in words or as a code of somebody else's: shown small, under the sentence of `code`. */
  readonly detail: string
  constructor(code: SignerCode, detail = '', options?: ErrorOptions) {
    super(detail ? `${code}: ${detail}` : code, options)
    this.code = code
    this.detail = detail
  }
}
