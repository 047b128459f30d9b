import { encodeBase64url } from '../bytes/base64url.ts'
import { VerifyError } from '../errors.ts'
import { ed25519PublicKey } from './ed25519.ts'
import type { PublicKey } from './public-key.ts'
import { keyId, keyIdOf } from './public-key.ts'
import type { Signature } from './signature.ts'
import type { Namespace } from './sshsig.ts'
import { sshsigTbs } from './sshsig.ts'
import type { SignatureSuite } from './suite.ts'
import type { SignatureFacts } from './suites.ts'
import { SUITES } from './suites.ts'
import type { SignerSite } from './webauthn.ts'

/** Signs with a 32-byte Ed25519 seed (`ed25519` and `ssh-ed25519` keys; tokens and passkeys sign elsewhere). */
export function signDetached(seed: Uint8Array, namespace: Namespace, bytes: Uint8Array, suite: SignatureSuite): Signature {
  const sig = suite.signEd25519(seed, sshsigTbs(namespace, bytes))
  return { kid: keyId(ed25519PublicKey(seed)), sig: encodeBase64url(sig) }
}

/**
 * Verifies one detached signature by the row of the key's algorithm: the key id, the fields that algorithm has and no others,
 * then the signature over the TBS of this namespace.
 * Does NOT check whether the key is live, admitted, or enrolled for this use, nor read the bytes: the caller took the key from
 * verified state and knows its use.
 * @param site Signer origins and rpId of authority state; looked at for passkeys only.
 * @returns What the authenticator reported, for callers that ask more of some operations.
 * @throws {VerifyError} UNKNOWN_KEY, MALFORMED, WRONG_KEY_USE, BAD_SIGNATURE, USER_NOT_VERIFIED; passkeys also TOO_LARGE,
 *   BAD_CLIENT_DATA, WRONG_RP_ID
 * @see packages/core/spec/signature.md §4
 */
export function verifyDetached(
  key: PublicKey,
  namespace: Namespace,
  bytes: Uint8Array,
  signature: Signature,
  site: SignerSite,
  suite: SignatureSuite,
): SignatureFacts {
  if (signature.kid !== keyIdOf(key)) throw new VerifyError('UNKNOWN_KEY', 'the signature names another key')
  const row = SUITES[key.alg]
  for (const name of ['flags', 'counter', 'authenticator_data', 'client_data'] as const) {
    if ((signature[name] !== undefined) !== row.signatureFields.includes(name)) {
      throw new VerifyError('MALFORMED', `${key.alg} signatures have ${row.signatureFields.join(', ') || 'no further fields'}`)
    }
  }
  return row.verify({ key, tbs: sshsigTbs(namespace, bytes), signature, site, suite })
}
