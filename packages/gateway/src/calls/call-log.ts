import type { AtSign, ReceiptStatus, RefusalCode, ToolCall } from '@postern/core'
import { canonicalText } from '@postern/core'
import type { CallFacts, Permit } from '../authorise/candidate.ts'
import type { Rates } from '../authorise/rates.ts'
import type { Calls, InputRequest, KnownCall } from '../authorise/world.ts'
import { GatewayError } from '../errors.ts'
import type { Journal, JournalOptions, Position } from '../journal/journal.ts'
import { openJournal } from '../journal/journal.ts'
import type { DoneRecord, JournalHeader, StartRecord } from '../journal/records.ts'
import type { ReceiptWriter } from './receipts.ts'

/** How long a result is kept for a retry of its call, in seconds. */
export const RETAINED_SECONDS = 600

/** What a finished call left: where its result is, and its receipt. */
export interface Finished {
  readonly position: Position
  readonly receipt: string
  /** Salt of the result's digest. */
  readonly salt: string
  /** Unix seconds. */
  readonly t1: number
  /** `OK`, or why there is no result. */
  readonly code: RefusalCode | 'OK'
}

/** One call id of one agent. */
export interface CallEntry extends KnownCall {
  readonly id: string
  readonly about: CallFacts
  readonly pol: string
  readonly rule: string | undefined
  readonly approval: { readonly by: AtSign; readonly h: string } | undefined
  readonly t0: number
  readonly segment: number
  finished: Finished | undefined
  /** Settles when the running call is finished; undefined for one of an earlier run. */
  readonly running: PromiseWithResolvers<Finished> | undefined
}

/** How a call ended. `body` is the JSON-RPC response; none when nobody knows what came of it. */
export interface Ending {
  readonly status: ReceiptStatus
  readonly code: RefusalCode | 'OK'
  readonly result?: string
  readonly salt: string
  readonly body?: Uint8Array
  readonly t1: number
  readonly ms?: number
}

export interface PendingReceipt {
  readonly receipt: string
  readonly position: Position
}

export interface CallLogOptions extends Omit<JournalOptions, 'onRecord' | 'onDropped'> {
  readonly rates: Rates
  readonly receipts: ReceiptWriter
  /** Unix seconds. */
  readonly now: number
  /** Receipts were dropped before the control plane took them. */
  readonly onLost: (count: number) => void
}

const maxPendingReceipts = 20_000
const maxInputRequests = 4_096
const inputSeconds = 900

/**
 * What this gateway knows of calls: what was started, how it ended, and which receipts are still to be delivered. The journal is the truth,
 * this is its index; every start is in the journal before the call runs, every end before its result is sent.
 */
export class CallLog implements Calls, AsyncDisposable {
  #journal!: Journal
  readonly #options: CallLogOptions
  readonly #entries = new Map<string, CallEntry>()
  readonly #bySegment = new Map<number, string[]>()
  readonly #asked = new Map<string, { entry: CallEntry; call: ToolCall; root: string; until: number }>()
  #pending: PendingReceipt[] = []

  private constructor(options: CallLogOptions) {
    this.#options = options
  }

