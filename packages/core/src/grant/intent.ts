// packages/core/spec/grant.md §4
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import type { Shape } from '../bytes/shape.ts'
import { digest, object, text } from '../bytes/shape.ts'
import type { SignatureSuite } from '../key/suite.ts'

const SUMMARY_CODE_POINTS = 80

/** What a grant keeps of an agent's stated purpose: a salted digest and its beginning. Evidence, never an input to a decision. */
export type Intent = { readonly h: string; readonly sum: string }

export const intentShape: Shape<Intent> = object({ h: digest, sum: text(2 * SUMMARY_CODE_POINTS, 1) })

/** @param jti Of the ask that states the intent; it salts the digest. */
export function intentOf(intent: string, jti: string, suite: Pick<SignatureSuite, 'sha256'>): Intent {
  const h = suite.sha256(concatBytes(utf8('postern-intent-v1\0'), decodeBase64url(jti), utf8(intent)))
  return { h: encodeBase64url(h), sum: [...intent].slice(0, SUMMARY_CODE_POINTS).join('') }
}
