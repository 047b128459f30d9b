import type { JsonObject, MessageHeader, ReceiptStatus, RefusalCode, RequestId, RpcRequest, RpcResponse, Suite } from '@postern/core'
import {
  createRefusedResult,
  encodeBase64url,
  eraOf,
  parseMessage,
  readToolCall,
  refusals,
  resultDigest,
  tokenHash,
  utf8,
  VerifyError,
} from '@postern/core'
import type { Log } from '@postern/daemon'
import type { Approvals } from '../approvals/approvals.ts'
import type { Held, HeldCalls, Ending as HeldEnding } from '../approvals/held-calls.ts'
import type { Authoriser } from '../authorise/authorise.ts'
import type { Asked, CallFacts, CallInput, No, Permit, Refusal, Repeated } from '../authorise/candidate.ts'
import { no } from '../authorise/candidate.ts'
import type { AuthorityView } from '../authority/view.ts'
import type { Checks } from '../checks/checks.ts'
import type { Fit } from '../checks/schemas.ts'
import type { Channel } from '../link/channel.ts'
import type { CallReturn, McpSession } from '../session/mcp-session.ts'
import type { CallEntry, CallLog, Ending, Finished } from './call-log.ts'
import type { Outcome, ReceiptWriter } from './receipts.ts'

export interface RunnerParts {
  readonly authoriser: Authoriser
  readonly calls: CallLog
  readonly receipts: ReceiptWriter
  readonly approvals: Approvals
  readonly held: HeldCalls
  readonly checks: Checks
  readonly view: AuthorityView
  readonly epoch: () => string
  readonly suite: Suite
  readonly random: (n: number) => Uint8Array
  readonly log: Log
  /** Unix seconds. */
  readonly now: () => number
  /** Milliseconds. */
  readonly monotonic: () => number
}

type CallHeader = MessageHeader<'CALL'>
type Returned = Extract<CallReturn, { response: RpcResponse }>
type Lost = Extract<CallReturn, { lost: string }>
const noSalt = ''
const unrecorded = 'it ran, and its end could not be written down'
/** Receipts for refusals, per agent: an agent that is refused in a loop must not fill the journal. */
const refusalReceiptsPerMinute = 120

/** Takes calls from the authoriser's decision to the answer: start record, run, end record with receipt, result. */
export class Runner {
  readonly #parts: RunnerParts
  readonly #refusals = new Map<string, { minute: number; count: number }>()

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  /** One CALL message. Never rejects: whatever happens, the client gets an answer. */
  async handle(channel: Channel, session: McpSession, header: CallHeader, body: Uint8Array): Promise<void> {
    session.lastUsedMs = this.#parts.monotonic()
    if (!session.enter()) return this.#sendRefused(channel, session.id, no('BUSY', 'too many calls wait'), readRequest(body), {})
    try {
      await this.#handle(channel, session, header, body)
    } finally {
      session.leave()
    }
  }

  async #handle(channel: Channel, session: McpSession, header: CallHeader, body: Uint8Array): Promise<void> {
    const request = readRequest(body)
    const ready = session.ready(request)
    if (ready) await ready
    const { sid, ...tokens } = header
    const fitting = this.#parts.checks.fit(session, request)
    const fit = fitting instanceof Promise ? await fitting : fitting
    const verdict = this.#parts.authoriser.decide(inputOf(channel, session, fit, tokens, body), this.#parts.now())
    const about = { ...verdict.about, cth: tokenHash(header.call, this.#parts.suite) }
    if (verdict.effect === 'refuse') return this.#refuse(channel, sid, { ...verdict, about }, request)
    if (verdict.effect === 'repeat') return this.#repeat(channel, sid, { ...verdict, about }, request)
    if (verdict.effect === 'ask') return this.#ask(channel, session, verdict, about, body.length)
    await this.#run(channel, session, verdict, about)
  }

  /** A person is asked. Only an approval of this very call, which the held one was compared with, lets it run. */
  async #ask(channel: Channel, session: McpSession, asked: Asked, about: CallFacts & { cth: string }, bytes: number): Promise<void> {
    const { permit } = asked
    const held = this.#parts.approvals.hold(session, asked, about.cth, bytes)
    if ('code' in held) return this.#refuseNow(channel, session.id, { ...held, rule: asked.policy.rule }, about, permit.request)
    sayHeld(channel, session.id, held)
    held.onEnd = (ending) => this.#notApproved(channel, session, held, about, ending)
    const ending = await held.ending
    if (ending.kind === 'approved') await this.#run(channel, session, { ...permit, approval: ending.approval }, about)
  }

