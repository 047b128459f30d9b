import type { Approval, Receipt, SignerRequest, State, VerifiedHeld } from '@postern/core'
import {
  approvalWords,
  encodeApproval,
  encodeBase64url,
  encodeSigned,
  hasHidden,
  heldCallOf,
  showArguments,
  showText,
  showValue,
  signerRequestUrl,
} from '@postern/core'
import { syncAuthority } from '../authority/authority.ts'
import { openUrl } from '../browser/open-url.ts'
import { signerOf } from '../browser/sign.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import type { Report } from '../output/report.ts'
import type { SignedIn } from '../profile/person.ts'
import { now, surroundings } from '../surroundings.ts'
import type { HeldEntry, SealedEntry } from './held.ts'
import { heldCallOfEntry, openEntry, readEntry, receiptOf } from './held.ts'

export interface DecideOptions {
  readonly decision: Approval['decision']
  readonly reason?: string
  /** How long to look on while the call runs, in seconds. */
  readonly waitSeconds: number
}

/**
 * Opens a held call, shows what is in it, asks, signs a decision about exactly that, and follows it until the gateway has acted. What is
 * signed is computed from what was opened and verified here, never from what the control plane says.
 * @throws {CliError} REFUSED_BY (exit code 7) or CONFLICT (9) when somebody was faster; DECLINED, CONFIRM; as `openEntry`
 */
export async function decide(context: Context, person: SignedIn, id: string, options: DecideOptions): Promise<Report> {
  const { dir, profile, client } = person
  const { state, warnings } = await syncAuthority(dir, profile.org, client)
  for (const warning of warnings) context.warn(warning)
  const entry = await readEntry(client, id)
  refuseOver(entry)
  if ((await person.key()).isPasskey) return inBrowser(context, person, state, entry, options)
  const held = await openFor(options, entry, state, person)
  const about = held ? heldCallOf(held.hold) : heldCallOfEntry(state.org, entry)
  const { decision, reason } = options
  const bytes = encodeApproval({ ...about, decision, at: now(), ...(reason === undefined ? {} : { reason }) })
  show(context, entry, held, bytes)
  await ask(context, entry, options)
  const { sign } = await person.key()
  const signature = await sign('postern-approval-v1', bytes)
  await client.call(`/api/v1/approvals/${entry.id}/decisions`, { json: { decision: encodeSigned({ bytes, signatures: [signature] }) } })
  context.say('✓ signed')
  return follow(context, person, state, entry, options)
}

/** Whoever says no need not be able to open it: a refusal of another call than the one meant can do no harm. */
async function openFor({ decision }: DecideOptions, entry: SealedEntry, state: State, person: SignedIn): Promise<VerifiedHeld | undefined> {
  try {
    return await openEntry(entry, state, person.dir, person.profile.atsign)
  } catch (error) {
    if (decision === 'refuse' && error instanceof CliError && error.code === 'NO_SEAL_KEY') return undefined
    throw error
  }
}

/** @throws {CliError} */
function refuseOver({ id, status, by, reason, code }: HeldEntry): void {
  if (status === 'waiting') return
  const short = id.slice(0, 8)
  if (status === 'refused') {
    const why = reason === undefined ? 'no reason was given' : JSON.stringify(reason)
    throw new CliError('REFUSED_BY', `${short} was already refused by ${by ?? 'somebody'}`, { why, exit: 'refused' })
  }
  if (status === 'timed_out' || status === 'ended') {
    const why = status === 'timed_out' ? 'nobody decided in time' : `the gateway holds it no more${code ? ` (${code})` : ''}`
    throw new CliError('CONFLICT', `${short} is over: the call was refused`, { why, fix: 'the agent has to call again', exit: 'conflict' })
  }
  throw new CliError('CONFLICT', `${by ?? 'somebody'} has already decided about ${short}`, { exit: 'conflict' })
}

function show(context: Context, entry: HeldEntry, held: VerifiedHeld | undefined, bytes: Uint8Array): void {
  for (const line of held ? linesOf(held) : [`${entry.server}.${entry.tool}   its arguments cannot be opened here`]) context.show(line)
  const { org, cth } = held ? heldCallOf(held.hold) : heldCallOfEntry('', entry)
  const digest = encodeBase64url(surroundings.suite.sha256(bytes))
  context.show(`sha256 ${digest}${held ? `   words  ${approvalWords(org, cth).join(' ')}` : ''}`)
}

