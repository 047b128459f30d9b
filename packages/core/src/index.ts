// @postern/core: everything the packages and other people's programs may use, by name. Each folder has its own block.

// bytes
export { decodeBase64url, encodeBase64url } from './bytes/base64url.ts'
export { concatBytes, decodeUtf8, equalBytes, utf8 } from './bytes/bytes.ts'
export { canonicalText, encodeCanonical, isSafeText, parseSigned, SIGNED_LIMITS } from './bytes/canonical.ts'
export type { JsonLimits, JsonObject, JsonValue } from './bytes/json.ts'
export { isJsonObject, parseStrictJson } from './bytes/json.ts'
export type { Shape } from './bytes/shape.ts'
export * as shape from './bytes/shape.ts'
export { parseObject } from './bytes/shape.ts'
// errors
export type { VerifyCode } from './errors.ts'
export { VERIFY_CODES, VerifyError } from './errors.ts'

// key
export * from './key/index.ts'
export { portable } from './key/portable.ts'