  #notApproved(channel: Channel, { id }: McpSession, { asked, id: ref }: Held, about: CallFacts, ending: HeldEnding): void {
    if (ending.kind === 'approved') return
    const { rule } = asked.policy
    const more = { rule, ...('approval' in ending ? { approval: ending.approval } : {}) }
    const receipt = this.#receiptFor(ending.no.code, about, more)
    const isQuiet = ending.kind === 'ended' && ending.quiet
    if (!isQuiet) this.#sendRefused(channel, id, ending.no, asked.permit.request, { rule, ...receipt }, ref)
  }

  async #run(channel: Channel, session: McpSession, permit: Permit, about: CallFacts & { cth: string }): Promise<void> {
    const { request } = permit
    if (!session.hasRoom(request.id))
      return this.#notRun(channel, session, no('BUSY', 'too many requests wait, or this id is in use'), permit, about)
    const t0 = this.#parts.now()
    const began = this.#parts.monotonic()
    const entry = await this.#start(permit, about.cth, t0)
    if (!entry) return this.#notRun(channel, session, no('JOURNAL_FAILED'), permit, about)
    const changed = this.#changedSince(permit, session)
    const returned = changed ?? (await session.call(request))
    if ('code' in returned) this.#ended(channel, session.id, permit, entry, returned, 'not_run', began)
    else if ('lost' in returned) this.#lost(channel, session.id, permit, entry, returned, began)
    else await this.#checked(channel, session, permit, entry, returned, began)
  }

  #notRun(channel: Channel, session: McpSession, why: No, { request, approval, rule }: Permit, about: CallFacts): void {
    if (approval) this.#parts.approvals.executed(approval, 'not_run', why.code, 0)
    this.#sendRefused(channel, session.id, why, request, this.#receiptFor(why.code, about, { rule, approval }))
  }

  /** Only when this has resolved may the call run. */
  async #start(permit: Permit, cth: string, t0: number): Promise<CallEntry | undefined> {
    let entry: CallEntry | undefined
    try {
      const started = this.#parts.calls.start(permit, cth, t0, utf8(JSON.stringify(permit.request.json)))
      entry = started.entry
      await started.durable
      return entry
    } catch (err) {
      this.#parts.log.error({ err }, 'ALARM: the journal cannot be written; nothing runs')
      if (entry) this.#parts.calls.abandon(entry)
      return undefined
    }
  }

  /** While the start record was on its way, something may have been revoked or changed: after that nothing under it starts. */
  #changedSince({ grant, about, risk, pol }: Permit, { server, offered }: McpSession): No | undefined {
    const { view, now, epoch } = this.#parts
    const at = now()
    if (!view.agent(about.agent, at) || view.isGrantRevoked(about.gth, at)) return no('REVOKED')
    if (grant.epoch !== epoch()) return no('GRANT_EPOCH')
    if (view.policy?.digest !== pol) return no('GRANT_POLICY')
    const pin = view.pin(server, about.tool)
    if (!pin || pin.risk !== risk || offered?.get(about.tool) !== pin.digest) return no('TOOL_CHANGED')
    return view.trouble(risk, at)
  }

  /** What came back is looked through where the policy says so, and only what is left of it is told, kept and put on record. */
  async #checked(
    channel: Channel,
    session: McpSession,
    permit: Permit,
    entry: CallEntry,
    returned: Returned,
    began: number,
  ): Promise<void> {
    if (!permit.output) return this.#returned(channel, session.id, permit, entry, returned, began)
    const checked = await this.#parts.checks.result(session, permit.about.tool, returned.response, permit.output)
    if ('refused' in checked) {
      const why = no('OUTPUT_REFUSED', checked.refused)
      return this.#ended(channel, session.id, permit, entry, why, statusOf(returned.response), began)
    }
    const { response } = checked
    this.#returned(channel, session.id, permit, entry, { response, bytes: utf8(JSON.stringify(response.json)) }, began)
  }

  #returned(channel: Channel, sid: string, permit: Permit, entry: CallEntry, { response, bytes }: Returned, began: number): void {
    const salt = this.#parts.random(16)
    const ms = this.#parts.monotonic() - began
    if (permit.approval) this.#parts.approvals.executed(permit.approval, statusOf(response), 'OK', ms)
    const finished = this.#end(entry, {
      ...{ status: statusOf(response), code: 'OK', salt: encodeBase64url(salt), body: bytes },
      result: resultDigest(salt, (response.result ?? response.error) as JsonObject, this.#parts.suite),
      ms,
    })
    if (!finished) return this.#sendRefused(channel, sid, no('OUTCOME_UNKNOWN', unrecorded), permit.request, {})
    if (response.result?.resultType === 'input_required') {
      this.#parts.calls.noteInputRequest(entry, readToolCall(permit.request), permit.call.re, this.#parts.now())
    }
    channel.send('RESULT', { sid, salt: finished.salt, receipt: finished.receipt }, bytes)
  }

  /** Nothing was sent to the server: it did not run. Otherwise nobody knows, and nobody tries again. */
  #lost(channel: Channel, sid: string, permit: Permit, entry: CallEntry, { lost, wasSent }: Lost, began: number): void {
    if (wasSent) this.#ended(channel, sid, permit, entry, no('OUTCOME_UNKNOWN', lost), 'unknown', began)
    else this.#ended(channel, sid, permit, entry, no('SERVER_FAILED', lost), 'not_run', began)
  }

  #ended(channel: Channel, sid: string, permit: Permit, entry: CallEntry, why: No, status: ReceiptStatus, began: number): void {
    const ms = this.#parts.monotonic() - began
    if (permit.approval) this.#parts.approvals.executed(permit.approval, status, why.code, ms)
    const finished = this.#end(entry, { status, code: why.code, salt: noSalt, ms })
    this.#sendRefused(channel, sid, why, permit.request, finished ? { receipt: finished.receipt } : {})
  }

  /** What cannot be written down is not told: after a restart nobody would know it any more. */
  #end(entry: CallEntry, ending: Omit<Ending, 't1'>): Finished | undefined {
    try {
      return this.#parts.calls.finish(entry, { ...ending, t1: this.#parts.now() })
    } catch (err) {
      this.#parts.log.error({ err }, 'ALARM: the journal cannot be written; what came of a call is unknown')
      entry.running?.reject(err)
      return undefined
    }
  }

  /** The id was used: what came of the first call is the answer, once it is known. */
  async #repeat(channel: Channel, sid: string, { id, about }: Repeated, request: RpcRequest | undefined): Promise<void> {
    const known = this.#parts.held.find(about.agent, id)
    if (known?.held) sayHeld(channel, sid, known.held)
    const ending = await known?.ending
    if (ending && ending.kind !== 'approved') return this.#sendRefused(channel, sid, ending.no, request, {})
    if (ending) await Promise.resolve() // the one that was held starts first
    const entry = this.#parts.calls.find(about.agent, id)
    if (!entry) return this.#refuseNow(channel, sid, no('REPLAYED'), about, request)
    let finished: Finished | undefined
    try {
      finished = entry.finished ?? (await entry.running?.promise)
    } catch {
      return this.#refuseNow(channel, sid, no('JOURNAL_FAILED'), about, request)
    }
    const kept = finished && request && this.#kept(entry, request.id)
    if (finished && kept) return void channel.send('RESULT', { sid, salt: finished.salt, receipt: finished.receipt }, kept)
    const code = finished?.code === 'OK' ? 'REPLAYED' : (finished?.code ?? 'OUTCOME_UNKNOWN')
    this.#sendRefused(channel, sid, no(code), request, finished ? { receipt: finished.receipt } : {})
  }

  /** The response that was kept, under the id of the request that asks for it now. */
  #kept(entry: CallEntry, id: RequestId): Uint8Array | undefined {
    const body = this.#parts.calls.resultOf(entry, this.#parts.now())
    if (!body) return undefined
    return utf8(JSON.stringify({ ...JSON.parse(Buffer.from(body).toString('utf8')), id }))
  }

  #refuse(channel: Channel, sid: string, refusal: Refusal, request: RpcRequest | undefined): void {
    const { code, message, rule, trace, about, step } = refusal
    this.#parts.log.info({ code, step, agent: about.agent, server: about.server }, 'call refused')
    const more = { ...(rule === undefined ? {} : { rule }), ...(trace === undefined ? {} : { trace: [...trace] }) }
    this.#sendRefused(channel, sid, { code, why: message }, request, { ...more, ...this.#receiptFor(code, about, { rule }) })
  }

  #refuseNow(channel: Channel, sid: string, why: No, about: CallFacts, request: RpcRequest | undefined): void {
    this.#sendRefused(channel, sid, why, request, this.#receiptFor(why.code, about, why.rule === undefined ? {} : { rule: why.rule }))
  }

  #sendRefused(
    channel: Channel,
    sid: string,
    { code, why }: No,
    request: RpcRequest | undefined,
    more: { rule?: string; trace?: string[]; receipt?: string },
    ref?: string,
  ): void {
    const { title, fix } = refusals[code]
    const message = (why ?? title).slice(0, 2_000)
    const header = { sid, code, message, fix, ...more }
    if (!request) return void channel.send('REFUSED', header)
    const body = createRefusedResult(request.id, { code, why: message, fix, rule: more.rule, ref }, eraOf(request))
    channel.send('REFUSED', header, utf8(JSON.stringify(body)))
  }

  /** A refusal is on record too, within bounds. */
  #receiptFor(code: RefusalCode, about: CallFacts, more: Pick<Outcome, 'rule' | 'approval'>): { receipt?: string } {
    const now = this.#parts.now()
    if (!this.#mayReceipt(about.agent, now)) return {}
    try {
      const pol = this.#parts.view.policy?.digest
      const receipt = this.#parts.receipts.write({ about, code, status: 'not_run', ...more, pol, t0: now, t1: now })
      this.#parts.calls.refused(receipt)
      return { receipt }
    } catch (err) {
      this.#parts.log.error({ err, code }, 'a refusal could not be put on record')
      return {}
    }
  }

  #mayReceipt(agent: string, now: number): boolean {
    const minute = Math.floor(now / 60)
    const recent = this.#refusals.get(agent)
    if (recent?.minute === minute) return ++recent.count <= refusalReceiptsPerMinute
    this.#refusals.set(agent, { minute, count: 1 })
    return true
  }
}

function inputOf(channel: Channel, session: McpSession, fit: Fit | undefined, header: CallInput['header'], body: Uint8Array): CallInput {
  const { agent, key, binding } = channel
  return { channel: { agent, key, binding }, session: { server: session.server, offered: session.offered, fit }, header, body }
}

/** The client's connector learns that nobody has answered yet, and by what name the call is held. */
function sayHeld(channel: Channel, sid: string, { id, asked, about }: Held): void {
  const { permit, approvers, policy } = asked
  const names = approvers.map(({ atsign }) => atsign)
  channel.send('HELD', { sid, call: permit.call.id, id, until: about.exp, approvers: names, rule: policy.rule })
}

/** Only to know whom to answer, and in which era; what is decided on is read again by the authoriser. */
function readRequest(body: Uint8Array): RpcRequest | undefined {
  try {
    const message = parseMessage(body)
    return message.kind === 'request' ? message : undefined
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}

const statusOf = ({ result }: RpcResponse) => (result && result.isError !== true ? 'ok' : 'error')