/** Every value whole, and every character of it visible. */
function linesOf({ hold, arguments: args, params }: VerifiedHeld): readonly string[] {
  const shown = showArguments(args)
  const width = Math.min(24, Math.max(0, ...shown.map(({ name }) => name.length)))
  const others = Object.keys(params).filter((name) => name !== 'name' && name !== 'arguments')
  const intent = hold.intent === undefined ? 'the agent gives no reason' : `agent says (not verified): ${showText(hold.intent)}`
  return [
    `${showText(`${hold.server}.${hold.tool}`)}   ${hold.risk.toUpperCase()}   asked by rule ${hold.rule} (${hold.policy}, line ${hold.line})`,
    ...(shown.length === 0 ? ['  no arguments'] : []),
    ...shown.map(({ name, text, hidden }) => `  ${name.padEnd(width)}  ${text}${hidden ? '   ! hidden character' : ''}`),
    ...others.map((name) => besides(showText(name), showValue(params[name]!))),
    `agent ${hold.agent}${hold.owner === undefined ? '' : ` for ${hold.owner}`} via ${hold.iss}`,
    intent,
  ]
}
const besides = (name: string, text: string): string =>
  `  beside the arguments: ${name} ${text}${hasHidden(text) ? '   ! hidden character' : ''}`

function ask(context: Context, { id, deadline }: HeldEntry, { decision }: DecideOptions): Promise<void> {
  const left = Math.max(0, deadline - now())
  if (decision === 'refuse') return context.confirm('Refuse this call?')
  return context.confirmFinal('approve', `Approve once? ${left} s left; to say no: postern refuse ${id.slice(0, 8)}`)
}

/** Its holder decides there: the page opens, shows and signs; this only looks on. */
async function inBrowser(context: Context, person: SignedIn, state: State, entry: SealedEntry, options: DecideOptions): Promise<Report> {
  const request: SignerRequest = { v: 1, kind: 'approval', control: new URL(person.profile.control).origin, org: state.org, id: entry.id }
  context.say('◌ Decide with your passkey, in the browser:')
  openUrl(context, signerRequestUrl(await signerOf(person), request), true)
  return follow(context, person, state, entry, { ...options, waitSeconds: Math.max(options.waitSeconds, entry.deadline - now()) })
}

const OVER: ReadonlySet<string> = new Set(['refused', 'timed_out', 'ended', 'executed'])

/** Receipts come to the control plane a moment after the call. */
const RECEIPT_MS = 4_000

async function follow(
  context: Context,
  { client }: SignedIn,
  state: State,
  first: SealedEntry,
  { waitSeconds }: DecideOptions,
): Promise<Report> {
  const until = performance.now() + waitSeconds * 1000
  let entry = first
  let isVerified = false
  while (!OVER.has(entry.status) && performance.now() < until) {
    const { status } = entry
    entry = await readEntry(client, first.id, status)
    if (!isVerified && (entry.status === 'approved' || entry.status === 'executed')) context.say(`✓ verified by ${entry.gateway}`)
    isVerified ||= entry.status === 'approved'
    if (entry.status === 'waiting' && status === 'decided' && entry.code !== undefined)
      throw new CliError(entry.code, `${entry.gateway} did not take the decision`, { exit: 'notPermitted' })
  }
  const isOver = OVER.has(entry.status)
  for (const began = performance.now(); isOver && !entry.receipt && performance.now() - began < RECEIPT_MS; ) {
    await new Promise((resolve) => setTimeout(resolve, 250))
    entry = await readEntry(client, first.id)
  }
  const receipt = receiptOf(entry, state)
  if (isOver && !receipt) context.warn(`${entry.gateway} has not signed for this yet: what is said here is the control plane’s word`)
  return reportOf(entry, receipt)
}

function reportOf(entry: HeldEntry, receipt: Receipt | undefined): Report {
  const { id, gateway, agent, server, tool, status, by, outcome, code, ms } = entry
  const base = {
    schema: 'approval',
    data: {
      id,
      gateway,
      agent,
      server,
      tool,
      status,
      by: by ?? null,
      outcome: outcome ?? null,
      code: code ?? null,
      ms: ms ?? null,
      receipt: receipt ?? null,
    },
    ids: [id],
    hints: receipt
      ? [`✓ receipt ${receipt.rseq} of ${receipt.iss} · ${receipt.code}${receipt.approval ? ` · decided by ${receipt.approval.by}` : ''}`]
      : [],
  }
  const call = `${server}.${tool}`
  if (status === 'executed' && outcome === 'ok') return { ...base, lines: [`✓ executed in ${((ms ?? 0) / 1000).toFixed(1)} s · ${call}`] }
  if (status === 'executed') return { ...base, lines: [`✕ ${call}: ${outcome ?? 'unknown'}${code ? ` (${code})` : ''}`], exit: 'failed' }
  if (status === 'refused') return { ...base, lines: [`✕ refused by ${by ?? 'somebody'} · verified by ${gateway} · ${call} did not run`] }
  if (OVER.has(status)) return { ...base, lines: [`✕ ${call} did not run: ${code ?? status}`], exit: 'conflict' }
  return { ...base, lines: [`◌ ${call}: ${status}; ${gateway} has not said what became of it`], exit: 'pending' }
}