  /**
   * Reads the journal. Calls that were started and not finished get a receipt that says so: they may or may not have taken effect, and are
   * never run again.
   */
  static async open(directory: string, options: CallLogOptions): Promise<CallLog> {
    const log = new CallLog(options)
    const { rates, now } = options
    log.#journal = await openJournal(directory, {
      ...options,
      onRecord: (header, position) => log.#read(header, position, now),
      onDropped: (segment) => log.#forgetSegment(segment),
    })
    rates.sweep(now)
    for (const entry of log.#entries.values()) {
      if (!entry.finished) log.finish(entry, { status: 'unknown', code: 'OUTCOME_UNKNOWN', salt: '', t1: now })
    }
    return log
  }

  get size(): number {
    return this.#entries.size
  }

  find(agent: AtSign, id: string): CallEntry | undefined {
    return this.#entries.get(keyOf(agent, id))
  }

  /**
   * The durable start record. For a tool that only reads it is with the operating system when this returns; for every other it is on disk
   * when the promise resolves. Only then may the call run.
   * @throws when the journal cannot be written: nothing may run then
   */
  start(permit: Permit, cth: string, t0: number, body: Uint8Array): { entry: CallEntry; durable: Promise<void> | undefined } {
    const { call, about, salt, rule, pol, risk, approval } = permit
    const record: StartRecord = {
      ...{ k: 'start', agent: about.agent, id: call.id, a: call.a, salt, gth: about.gth, cth },
      ...{ server: about.server, tool: about.tool, pol, t0 },
      ...(rule === undefined ? {} : { rule }),
      ...(approval === undefined ? {} : { approval: { by: approval.by, h: approval.h } }),
    }
    if (risk === 'read') {
      const { segment } = this.#journal.append(record, body)
      return { entry: this.#remember(record, segment, Promise.withResolvers()), durable: undefined }
    }
    const written = this.#journal.appendDurably(record, body)
    const entry = this.#remember(record, this.#journal.segment, Promise.withResolvers())
    return { entry, durable: written.then(() => {}) }
  }

  /** Nothing ran, and the record of its start may not be on disk: the id is free again. */
  abandon(entry: CallEntry): void {
    this.#entries.delete(keyOf(entry.about.agent, entry.id))
    entry.running?.reject(new GatewayError('JOURNAL_FAILED', 'the start of the call could not be written'))
  }

  /** The end of a call, with its receipt, before the result is sent. A second end of one call changes nothing. */
  finish(entry: CallEntry, ending: Ending): Finished {
    if (entry.finished) return entry.finished
    const { about, rule, pol, approval, t0, running } = entry
    const { status, code, result, salt, body, t1, ms } = ending
    const more = { ...(result === undefined ? {} : { result }), ...(ms === undefined ? {} : { ms }) }
    const receipt = this.#options.receipts.write({ about, code, status, rule, pol, approval, t0, t1, ...more })
    const record: DoneRecord = { k: 'done', agent: about.agent, id: entry.id, code, salt, receipt, t1 }
    const position = this.#journal.append(record, body)
    const finished: Finished = { position, receipt, salt, t1, code }
    entry.finished = finished
    this.#queue({ receipt, position })
    running?.resolve(finished)
    return finished
  }

  /** A receipt for a call that never started. */
  refused(receipt: string): void {
    const position = this.#journal.append({ k: 'refused', receipt })
    this.#queue({ receipt, position })
  }

  /** The JSON-RPC response of a finished call, while it is kept. */
  resultOf({ finished }: CallEntry, now: number): Uint8Array | undefined {
    if (finished?.code !== 'OK' || finished.t1 + RETAINED_SECONDS <= now) return undefined
    return this.#journal.read(finished.position).body
  }

  /** A result asked the client for input: the call that brings it counts as this one. */
  noteInputRequest(entry: CallEntry, call: ToolCall, continued: string | undefined, now: number): void {
    const root = continued === undefined ? entry.about.cth : (this.#asked.get(askedKey(entry.about.agent, continued))?.root ?? continued)
    if (root === undefined || entry.about.cth === undefined) return
    for (const cth of new Set([root, entry.about.cth])) {
      this.#asked.set(askedKey(entry.about.agent, cth), { entry, call, root, until: now + inputSeconds })
    }
    while (this.#asked.size > maxInputRequests) this.#asked.delete(this.#asked.keys().next().value as string)
  }

  askedForInput(agent: AtSign, cth: string): InputRequest | undefined {
    const asked = this.#asked.get(askedKey(agent, cth))
    if (!asked) return undefined
    const { entry, call, root } = asked
    return {
      isSame: (gth, server, other) =>
        entry.about.gth === gth &&
        entry.server === server &&
        call.name === other.name &&
        canonicalText(call.arguments) === canonicalText(other.arguments),
      take: () => {
        for (const [key, { root: other, entry: of }] of this.#asked) {
          if (other === root && of.about.agent === agent) this.#asked.delete(key)
        }
      },
    }
  }

  /** Receipts that the control plane has not taken, oldest first. */
  pendingReceipts(max: number): readonly PendingReceipt[] {
    return this.#pending.slice(0, max)
  }

  get pendingCount(): number {
    return this.#pending.length
  }

  /** The control plane has these: the first ones of `pendingReceipts`. */
  posted(receipts: readonly PendingReceipt[]): void {
    const last = receipts.at(-1)
    if (!last) return
    this.#journal.append({ k: 'posted', segment: last.position.segment, index: last.position.index })
    this.#dropPosted(last.position)
  }

  sweep(now: number): void {
    for (const [key, { until }] of this.#asked) if (until <= now) this.#asked.delete(key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#journal[Symbol.asyncDispose]()
  }

  #read(header: JournalHeader, position: Position, now: number): void {
    if (header.k === 'start') {
      this.#remember(header, position.segment, undefined)
      if (header.t0 > now - 60) this.#options.rates.note(header.agent, header.rule ?? '', header.t0)
    } else if (header.k === 'done') {
      const entry = this.#entries.get(keyOf(header.agent, header.id))
      const { receipt, salt, t1, code } = header
      if (entry) entry.finished = { position, receipt, salt, t1, code }
      this.#queue({ receipt, position })
    } else if (header.k === 'refused') this.#queue({ receipt: header.receipt, position })
    else this.#dropPosted(header)
  }

  #remember(record: StartRecord, segment: number, running: CallEntry['running']): CallEntry {
    const { agent, id, a, salt, gth, cth, server, tool, pol, rule, t0 } = record
    const approval = record.approval && { by: record.approval.by as AtSign, h: record.approval.h }
    const about = { agent: agent as AtSign, server, tool, gth, cth }
    const entry: CallEntry = { ...{ id, a, salt, server, tool, about, pol, rule, approval, t0 }, segment, finished: undefined, running }
    const key = keyOf(agent, id)
    this.#entries.set(key, entry)
    const keys = this.#bySegment.get(segment)
    if (keys) keys.push(key)
    else this.#bySegment.set(segment, [key])
    running?.promise.catch(() => {})
    return entry
  }

  #queue(pending: PendingReceipt): void {
    this.#pending.push(pending)
    if (this.#pending.length <= maxPendingReceipts) return
    const lost = this.#pending.splice(0, this.#pending.length - maxPendingReceipts / 2)
    this.#options.onLost(lost.length)
  }

  #dropPosted({ segment, index }: { segment: number; index: number }): void {
    const isLater = ({ position }: PendingReceipt) => position.segment > segment || (position.segment === segment && position.index > index)
    const first = this.#pending.findIndex(isLater)
    this.#pending = first < 0 ? [] : this.#pending.slice(first)
  }

  #forgetSegment(segment: number): void {
    for (const key of this.#bySegment.get(segment) ?? []) if (this.#entries.get(key)?.segment === segment) this.#entries.delete(key)
    this.#bySegment.delete(segment)
    const lost = this.#pending.filter(({ position }) => position.segment === segment).length
    if (lost === 0) return
    this.#pending = this.#pending.filter(({ position }) => position.segment !== segment)
    this.#options.onLost(lost)
  }
}

const keyOf = (agent: string, id: string) => `${agent} ${id}`
const askedKey = (agent: string, cth: string) => `${agent} ${cth}`
