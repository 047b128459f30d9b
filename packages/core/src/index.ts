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
export type { Approval, ApprovalContext, Decided, HeldCall } from './call/approval.ts'
export { checkSameCall, encodeApproval, MAX_HOLD_SECONDS, parseApproval, verifyApproval } from './call/approval.ts'
export type { Call } from './call/call.ts'
export { signCall, verifyCall } from './call/call.ts'
export type { RefusalCode, RefusalText } from './call/codes.ts'
export { isRefusalCode, refusals } from './call/codes.ts'
export type { Hold } from './call/hold.ts'
export { approvalOf, heldCallOf, MAX_APPROVERS, signHold, verifyHold } from './call/hold.ts'
export type { Receipt, ReceiptStatus } from './call/receipt.ts'
export { signReceipt, verifyReceipt } from './call/receipt.ts'
export type { ShownArgument } from './call/show-arguments.ts'
export { hasHidden, showArguments, showText, showValue } from './call/show-arguments.ts'
// edge
export { readAckedInTime } from './edge/acked-in-time.ts'
export type { AuthorityStore, StoredHead, StoredRevocation } from './edge/authority-store.ts'
export { openAuthorityStore } from './edge/authority-store.ts'
export type { AuthorityAlarm, AuthoritySync, PeerHead, PeerVerdict, SyncOptions } from './edge/authority-sync.ts'
export { comparePeerHead, createAuthoritySync, FORK_EVIDENCE, isSignedByAdmin, reportFork } from './edge/authority-sync.ts'
export type { ControlClient, RequestKey } from './edge/control-client.ts'
export { createControlClient } from './edge/control-client.ts'
export type { CandidateKey, Enrolment, MachineFacts } from './edge/enrol.ts'
export { awaitEnrolment, createEnrolment, postEnrolment } from './edge/enrol.ts'
export type { EdgeErrorCode } from './edge/errors.ts'
export { EdgeError } from './edge/errors.ts'
export type { EdgeKey, EdgeKeys, EdgeKeyUse, EdgeKind, EdgeSecrets, Hide } from './edge/keys.ts'
export { edgeKeysOf, encodeEdgeSecrets, generateEdgeSecrets, KEY_FILE, parseEdgeSecrets, secretOf } from './edge/keys.ts'
export type { MirrorDeps, Snapshot } from './edge/mirror.ts'
export { AuthorityMirror } from './edge/mirror.ts'
export type { JoinString, Pin } from './edge/pin.ts'
export { formatJoinString, parseJoinString, readPin, writePin } from './edge/pin.ts'
export type { Pulled } from './edge/pull.ts'
export { pullLog } from './edge/pull.ts'
export type { RelayAddress, RelayEvents, RelayLink } from './edge/relay-link.ts'
export { copiedAddress, openRelayLink } from './edge/relay-link.ts'
export type {
  EdgeAppendFile,
  EdgeClock,
  EdgeFiles,
  EdgeNet,
  EdgeRequest,
  EdgeSocket,
  EdgeSocketOptions,
  EdgeSurroundings,
  SentRequest,
} from './edge/surroundings.ts'
// errors
export type { VerifyCode } from './errors.ts'
export { VERIFY_CODES, VerifyError } from './errors.ts'
// frame
export * from './frame/index.ts'
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
// mcp
export type { Refusal } from './mcp/answers.ts'
export { createError, createRefusedError, createRefusedResult, REFUSAL_KEY, RPC_CODES } from './mcp/answers.ts'
export type { Difference } from './mcp/definition-change.ts'
export { differences, objections } from './mcp/definition-change.ts'
export { argsDigest, resultDigest, toolDigest } from './mcp/digest.ts'
export type { Era } from './mcp/era.ts'
export { createListTools, envelopeOf, eraOf, FIRST_MODERN_VERSION, protocolVersionOf } from './mcp/era.ts'
export type { RequestId, RpcMessage, RpcNotification, RpcRequest, RpcResponse } from './mcp/message.ts'
export { classify, MESSAGE_LIMITS, metaOf, parseMessage } from './mcp/message.ts'
export type { Delivered, Remapped, Remapper, RemapRefusal } from './mcp/remapper.ts'
export { createRemapper } from './mcp/remapper.ts'
export type { ToolCall } from './mcp/tool-call.ts'
export { readToolCall } from './mcp/tool-call.ts'
export type { ToolDefinition } from './mcp/tools-list.ts'
export { filterTools, readTools, withPrivateCache } from './mcp/tools-list.ts'
// policy
export type { Access } from './policy/access.ts'
export { access } from './policy/access.ts'
export type { Action, Subject } from './policy/action.ts'
export type { AdviceCode, PolicyAdvice } from './policy/advice.ts'
export { advisePolicy, untestedRules } from './policy/advice.ts'
export type { ArgCondition, Attenuation, Holding } from './policy/attenuation.ts'
export { argConditions, holdsAll, isNarrower } from './policy/attenuation.ts'
export type { Beyond } from './policy/beyond.ts'
export { permitsBeyond } from './policy/beyond.ts'
export type { RuleChange } from './policy/change.ts'
export { changedRules, describePolicyChange, sayRule } from './policy/change.ts'
export type { Unnamed } from './policy/check.ts'
export type { Completion, CompletionOption, KnownNames } from './policy/complete.ts'
export { completePolicy } from './policy/complete.ts'
export type { Condition, ConditionName, Verdict } from './policy/conditions.ts'
export { CONDITION_NAMES, conditions, isConditionName } from './policy/conditions.ts'
export type { Decision, DecisionCode } from './policy/decide.ts'
export { decide } from './policy/decide.ts'
export type { Effect, Limits, OutputMode, Policy, PolicyTest, Requirement, Rule } from './policy/document.ts'
export type { CalledTool } from './policy/edit.ts'
export { addRuleFor, appendItem } from './policy/edit.ts'
export type { KnownAgent, KnownTool, Matrix, MatrixCell, PolicyFacts, Principal } from './policy/matrix.ts'
export { comparePolicies, policyFacts } from './policy/matrix.ts'
export type { Outlook, Share } from './policy/outlook.ts'
export { prospect } from './policy/outlook.ts'
export type { PolicyProblem } from './policy/parse.ts'
export { lintPolicy, POLICY_LIMITS, parsePolicy, policyDigest } from './policy/parse.ts'
export type { PolicyTestResult } from './policy/run-tests.ts'
export { runPolicyTests } from './policy/run-tests.ts'
export type { PolicyTemplate } from './policy/templates.ts'
export { POLICY_TEMPLATES, policyTemplate } from './policy/templates.ts'
export type { DiffLine, Merged } from './policy/text-diff.ts'
export { diffLines, mergeLines } from './policy/text-diff.ts'
export type { TraceLine } from './policy/trace.ts'
export { explain } from './policy/trace.ts'
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
export { describeApproval } from './seal/describe-approval.ts'
export type { HeldAddress, HeldRequest, SealedHold, VerifiedHeld } from './seal/hold.ts'
export {
  MAX_HELD_PARAMS_BYTES,
  MAX_HOLD_KEYS,
  MAX_SEALED_HOLD_BYTES,
  openHold,
  readHeld,
  SEALED_HOLD_KEY_BYTES,
  sealHold,
} from './seal/hold.ts'
export type { Exporter } from './seal/hpke.ts'
export { openSealed, sealTo } from './seal/hpke.ts'
// session
export type { Initiator, Responder } from './session/handshake.ts'
export { channelPrologue, createInitiator, createResponder } from './session/handshake.ts'
export type { ChannelEnd, ChannelMessage, MessageHeader, MessageType } from './session/messages.ts'
export { decodeMessage, encodeMessage, MESSAGES } from './session/messages.ts'
export type { HandshakeKeys } from './session/noise.ts'
export type { Session } from './session/session.ts'
export { MAX_FRAGMENT_BYTES, MAX_MESSAGE_BYTES } from './session/session.ts'
// signing
export type { LookAlike } from './signing/look-alike.ts'
export { lookAlikes } from './signing/look-alike.ts'
export { SEAL_PRF_INPUT, sealSeed } from './signing/seal-seed.ts'
export type {
  ApprovalSignerRequest,
  EnrolmentSignerRequest,
  InviteSignerRequest,
  JoinSignerRequest,
  LoginSignerRequest,
  RevocationSignerRequest,
  SignerRequest,
  SignerRequestKind,
  StatementSignerRequest,
} from './signing/signer-request.ts'
export { encodeSignerRequest, MAX_SIGNER_REQUEST_CHARS, parseSignerRequest, signerRequestUrl } from './signing/signer-request.ts'
// statement
export type { Admission, Clock, Waiting } from './statement/admit.ts'
export { admitEntries } from './statement/admit.ts'
export type { Describable } from './statement/describe.ts'
export { describe } from './statement/describe.ts'
export type { DraftOptions } from './statement/draft.ts'
export { draftGenesis, draftStatement } from './statement/draft.ts'
export type { EnrolmentRequest } from './statement/enrolment-request.ts'
export { encodeEnrolmentRequest, parseEnrolmentRequest, verifyEnrolmentRequest } from './statement/enrolment-request.ts'
export { founderEnrolment } from './statement/founders.ts'
export { INVITE_TOKEN_BYTES, inviteKey } from './statement/invite-key.ts'
export type { RevocationQuery } from './statement/is-revoked.ts'
export { isRevoked } from './statement/is-revoked.ts'
export type { AdminClass, KeyReason, StatementClass } from './statement/kind.ts'
export type { Founder, GenesisBody } from './statement/kinds/genesis.ts'
export type { DelegationBody } from './statement/kinds/person-enroll.ts'
export type { PinnedTool } from './statement/kinds/server-pin.ts'
export type { Bodies, ChainOp, Op } from './statement/kinds.ts'
export type { Login, LoginContext } from './statement/login.ts'
export { encodeLogin, MAX_LOGIN_SECONDS, parseLogin, verifyLogin } from './statement/login.ts'
export type { IdentityKind, RiskClass } from './statement/names.ts'
export { IDENTITY_KINDS, RISK_CLASSES, riskClass, serverName, tagName, toolName } from './statement/names.ts'
export { applyStatement, classOf, neededFor, replay, startState } from './statement/replay.ts'
export type { Aim, Revocation } from './statement/revocation.ts'
export {
  aimAt,
  encodeRevocation,
  MAX_SUSPENSION_SECONDS,
  MAX_TARGETS,
  parseRevocation,
  revocationHash,
  targetsOf,
} from './statement/revocation.ts'
export type { HeldRevocation, RevocationSet } from './statement/revocation-set.ts'
export { addRevocation, emptyRevocations, missingFrom, unnamedIn } from './statement/revocation-set.ts'
export type { AdminsPart, KeyPart, Needed } from './statement/signatures.ts'
export type { Standing } from './statement/standing.ts'
export { standingOf } from './statement/standing.ts'
export type {
  BroughtBy,
  Delegation,
  EnrolmentRecord,
  Halt,
  Identity,
  Invite,
  KnownKey,
  Release,
  ServerPin,
  SignerKind,
  State,
  Target,
  TargetKind,
  Threshold,
  Thresholds,
  ToolPin,
} from './statement/state.ts'
export { adminsOf, liveKey, targetId } from './statement/state.ts'
export { stateHash } from './statement/state-hash.ts'
export type { ChainStatement, Genesis, Statement } from './statement/statement.ts'
export { DEFAULT_NVA_SECONDS, linkHash, MAX_NVA_SECONDS, MAX_REV, organisationOf, parseStatement } from './statement/statement.ts'
export { signerKindOf } from './statement/thresholds.ts'
export { durationText, utcText } from './statement/times.ts'
