import type { AtSign, ControlClient, EdgeKey, Hold, ReceiptStatus, RefusalCode, RequestId, RpcRequest, Suite } from '@postern/core'
import {
  approvalWords,
  decodeSigned,
  encodeBase64url,
  heldCallOf,
  metaOf,
  parseStrictJson,
  sealHold,
  signHold,
  utcText,
  utf8,
  VerifyError,
  verifyApproval,
} from '@postern/core'
import type { Log } from '@postern/daemon'
import { z } from 'zod'
import type { Authoriser } from '../authorise/authorise.ts'
import type { ApprovedBy, Asked, No } from '../authorise/candidate.ts'
import { no } from '../authorise/candidate.ts'
import type { AuthorityView } from '../authority/view.ts'
import type { McpSession } from '../session/mcp-session.ts'
import type { Ending, Held, HeldCalls } from './held-calls.ts'
import { createOutbox } from './outbox.ts'

export interface ApprovalsParts {
  readonly org: string
  readonly self: AtSign
  readonly receiptKey: EdgeKey
  readonly epoch: () => string
  readonly held: HeldCalls
  readonly authoriser: Authoriser
  readonly view: AuthorityView
  readonly client: ControlClient
  readonly suite: Suite
  readonly random: (n: number) => Uint8Array
  readonly log: Log
  /** Unix seconds. */
  readonly now: () => number
  /** Milliseconds. */
  readonly monotonic: () => number
}

/** What a decision event may be: signed bytes of 16 KiB, and signatures. */
const eventLimits = { maxBytes: 256 << 10, maxDepth: 8 }
const decisionEvent = z.strictObject({ id: z.string().max(64), decision: z.unknown() })
const heldAnswer = z.object({ decisions: z.array(decisionEvent).max(4_096) })
const maxMisses = 64
const progressSeconds = 10
/** What passes by itself, so that a held call need not end because of it. */
const passing: ReadonlySet<RefusalCode> = new Set(['STALE', 'LOG_BEHIND', 'SERVER_FAILED'])

/**
 * Calls that wait for a person: shows them to the approvers, takes decisions from the event stream, and ends them by approval, refusal,
 * deadline, or whatever makes them void. Whoever carries a decision cannot make one. Runs nothing: see `Runner`.
 */
export class Approvals {
  readonly #parts: ApprovalsParts
  readonly #outbox

  constructor(parts: ApprovalsParts) {
    this.#parts = parts
    this.#outbox = createOutbox(parts.client, parts.log)
  }

  /**
   * Holds a call and asks everybody who may approve it. The client hears that it waits.
   * @returns the held call, or why it cannot be held
   */
  hold(session: McpSession, asked: Asked, cth: string, bytes: number): Held | No {
    const { held, now, random, log } = this.#parts
    const full = held.refusal(asked.about.agent, bytes)
    if (full) return full
    const since = now()
    const hold = this.#holdOf(asked, cth, encodeBase64url(random(16)), since)
    try {
      const body = this.#sealed(asked, hold)
      const { request } = asked.permit
      const parts = { id: hold.id, asked, about: heldCallOf(hold), session, rpcId: request.id, bytes, since }
      const one = held.add({ ...parts, progressToken: progressTokenOf(request) })
      const onRefused = (code: string) => {
        log.error({ code, id: hold.id }, 'the control plane does not take a held call')
        this.#end(one, { kind: 'ended', no: no('APPROVAL_IMPOSSIBLE', `the control plane does not take it: ${code}`) })
      }
      this.#outbox.hold({ id: hold.id, body, onRefused, isOver: () => held.get(hold.id) === undefined })
      this.#progress(one)
      return one
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      return no('APPROVAL_IMPOSSIBLE', `it cannot be shown to anybody: ${error.message}`)
    }
  }

