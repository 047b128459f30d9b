import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { encodeBase64url } from '../bytes/base64url.ts'
import { utf8 } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import { ed25519PublicKey } from '../key/ed25519.ts'
import type { PublicKey } from '../key/public-key.ts'

export const INVITE_TOKEN_BYTES = 16
const SALT = utf8('postern-invite-v1')

/**
 * The Ed25519 key of an invite: seed = HKDF-SHA256(token, salt "postern-invite-v1", no info, 32 bytes). The token goes to the
 * machines, the public key into the statement; the control plane sees only the latter.
 * @param token 16 random bytes, made in the signer or the CLI.
 * @throws {VerifyError} MALFORMED for another length
 */
export function inviteKey(token: Uint8Array): { seed: Uint8Array; publicKey: PublicKey } {
  if (token.length !== INVITE_TOKEN_BYTES) throw new VerifyError('MALFORMED', `an invite's token has ${INVITE_TOKEN_BYTES} bytes`)
  const seed = hkdf(sha256, token, SALT, undefined, 32)
  return { seed, publicKey: { use: 'invite', alg: 'ed25519', key: encodeBase64url(ed25519PublicKey(seed)) } }
}
