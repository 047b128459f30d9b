// What a person reads before deciding about a held call. packages/core/spec/approval.md, hold.md §4

import { checkSameCall, parseApproval } from '../call/approval.ts'
import { heldCallOf } from '../call/hold.ts'
import { hasHidden, showArguments, showText, showValue } from '../call/show-arguments.ts'
import { VerifyError } from '../errors.ts'
import { approvalWords, organisationWords } from '../key/comparison.ts'
import type { State } from '../statement/state.ts'
import { durationText, utcText } from '../statement/times.ts'
import type { VerifiedHeld } from './hold.ts'

/**
 * The sentences a person reads before signing exactly these bytes, with every argument of the held call, whole. Without `held` they say
 * that the arguments are not shown. Does NOT say whether the gateway would take it.
 * @param state The reader's own verified state.
 * @throws {VerifyError} those of `parseApproval`; WRONG_ORG; WRONG_CALL when the bytes are about another call than the one held
 */
export function describeApproval(bytes: Uint8Array, state?: State, held?: VerifiedHeld): readonly string[] {
  const approval = parseApproval(bytes)
  const { org, gateway, agent, server, tool, decision, reason, schema, gth, cth, at, exp } = approval
  if (state && state.org !== org) throw new VerifyError('WRONG_ORG', `for organisation ${org}, expected ${state.org}`)
  if (held) checkSameCall(approval, heldCallOf(held.hold))
  const call = `${agent} calls ${showText(tool)} on server ${showText(server)}`
  const risk = held ? `, risk class ${held.hold.risk}` : ''
  return [
    decision === 'approve'
      ? `This approves exactly one call, which runs once: ${call}${risk}, through ${gateway}.`
      : `This refuses one call, which then does not run: ${call}${risk}, through ${gateway}.`,
    ...(reason === undefined ? [] : [`Reason, which the agent is told: ${JSON.stringify(reason)}.`]),
    ...(held ? argumentTexts(held) : ['Its arguments are not shown here.']),
    ...(held ? whyTexts(held) : []),
    `Tool definition ${schema}; call ${cth}, under grant ${gth}.`,
    `Same words on the agent's side: ${approvalWords(org, cth).join(' ')}.`,
    `Organisation${state ? ` ${JSON.stringify(state.name)}` : ''} ${org}, words: ${organisationWords(org).join(' ')}.`,
    `It is dated ${utcText(at)} and counts until ${utcText(exp)} (${durationText(exp - at)}).`,
  ]
}

function argumentTexts({ arguments: args, params }: VerifiedHeld): readonly string[] {
  const shown = showArguments(args)
  const others = Object.keys(params).filter((name) => name !== 'name' && name !== 'arguments')
  return [
    shown.length === 0 ? 'It has no arguments.' : `It has ${shown.length} ${shown.length === 1 ? 'argument' : 'arguments'}.`,
    ...shown.map(({ name, text, hidden }) => `Argument ${named(name)} = ${text}${hidden ? ', with hidden characters' : ''}.`),
    ...others.sort().map((name) => besides(showText(name), showValue(params[name]!))),
  ]
}

/** A name that could be read as something else stands in quotes. */
const named = (name: string): string => (/^[\w.-]+$/.test(name) ? name : JSON.stringify(name))

const besides = (name: string, text: string): string =>
  `Beside the arguments, ${named(name)} = ${text}${hasHidden(name + text) ? ', with hidden characters' : ''}.`

function whyTexts({ hold }: VerifiedHeld): readonly string[] {
  const { agent, owner, title, policy, pol, rule, line, intent, approvers } = hold
  return [
    ...(title === undefined ? [] : [`The server calls the tool ${JSON.stringify(title)}.`]),
    owner === undefined ? `${agent} has no owner.` : `${agent} acts for ${owner}.`,
    `Rule ${rule}, line ${line} of policy ${JSON.stringify(policy)} (${pol}), asks for it; ${approvers.join(', ')} may decide.`,
    intent === undefined ? 'The agent gives no reason.' : `The agent says (not verified): ${JSON.stringify(intent)}.`,
  ]
}
