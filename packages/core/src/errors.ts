/**
 * Every reason for which core refuses input. A closed set: edges map each code once (`satisfies Record<VerifyCode, …>`).
 * Codes are part of the contract with programs; a pin test freezes them, so append, never rename.
 */
export const VERIFY_CODES = [
  // bytes: encodings and shapes
  'MALFORMED',
  'TOO_LARGE',
  'TOO_DEEP',
  'DUPLICATE_NAME',
  'NOT_CANONICAL',
  'UNSAFE_TEXT',
  'UNKNOWN_FIELD',
  // key: names, keys, signatures
  'BAD_ATSIGN',
  'BAD_KEY',
  'UNKNOWN_KEY',
  'WRONG_KEY_USE',
  'BAD_SIGNATURE',
  'WRONG_NAMESPACE',
  'BAD_CLIENT_DATA',
  'WRONG_RP_ID',
  'USER_NOT_VERIFIED',
  // several formats
  'UNKNOWN_VERSION',
  'WRONG_ORG',
  'NOT_YET_VALID',
  'EXPIRED',
  // tokens, requests, sealing
  'WRONG_TYPE',
  'WRONG_AUDIENCE',
  'UNSIGNED',
  'WRONG_DIGEST',
  'CANNOT_OPEN',
  // statement
  'BAD_PREV',
  'BAD_SEQ',
  'THRESHOLD_NOT_MET',
  // session: the channel
  'BAD_HANDSHAKE',
  'SESSION_ENDED',
  // policy
  'DUPLICATE_RULE',
  'UNKNOWN_GROUP',
  // statement: chain
  'SIGNATURE_MISSING',
  'THRESHOLD_UNREACHABLE',
  'BAD_TIME',
  'BAD_REV',
  'UNKNOWN_OP',
  'HALTED',
  // statement: names, enrolments, pins, revocations
  'UNKNOWN_NAME',
  'NAME_TAKEN',
  'WRONG_KIND',
  'KIND_CHANGED',
  'KEY_REUSED',
  'REQUEST_EXPIRED',
  'BAD_PROOF',
  'WRONG_OWNER',
  'NOT_DELEGATED',
  'CEILING_EXCEEDED',
  'SERVER_TAKEN',
  'UNKNOWN_TARGET',
  'NOT_ENTITLED',
  // call: approvals
  'WRONG_CALL',
] as const

export type VerifyCode = (typeof VERIFY_CODES)[number]

/**
 * Thrown by every `parse…`, `decode…`, `verify…` and `open…` in core. `code` is stable and for programs; `message` is for
 * people, says what was expected and what was found, and never contains a secret.
 */
export class VerifyError extends Error {
  override name = 'VerifyError'
  readonly code: VerifyCode
  constructor(code: VerifyCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
