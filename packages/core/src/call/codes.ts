/** What a refusal says to people: what happened, and what would let the same request through. One sentence each. */
export interface RefusalText {
  readonly title: string
  readonly fix: string
}

/**
 * Every reason for which an edge says no, in the order in which a gateway checks (protocol.md §6). Gateway, connector, console and CLI show
 * these sentences; the code is what programs compare and what a receipt carries.
 *
 * A code is never renamed or reused: receipts keep it for years. The list is frozen by a test.
 */
const table = {
  // the frame, the channel and the session
  FRAME_TOO_LARGE: { title: 'The message is larger than this gateway accepts.', fix: 'Send less in one message; arguments may be 1 MiB.' },
  MESSAGE_MALFORMED: {
    title: 'The message is not one that this channel carries.',
    fix: 'Use a connector of the same version as the gateway.',
  },
  CHANNEL_KEY: {
    title: 'The channel was opened with a key that is not enrolled for this agent.',
    fix: 'Enrol the agent, or start the connector with the keys that were enrolled.',
  },
  NOT_ENROLLED: { title: 'This identity is not enrolled here.', fix: 'An administrator signs its enrolment.' },
  CLOSING: { title: 'The gateway is shutting down.', fix: 'Try again when it is back.' },
  BUSY: { title: 'Too many requests are waiting.', fix: 'Try again in a moment, or send fewer at once.' },
  SESSION_UNKNOWN: { title: 'The session is not open.', fix: 'Start the MCP client again, so that it opens a new session.' },
  SERVER_UNKNOWN: { title: 'This gateway has no server of that name.', fix: 'Check the name, or add the server on the gateway.' },
  METHOD_NOT_PERMITTED: {
    title: 'This MCP method is not let through.',
    fix: 'Use a method that is; others pass only if the policy names them.',
  },

  // the gateway's own view of authority
  LOG_BEHIND: { title: 'The other side knows a newer authority log.', fix: 'It is fetched now; try again when both have the same head.' },
  LOG_FORKED: {
    title: 'Two different authority logs exist for one organisation.',
    fix: 'Nothing runs until an administrator has found out which one is right.',
  },
  LOG_HALTED: {
    title: 'The authority log holds a statement that this version does not know.',
    fix: 'Upgrade this gateway; it keeps its last state until then.',
  },
  CLOCK_WRONG: { title: 'The clock of this machine has gone back.', fix: 'Set the clock.' },
  STALE: {
    title: 'The gateway has not heard from the control plane for longer than the policy allows.',
    fix: 'Restore the connection, or hand it the newest log and revocations as files.',
  },
  NO_POLICY: { title: 'No policy has been signed, so nothing is allowed.', fix: 'An administrator signs a policy.' },

  // asking for a grant
  ASK_MALFORMED: { title: 'The request for a grant cannot be read.', fix: 'Build it as packages/core/spec/grant.md §2 says.' },
  ASK_SIGNATURE: {
    title: "The request for a grant is not signed by the agent's enrolled call key.",
    fix: 'Sign it with the call key that is in the authority log.',
  },
  ASK_EXPIRED: { title: 'The request for a grant is too old, or from the future.', fix: 'Ask again; check both clocks.' },

  // the grant
  GRANT_UNKNOWN: { title: 'The gateway does not hold the grant that the call names.', fix: 'Send the grant with the call.' },
  GRANT_MALFORMED: { title: 'The grant cannot be read.', fix: 'Ask this gateway for a grant.' },
  GRANT_SIGNATURE: { title: "The grant is not signed by this gateway's issue key.", fix: 'Ask this gateway for a grant.' },
  GRANT_FOREIGN: { title: 'The grant was given to another agent, or by another gateway.', fix: 'Ask for a grant of your own.' },
  GRANT_EPOCH: { title: 'The gateway has restarted since it gave the grant.', fix: 'Ask for a new grant.' },
  GRANT_POLICY: { title: 'The policy has changed since the grant was given.', fix: 'Ask for a new grant.' },
  REVOKED: {
    title: 'The agent, its owner or the grant has been revoked or suspended.',
    fix: 'An administrator enrols it again, or releases it.',
  },
  GRANT_EXPIRED: { title: 'The grant has expired.', fix: 'Ask for a new grant.' },
  GRANT_NOT_YET: { title: 'The grant is not valid yet.', fix: 'Wait, and check both clocks.' },

  // the call
  CALL_MALFORMED: { title: 'The call cannot be read.', fix: 'Build it as packages/core/spec/call.md §2 says.' },
  CALL_SIGNATURE: {
    title: "The call is not signed by the agent's enrolled call key.",
    fix: 'Sign it with the call key to which the grant is bound.',
  },
  CALL_EXPIRED: { title: 'The call was signed too long ago, or in the future.', fix: 'Sign it again; check both clocks.' },
  CALL_BINDING: {
    title: 'The call was signed for another grant, tool, server or channel.',
    fix: 'Sign a new call for this grant on this channel.',
  },
  ARGS_CHANGED: { title: 'The arguments are not the ones that were signed.', fix: 'Sign the arguments that are sent.' },
  REPLAYED: { title: 'This call was already made.', fix: 'Sign a new call with the next counter and a new id.' },

  // what it wants to do
  TOOL_NOT_GRANTED: { title: 'The grant does not name this tool.', fix: 'Ask for a grant that names it.' },
  TOOL_NOT_PINNED: { title: 'Nobody has pinned this tool.', fix: 'An administrator reviews and pins it: postern tools pin.' },
  TOOL_CHANGED: {
    title: 'The server now describes this tool differently from what was pinned.',
    fix: 'An administrator reviews the change and pins it again.',
  },
  ARGUMENT_REFUSED: { title: 'An argument is outside what is allowed.', fix: 'Stay within the conditions, or have the rule widened.' },
  SCHEMA_UNUSABLE: {
    title: 'The arguments cannot be checked against the schema of the tool.',
    fix: 'Have the server give a JSON Schema (2020-12 or draft 7) that is bounded and refers to nothing outside, and pin it.',
  },
  POLICY_DENIED: { title: 'The policy does not allow this.', fix: 'An administrator signs a policy with a rule that does.' },
  LIMIT_EXCEEDED: { title: 'A limit of the policy or of the grant is used up.', fix: 'Wait until it is renewed, or have it raised.' },
  LIMIT_UNSUPPORTED: {
    title: 'The policy sets a kind of limit that this version cannot count.',
    fix: 'Upgrade the gateway, or sign a policy without that limit.',
  },
  FLOW_UNSUPPORTED: {
    title: 'The policy asks for a flow rule that this version cannot check.',
    fix: 'Upgrade the gateway, or sign a policy without that rule.',
  },
  APPROVAL_UNSUPPORTED: {
    title: 'The policy asks for a person to approve this, which this version cannot do.',
    fix: 'Upgrade the gateway, or have the rule changed.',
  },
  APPROVAL_IMPOSSIBLE: {
    title: 'Nobody can be asked to approve this call.',
    fix: 'The rule names live people as approvers, who have a seal key: postern people list shows who has.',
  },
  APPROVAL_PENDING: {
    title: 'The call waits for a person to approve it.',
    fix: 'Make the same call again, with the same arguments: it is not asked for twice, and runs once.',
  },
  APPROVAL_REFUSED: { title: 'A person has refused this call.', fix: 'Ask that person; the same call will be asked about again.' },
  APPROVAL_TIMED_OUT: { title: 'Nobody decided about this call in time, so it did not run.', fix: 'Call again when an approver is there.' },
  APPROVAL_ENDED: {
    title: 'The call is not held any more, so it cannot be approved and did not run.',
    fix: 'Call again; it will be asked about anew.',
  },

  // running it
  JOURNAL_FAILED: { title: 'The gateway could not write its journal, so it ran nothing.', fix: "Make room on the gateway's disk." },
  SERVER_FAILED: { title: 'The MCP server could not be started or stopped answering.', fix: "See the gateway's log." },
  OUTPUT_UNSUPPORTED: {
    title: 'The policy asks for a check of results that this version cannot do.',
    fix: 'Upgrade the gateway, or sign a policy without that check.',
  },
  OUTPUT_REFUSED: {
    title: 'The call ran; its result is withheld.',
    fix: 'Ask the owner of the server for a result without it, or have the rule changed.',
  },
  OUTCOME_UNKNOWN: {
    title: 'The call was started; whether it took effect is not known.',
    fix: 'Look before you repeat it. It is never repeated for you.',
  },

  // on the way
  GATEWAY_UNREACHABLE: { title: 'The gateway does not answer.', fix: 'See that it runs and is connected: postern gateway list.' },
  RELAY_UNREACHABLE: { title: 'No relay can be reached.', fix: 'Check the network and the relay address.' },
  INTERNAL: { title: 'Something failed that should not have.', fix: 'Report it with the time and this code.' },
} as const satisfies Record<string, RefusalText>

/** The closed union of refusal codes. */
export type RefusalCode = keyof typeof table

/** Code → sentences. Look up untrusted names with `isRefusalCode` first. */
export const refusals: Readonly<Record<RefusalCode, RefusalText>> = table

/** Whether this version knows the code. A receipt of a newer gateway may carry one that it does not. */
export function isRefusalCode(code: string): code is RefusalCode {
  return Object.hasOwn(refusals, code)
}