  /** One `decision` event as it came: looked at against the held call, by the state of this moment. Never rejects. */
  async onDecision(data: string): Promise<void> {
    try {
      const { id, decision } = decisionEvent.parse(parseStrictJson(data, eventLimits))
      await this.#decide(id, decision)
    } catch (error) {
      this.#parts.log.warn({ code: error instanceof VerifyError ? error.code : 'MALFORMED' }, 'a decision could not be read')
    }
  }

  /** The control plane learns what is held, so that everything else of this gateway shows as ended; and tells what was decided meanwhile. */
  async reconcile(): Promise<void> {
    const { client, held, epoch, log } = this.#parts
    await this.#outbox.send()
    try {
      const json = { epoch: epoch(), ids: held.all().map(({ id }) => id) }
      const { decisions } = heldAnswer.parse(await client.call('/api/v1/approvals/held', { json }))
      for (const { id, decision } of decisions) await this.#decide(id, decision)
    } catch (error) {
      log.debug({ code: (error as { code?: string }).code }, 'what is held could not be told')
    }
  }

  /** Authority has changed: what could not run any more is not shown to people any longer. */
  recheck(): void {
    for (const one of this.#parts.held.all()) {
      const again = this.#parts.authoriser.again(one.asked, one.session.offered, this.#parts.now())
      if ('code' in again && !passing.has(again.code)) this.#end(one, { kind: 'ended', no: no(again.code, again.message) })
    }
  }

  /** The client waits no more. */
  cancel(session: McpSession, rpcId: unknown): void {
    for (const one of this.#parts.held.all()) {
      if (one.session !== session || one.rpcId !== rpcId) continue
      this.#end(one, { kind: 'ended', no: no('APPROVAL_ENDED', 'the client has cancelled it'), quiet: true })
    }
  }

  /** Its client has gone, or its server: nobody is left to run it for. */
  leave(session: McpSession): void {
    for (const one of this.#parts.held.all())
      if (one.session === session) this.#end(one, { kind: 'ended', no: no('APPROVAL_ENDED', 'its session has ended') })
  }

  /** Deadlines, and a sign of life for clients. Call every second or so. */
  tick(): void {
    const { held } = this.#parts
    const now = this.#parts.now()
    for (const one of held.all()) {
      if (now >= one.about.exp) this.#end(one, { kind: 'timed_out', no: no('APPROVAL_TIMED_OUT') })
      else if (now >= one.nextProgress) this.#progress(one)
    }
    held.sweep(now)
    void this.#outbox.send()
  }

  endAll(why: string): void {
    for (const one of this.#parts.held.all()) this.#end(one, { kind: 'ended', no: no('APPROVAL_ENDED', why) })
  }

  /** What became of an approved call, for those who look on. The receipt says it with a signature. */
  executed({ id }: ApprovedBy, outcome: ReceiptStatus, code: RefusalCode | 'OK', ms: number): void {
    const more = { ...(code === 'OK' ? {} : { code }), ms: Math.max(0, Math.round(ms)) }
    this.#outbox.stage({ id, status: 'executed', outcome, ...more })
  }

  /** Resolves when what can be told has been told. */
  settle(): Promise<void> {
    return this.#outbox.send()
  }

  async #decide(id: string, decision: unknown): Promise<void> {
    const { held, authoriser, view, suite, now, log } = this.#parts
    const one = held.get(id)
    if (!one) return log.info({ id }, 'a decision about a call that is not held')
    await one.session.ready(undefined) // while the server says its tools anew, nobody knows whether this one is still the same
    if (one.misses >= maxMisses) return
    const again = authoriser.again(one.asked, one.session.offered, now())
    if ('code' in again) return this.#end(one, { kind: 'ended', no: no(again.code, again.message) })
    try {
      const signed = decodeSigned(decision as never)
      const { state, revocations } = view.snapshot
      const context = { approvers: again.named, revocations, now: now(), suite }
      const { by, decision: said, reason } = verifyApproval(signed, one.about, state!, context)
      const approval = { id, by, h: encodeBase64url(suite.sha256(signed.bytes)) }
      if (said === 'approve') this.#end(one, { kind: 'approved', approval })
      else this.#end(one, { kind: 'refused', approval, no: no('APPROVAL_REFUSED', sayRefusal(by, reason)) })
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      one.misses += 1
      log.warn({ code: error.code, id, why: error.message }, 'a decision does not count')
      this.#outbox.stage({ id, status: 'waiting', code: error.code })
    }
  }

  /** The first ending counts; later ones change nothing. */
  #end(one: Held, ending: Ending): void {
    const { held, log, now } = this.#parts
    if (!held.end(one, ending, now())) return
    const { kind } = ending
    log.info(
      { id: one.id, kind, agent: one.asked.about.agent, ...('no' in ending ? { code: ending.no.code } : {}) },
      'a held call has ended',
    )
    const code = kind === 'ended' ? { code: ending.no.code } : {}
    this.#outbox.stage({ id: one.id, status: kind, ...('approval' in ending ? { by: ending.approval.by } : {}), ...code })
  }

