import { decodeBase64url, encodeBase64url, SEAL_PRF_INPUT } from '@postern/core'
import { SignerError } from '../errors.ts'

/** What the browser's passkeys are asked for; tests bring their own. */
export interface Passkeys {
  /** @throws {SignerError} CANCELLED, PASSKEY_FAILED */
  get(options: GetOptions): Promise<PasskeyAnswer>
  /** @throws {SignerError} CANCELLED, PASSKEY_FAILED, ALREADY_HERE */
  create(options: CreateOptions): Promise<NewPasskey>
}

export interface GetOptions {
  readonly rpId: string
  readonly challenge: Uint8Array
  /** Credential ids, base64url. Empty: the person chooses. */
  readonly allow: readonly string[]
  /** Ask for the PRF output of which the seal key is made. */
  readonly prf?: boolean
}
export interface PasskeyAnswer {
  readonly credential: string
  readonly authenticatorData: Uint8Array
  readonly clientData: Uint8Array
  /** DER, as the authenticator gave it. */
  readonly signature: Uint8Array
  readonly prf?: Uint8Array
}

export interface CreateOptions {
  readonly rpId: string
  readonly rpName: string
  readonly atsign: string
  /** Credentials of the same person: each passkey is on another device. */
  readonly exclude: readonly string[]
}
export interface NewPasskey {
  readonly credential: string
  /** 65 bytes, uncompressed. */
  readonly point: Uint8Array
  /** Not eligible for backup. */
  readonly deviceBound: boolean
  /** `later`: it can, but not while it is made. */
  readonly prf: Uint8Array | 'later' | undefined
  readonly clientData: Uint8Array
  readonly attestationObject: Uint8Array
  readonly transports: readonly string[]
}

const TIMEOUT_MS = 180_000
const ES256 = -7
/** SubjectPublicKeyInfo of an uncompressed P-256 key, up to the point (RFC 5480). */
const SPKI_PREFIX = Uint8Array.of(
  0x30,
  0x59,
  0x30,
  0x13,
  6,
  7,
  0x2a,
  0x86,
  0x48,
  0xce,
  0x3d,
  2,
  1,
  6,
  8,
  0x2a,
  0x86,
  0x48,
  0xce,
  0x3d,
  3,
  1,
  7,
  3,
  0x42,
  0,
)
const BACKUP_ELIGIBLE = 0x08

const owned = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes)
const descriptors = (ids: readonly string[]): PublicKeyCredentialDescriptor[] =>
  ids.map((id) => ({ type: 'public-key', id: owned(decodeBase64url(id)) }))
const prfInput = { prf: { eval: { first: owned(SEAL_PRF_INPUT) } } }

function prfOutput(credential: PublicKeyCredential): Uint8Array | undefined {
  const first = credential.getClientExtensionResults().prf?.results?.first
  return first === undefined ? undefined : new Uint8Array(first as ArrayBuffer).slice()
}

/** The platform's own WebAuthn, always with user verification, never for another relying party than the one given. */
export const browserPasskeys: Passkeys = {
  async get({ rpId, challenge, allow, prf }) {
    const credential = await asking(() =>
      navigator.credentials.get({
        publicKey: {
          ...{ rpId, challenge: owned(challenge), allowCredentials: descriptors(allow), userVerification: 'required', timeout: TIMEOUT_MS },
          ...(prf ? { extensions: prfInput } : {}),
        },
      }),
    )
    const response = credential.response as AuthenticatorAssertionResponse
    const output = prf ? prfOutput(credential) : undefined
    return {
      credential: encodeBase64url(new Uint8Array(credential.rawId)),
      authenticatorData: new Uint8Array(response.authenticatorData),
      clientData: new Uint8Array(response.clientDataJSON),
      signature: new Uint8Array(response.signature),
      ...(output ? { prf: output } : {}),
    }
  },
  async create({ rpId, rpName, atsign, exclude }) {
    const credential = await asking(() =>
      navigator.credentials.create({
        publicKey: {
          rp: { id: rpId, name: rpName },
          user: { id: crypto.getRandomValues(new Uint8Array(32)), name: atsign, displayName: atsign },
          challenge: crypto.getRandomValues(new Uint8Array(32)), // nobody looks at it: the key proves itself by its first signature
          pubKeyCredParams: [{ type: 'public-key', alg: ES256 }],
          authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
          ...{ attestation: 'none', excludeCredentials: descriptors(exclude), timeout: TIMEOUT_MS, extensions: prfInput },
        },
      }),
    )
    const response = credential.response as AuthenticatorAttestationResponse
    const output = prfOutput(credential)
    const canPrf = credential.getClientExtensionResults().prf?.enabled === true
    return {
      credential: encodeBase64url(new Uint8Array(credential.rawId)),
      point: pointOf(response),
      deviceBound: (new Uint8Array(response.getAuthenticatorData())[32]! & BACKUP_ELIGIBLE) === 0,
      prf: output ?? (canPrf ? 'later' : undefined),
      clientData: new Uint8Array(response.clientDataJSON),
      attestationObject: new Uint8Array(response.attestationObject),
      transports: response.getTransports(),
    }
  },
}

function pointOf(response: AuthenticatorAttestationResponse): Uint8Array {
  const spki = new Uint8Array(response.getPublicKey() ?? new ArrayBuffer(0))
  const isP256 = spki.length === SPKI_PREFIX.length + 65 && SPKI_PREFIX.every((byte, i) => spki[i] === byte)
  if (!isP256) throw new SignerError('PASSKEY_FAILED', 'it is not an ES256 key')
  return spki.slice(SPKI_PREFIX.length)
}

/** Browsers say `NotAllowedError` for a no, a time-out and no matching passkey alike. */
async function asking(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await ask()
    if (credential) return credential as PublicKeyCredential
  } catch (cause) {
    const name = cause instanceof DOMException ? cause.name : ''
    if (name === 'InvalidStateError') throw new SignerError('ALREADY_HERE', '', { cause })
    if (name !== 'NotAllowedError' && name !== 'AbortError') throw new SignerError('PASSKEY_FAILED', name || String(cause), { cause })
    throw new SignerError('CANCELLED', '', { cause })
  }
  throw new SignerError('CANCELLED')
}
