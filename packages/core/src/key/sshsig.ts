import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { sshString } from './ssh-wire.ts'

/** What a signature is for. It is part of what is signed, so none verifies as another. */
export const NAMESPACES = [
  'postern-statement-v1',
  'postern-revocation-v1',
  'postern-login-v1',
  'postern-approval-v1',
  'postern-enrolment-v1',
] as const
export type Namespace = (typeof NAMESPACES)[number]

export const SSHSIG_MAGIC = utf8('SSHSIG')

/**
 * The bytes that are signed: "SSHSIG" ‖ string(namespace) ‖ string("") ‖ string("sha512") ‖ string(SHA-512(bytes)). An SSH key
 * signs them as they are; for a passkey they are the WebAuthn challenge.
 * @see packages/core/spec/signature.md §2
 */
export const sshsigTbs = (namespace: Namespace, bytes: Uint8Array): Uint8Array =>
  concatBytes(SSHSIG_MAGIC, sshString(utf8(namespace)), sshString(new Uint8Array()), sshString(utf8('sha512')), sshString(sha512(bytes)))