  #holdOf(asked: Asked, cth: string, id: string, since: number): Hold {
    const { org, self, receiptKey, epoch } = this.#parts
    const { permit, about, schema, owner, approvers, policy, waitSeconds } = asked
    const intent = permit.grant.intent?.sum
    return {
      ...{ v: 1, org, iss: self, kid: receiptKey.kid, id, epoch: epoch() },
      ...{ agent: about.agent, gth: about.gth, cth, server: about.server, tool: about.tool, schema, a: permit.call.a },
      ...{ risk: permit.risk, pol: permit.pol, policy: policy.name, rule: policy.rule, line: policy.line },
      ...(owner === undefined ? {} : { owner }),
      ...(intent === undefined ? {} : { intent }),
      ...{ approvers: approvers.map(({ atsign }) => atsign), iat: since, exp: since + waitSeconds },
    }
  }

  /** @throws {VerifyError} for parameters or names that nobody could be shown */
  #sealed({ permit, approvers }: Asked, hold: Hold) {
    const { org, self, receiptKey, suite, random } = this.#parts
    const token = signHold(hold, receiptKey.secret.expose(), suite)
    const request = { hold: token, params: permit.request.params, salt: permit.salt }
    const at = { org, gateway: self, cth: hold.cth }
    const { content, keys } = sealHold(
      request,
      at,
      approvers.flatMap((approver) => approver.keys),
      random,
      suite,
    )
    const { id, epoch, agent, server, tool, risk, rule, gth, cth, schema, a, exp } = hold
    return {
      ...{ id, epoch, agent, server, tool, risk, rule, gth, cth, schema, a, deadline: exp, approvers: hold.approvers },
      content: encodeBase64url(content),
      sealed: keys.map(({ kid, bytes }) => ({ kid, bytes: encodeBase64url(bytes) })),
    }
  }

  /** A client that hears nothing gives up. */
  #progress(one: Held): void {
    const { session, progressToken, about, since, asked } = one
    one.nextProgress = this.#parts.now() + progressSeconds
    if (progressToken === undefined || !session.channel) return
    const message = `waiting for ${sayWho(asked)} to approve, until ${utcText(about.exp)}; ${approvalWords(about.org, about.cth).join(' ')}`
    const params = { progressToken, progress: this.#parts.now() - since, total: about.exp - since, message }
    session.channel.send('MESSAGE', { sid: session.id }, utf8(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/progress', params })))
  }
}

const sayWho = ({ approvers }: Asked): string =>
  approvers
    .map(({ atsign }) => atsign)
    .join(' or ')
    .slice(0, 200)
const sayRefusal = (by: string, reason: string | undefined): string => `refused by ${by}${reason === undefined ? '' : `: ${reason}`}`

function progressTokenOf(request: RpcRequest): RequestId | undefined {
  const token = metaOf(request.params).progressToken
  return typeof token === 'string' || typeof token === 'number' ? token : undefined
}
