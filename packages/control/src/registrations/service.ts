import { encodeBase64url, VerifyError } from '@postern/core'
import type { AuthenticatorTransport } from '@simplewebauthn/server'
import { verifyRegistrationResponse } from '@simplewebauthn/server'
import {
  cose,
  decodeAttestationObject,
  decodeClientDataJSON,
  decodeCredentialPublicKey,
  isoBase64URL,
} from '@simplewebauthn/server/helpers'
import type { z } from 'zod'
import type { Context, Control } from '../context.ts'
import { signerOriginsOf } from '../http/cors.ts'
import type { registrationAnswer, registrationInput } from './schema.ts'

/**
 * Reads a passkey that the signing page has just made, with another parser than the page's own, which compares the two. Checked with
 * `@simplewebauthn/server`: `webauthn.create`, not framed, at a signer origin, for that origin's rpId; user present and verified; ES256;
 * the credential id. Does NOT check the challenge (any the page made is fine: possession is proven by the signature over the enrolment
 * request that follows), who made the authenticator (no attestation is asked for), nor whether the key is new. Keeps nothing, and gives no right.
 * @throws {VerifyError} BAD_CLIENT_DATA, MALFORMED
 * @throws {ControlError} TOO_MANY
 */
export async function checkRegistration(
  { control }: Context,
  registration: z.output<typeof registrationInput>,
): Promise<z.input<typeof registrationAnswer>> {
  control.limits.strangers.check()
  control.limits.strangers.spend()
  const { credential, client_data, transports = [] } = registration
  const { origin, rpIds } = siteOf(control, client_data)
  refuseCertificates(registration.attestation_object)
  const info = await verified(registration, origin, rpIds)
  if (info.credential.id !== credential) throw new VerifyError('MALFORMED', 'credential: another one than the authenticator made')
  return {
    key: pointOf(info.credential.publicKey),
    ...{ credential, aaguid: info.aaguid, transports },
    synced: info.credentialDeviceType === 'multiDevice',
  }
}

/** An origin of the log goes with the rpId of the log; any other of ours with its own host name. */
function siteOf(control: Control, clientData: string): { origin: string; rpIds: string[] } {
  const { origin, crossOrigin, topOrigin } = readClientData(clientData)
  if (!signerOriginsOf(control).includes(origin)) throw new VerifyError('BAD_CLIENT_DATA', 'not made at an origin of the signing page')
  if (crossOrigin || topOrigin) throw new VerifyError('BAD_CLIENT_DATA', 'made inside a frame')
  const site = control.ledger.state?.site
  return { origin, rpIds: site?.origins.includes(origin) ? [site.rpId] : [new URL(origin).hostname] }
}

function readClientData(text: string): { origin: string; crossOrigin?: unknown; topOrigin?: unknown } {
  try {
    return decodeClientDataJSON(text)
  } catch (cause) {
    throw new VerifyError('BAD_CLIENT_DATA', 'client_data is no JSON', { cause })
  }
}

/** The library would fetch the revocation lists that certificates name; a stranger's URL is never fetched here. */
function refuseCertificates(attestationObject: string) {
  if (!isWithoutCertificates(attestationObject))
    throw new VerifyError('MALFORMED', 'attestation_object: not one, or with certificates: ask the authenticator for no attestation')
}

function isWithoutCertificates(attestationObject: string): boolean {
  try {
    const statement = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject))
    return statement.get('fmt') === 'none' || (statement.get('fmt') === 'packed' && statement.get('attStmt').get('x5c') === undefined)
  } catch {
    return false // its decoder throws whatever it stumbles upon
  }
}

async function verified(
  { credential, client_data, attestation_object, transports = [] }: z.output<typeof registrationInput>,
  origin: string,
  rpIds: string[],
) {
  const response = {
    clientDataJSON: client_data,
    attestationObject: attestation_object,
    transports: transports as AuthenticatorTransport[],
  }
  try {
    const answer = await verifyRegistrationResponse({
      response: { id: credential, rawId: credential, type: 'public-key', response, clientExtensionResults: {} },
      expectedChallenge: () => true,
      ...{ expectedOrigin: origin, expectedRPID: rpIds, requireUserVerification: true },
      supportedAlgorithmIDs: [cose.COSEALG.ES256],
    })
    if (answer.verified) return answer.registrationInfo
  } catch (cause) {
    throw new VerifyError('MALFORMED', `registration: ${cause instanceof Error ? cause.message.slice(0, 200) : 'not acceptable'}`, {
      cause,
    })
  }
  throw new VerifyError('MALFORMED', 'registration: its attestation does not verify')
}

/** From COSE to the raw key that the log has: 0x04 ‖ x ‖ y. */
function pointOf(publicKey: Uint8Array<ArrayBuffer>): string {
  const key = decodeCredentialPublicKey(publicKey)
  const [x, y] = cose.isCOSEPublicKeyEC2(key) ? [key.get(cose.COSEKEYS.x), key.get(cose.COSEKEYS.y)] : []
  if (x?.length !== 32 || y?.length !== 32) throw new VerifyError('BAD_KEY', 'not a P-256 key')
  return encodeBase64url(Uint8Array.of(4, ...x, ...y))
}
