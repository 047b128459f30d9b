import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { encodeCanonical } from '../bytes/canonical.ts'
import type { JsonValue } from '../bytes/json.ts'
import { portable } from '../key/portable.ts'
import type { Hash } from '../key/suite.ts'
import { sha256Text } from '../key/suite.ts'

const SALT_BYTES = 16
const TOOL = utf8('postern-tool-v1\0')
const ARGS = utf8('postern-args-v1\0')
const RESULT = utf8('postern-result-v1\0')

/**
 * What `server.pin` pins: the whole definition as the server lists it, every member, known to us or not. Base64url SHA-256.
 * @see packages/core/spec/mcp.md §4
 */
export const toolDigest = (definition: JsonValue, suite: Hash = portable): string =>
  sha256Text(concatBytes(TOOL, encodeCanonical(definition)), suite)

/**
 * The digest of arguments that a call carries (`a`). The salt keeps who sees the digest from guessing amounts and names.
 * @param salt 16 random bytes, new for each call; travels only in the channel and in sealed requests.
 */
export const argsDigest = (salt: Uint8Array, value: JsonValue, suite: Hash = portable): string => salted(ARGS, salt, value, suite)

/** The digest of a result that a receipt carries. @param salt As for `argsDigest`, another one. */
export const resultDigest = (salt: Uint8Array, value: JsonValue, suite: Hash = portable): string => salted(RESULT, salt, value, suite)

function salted(domain: Uint8Array, salt: Uint8Array, value: JsonValue, suite: Hash): string {
  if (salt.length !== SALT_BYTES) throw new RangeError(`a salt has ${SALT_BYTES} bytes, not ${salt.length}`)
  return sha256Text(concatBytes(domain, salt, encodeCanonical(value)), suite)
}
