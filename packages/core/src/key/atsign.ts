import type { Shape } from '../bytes/shape.ts'
import { VerifyError } from '../errors.ts'

declare const brand: unique symbol
/** A name within an organisation, such as `@ana-claude`; only `parseAtSign` and `atSignShape` make one. */
export type AtSign = string & { readonly [brand]: 'AtSign' }

const ATSIGN = /^@[a-z0-9][a-z0-9_-]{0,54}$/

/** Compared byte for byte: no folding, no normalisation. Says nothing about whether anybody bears the name. */
export const isAtSign = (text: unknown): text is AtSign => typeof text === 'string' && ATSIGN.test(text)

/**
 * @throws {VerifyError} BAD_ATSIGN
 * @see packages/core/spec/atsign.md §1
 */
export function parseAtSign(text: string): AtSign {
  if (!isAtSign(text)) throw new VerifyError('BAD_ATSIGN', 'an atSign is @ and 1–55 of a-z 0-9 _ -, beginning with a letter or digit')
  return text
}

export const atSignShape: Shape<AtSign> = (value, path) => {
  if (!isAtSign(value)) throw new VerifyError('BAD_ATSIGN', `${path}: expected an atSign`)
  return value
}
