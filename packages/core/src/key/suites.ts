import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import { admitEd25519, verifyEd25519 } from './ed25519.ts'
import { admitP256, verifyP256 } from './p256.ts'
import type { KeyAlg, KeyUse, PublicKey } from './public-key.ts'
import { rawKey } from './public-key.ts'
import type { Signature } from './signature.ts'
import { uint32 } from './ssh-wire.ts'
import type { SignatureSuite } from './suite.ts'
import type { SignerSite } from './webauthn.ts'
import { assertionOf, verifyAssertion } from './webauthn.ts'
import { admitX25519 } from './x25519.ts'

/** What a good signature tells beyond "signed": recorded, and for callers that ask more of some operations. */
export interface SignatureFacts {
  /** The authenticator checked who its user is (PIN, biometrics), not only that somebody touched it. */
  readonly userVerified: boolean
  /** The private key has, or may have, a copy in a cloud account. */
  readonly backedUp: boolean
  readonly counter?: number
}

type Presence = 'required' | 'optional' | 'forbidden'
type SignatureField = 'flags' | 'counter' | 'authenticator_data' | 'client_data'
interface Context {
  readonly key: PublicKey
  readonly tbs: Uint8Array
  readonly signature: Signature
  readonly site: SignerSite
  readonly suite: SignatureSuite
}
/** All there is to know about one algorithm. A new one is a new row, with its vectors. */
export interface KeySuite {
  readonly uses: readonly KeyUse[]
  readonly keyBytes: 32 | 65
  readonly keyFields: { readonly app: Presence; readonly credential: Presence; readonly device_bound: Presence }
  readonly signatureFields: readonly SignatureField[]
  /** Name in SSH key lines and signatures, for algorithms OpenSSH knows. */
  readonly sshName?: string
  /** Throws BAD_KEY. `raw` has `keyBytes` bytes. */
  admit(raw: Uint8Array): void
  /** Throws. Fields are those of `signatureFields`, all of them. */
  verify(context: Context): SignatureFacts
}

const PLAIN = { app: 'forbidden', credential: 'forbidden', device_bound: 'forbidden' } as const
const TOKEN = { ...PLAIN, app: 'required' } as const
const PASSKEY = { app: 'forbidden', credential: 'required', device_bound: 'optional' } as const

export const SUITES: { readonly [alg in KeyAlg]: KeySuite } = {
  ed25519: {
    uses: ['issue', 'receipt', 'auth', 'call', 'invite'],
    keyBytes: 32,
    keyFields: PLAIN,
    signatureFields: [],
    sshName: 'ssh-ed25519',
    admit: admitEd25519,
    verify: verifyPlain,
  },
  x25519: {
    uses: ['seal', 'channel'],
    keyBytes: 32,
    keyFields: PLAIN,
    signatureFields: [],
    admit: admitX25519,
    verify: () => {
      throw new VerifyError('WRONG_KEY_USE', 'an X25519 key cannot sign')
    },
  },
  'ssh-ed25519': {
    uses: ['sign', 'recovery'],
    keyBytes: 32,
    keyFields: PLAIN,
    signatureFields: [],
    sshName: 'ssh-ed25519',
    admit: admitEd25519,
    verify: verifyPlain,
  },
  'sk-ssh-ed25519': {
    uses: ['sign', 'recovery'],
    keyBytes: 32,
    keyFields: TOKEN,
    signatureFields: ['flags', 'counter'],
    sshName: 'sk-ssh-ed25519@openssh.com',
    admit: admitEd25519,
    verify: (context) => verifyToken(context, (raw, message, sig) => verifyEd25519(raw, message, sig, context.suite)),
  },
  'sk-ecdsa-p256': {
    uses: ['sign'],
    keyBytes: 65,
    keyFields: TOKEN,
    signatureFields: ['flags', 'counter'],
    sshName: 'sk-ecdsa-sha2-nistp256@openssh.com',
    admit: admitP256,
    verify: (context) => verifyToken(context, verifyP256),
  },
  'webauthn-es256': {
    uses: ['sign'],
    keyBytes: 65,
    keyFields: PASSKEY,
    signatureFields: ['authenticator_data', 'client_data'],
    admit: admitP256,
    verify: verifyPasskey,
  },
}

const notSigned = () => new VerifyError('BAD_SIGNATURE', 'this key did not sign these bytes for this purpose')

function verifyPlain({ key, tbs, signature, suite }: Context): SignatureFacts {
  if (!verifyEd25519(rawKey(key), tbs, decodeBase64url(signature.sig), suite)) throw notSigned()
  return { userVerified: false, backedUp: false }
}

const USER_PRESENT = 0x01
const USER_VERIFIED = 0x04

/** PROTOCOL.u2f: a token signs SHA-256(application) ‖ flags ‖ counter ‖ SHA-256(TBS). It must have been touched. */
function verifyToken({ key, tbs, signature }: Context, verify: (raw: Uint8Array, message: Uint8Array, sig: Uint8Array) => boolean) {
  const flags = signature.flags!
  const counter = signature.counter!
  const message = concatBytes(sha256(utf8(key.app!)), Uint8Array.of(flags), uint32(counter), sha256(tbs))
  if ((flags & USER_PRESENT) === 0) throw new VerifyError('USER_NOT_VERIFIED', 'the security key was not touched')
  if (!verify(rawKey(key), message, decodeBase64url(signature.sig))) throw notSigned()
  return { userVerified: (flags & USER_VERIFIED) !== 0, backedUp: false, counter }
}

function verifyPasskey({ key, tbs, signature, site }: Context): SignatureFacts {
  const { sig, authenticator_data, client_data } = signature
  const assertion = assertionOf({ sig, authenticator_data: authenticator_data!, client_data: client_data! })
  const facts = verifyAssertion(rawKey(key), tbs, assertion, site)
  return { userVerified: true, backedUp: facts.backupEligible, counter: facts.counter }
}
