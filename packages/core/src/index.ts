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
// call
export type { Ack } from './call/ack.ts'
export { revocationsDigest, signAck, verifyAck } from './call/ack.ts'
export type { Call } from './call/call.ts'
export { signCall, verifyCall } from './call/call.ts'
export type { RefusalCode, RefusalText } from './call/codes.ts'
export { isRefusalCode, refusals } from './call/codes.ts'
export type { Receipt, ReceiptStatus } from './call/receipt.ts'
export { signReceipt, verifyReceipt } from './call/receipt.ts'
// errors
export type { VerifyCode } from './errors.ts'
export { VERIFY_CODES, VerifyError } from './errors.ts'
// grant
export type { Ask } from './grant/ask.ts'
export { MAX_ASK_SECONDS, signAsk, verifyAsk } from './grant/ask.ts'
export type { AskDetail, GrantDetail } from './grant/details.ts'
export type { Grant } from './grant/grant.ts'
export { checkGrantTimes, MAX_GRANT_SECONDS, signGrant, verifyGrant } from './grant/grant.ts'
export type { Intent } from './grant/intent.ts'
export { intentOf } from './grant/intent.ts'
// key
export * from './key/index.ts'
// tokens
export type { Claims, KeyResolver, TokenContext, Verified } from './key/jws.ts'
export { CLOCK_TOLERANCE_SECONDS, MAX_TOKEN_CHARS, tokenHash } from './key/jws.ts'
export { portable } from './key/portable.ts'

// request
export type { ParsedSignature, RequestHeaders, RequestParameters, RequestTarget } from './request/profile.ts'
export { contentDigest, parseRequestSignature, REQUEST_NONCE_SECONDS, REQUEST_SECONDS } from './request/profile.ts'
export type { OutgoingRequest, RequestSigner, SignatureHeaders } from './request/sign.ts'
export { signRequest } from './request/sign.ts'
export type { IncomingRequest, SignedRequest } from './request/verify.ts'
export { verifyRequest } from './request/verify.ts'

// seal
export type { GrantAnswer, SealAddress } from './seal/ask.ts'
export { MAX_SEALED_ANSWER_BYTES, MAX_SEALED_ASK_BYTES, openAnswer, openAsk, sealAnswer, sealAsk } from './seal/ask.ts'
export type { Exporter } from './seal/hpke.ts'
export { openSealed, sealTo } from './seal/hpke.ts'
// frame
export * from './frame/index.ts'
// session
export type { Initiator, Responder } from './session/handshake.ts'
export { channelPrologue, createInitiator, createResponder } from './session/handshake.ts'
export type { ChannelEnd, ChannelMessage, MessageHeader, MessageType } from './session/messages.ts'
export { decodeMessage, encodeMessage, MESSAGES } from './session/messages.ts'
export type { HandshakeKeys } from './session/noise.ts'
export type { Session } from './session/session.ts'
export { MAX_FRAGMENT_BYTES, MAX_MESSAGE_BYTES } from './session/session.ts'
