import type { RefusalCode } from '@postern/core'

/** What a journal says, one kind per line of a call's life. Arguments and results are in the body, encrypted with the rest. */
export type JournalHeader = StartRecord | DoneRecord | RefusedRecord | PostedRecord

/** Written before a call runs. Body: the JSON-RPC request as it was forwarded. */
export interface StartRecord {
  k: 'start'
  agent: string
  /** The call id, chosen by the agent: one id runs at most once. */
  id: string
  /** Salted digest of the parameters as it was signed, and its salt: by them a retry of `id` is told from another call under the same id. */
  a: string
  salt: string
  gth: string
  cth: string
  server: string
  tool: string
  rule?: string
  /** The person who approved it, and the digest of what was signed. */
  approval?: { by: string; h: string }
  pol: string
  /** Unix seconds. */
  t0: number
}

/** Written when the call came back, before its result is sent. Body: the JSON-RPC response. */
export interface DoneRecord {
  k: 'done'
  agent: string
  id: string
  /** `OK`: the body is the response. Otherwise why there is none. */
  code: RefusalCode | 'OK'
  salt: string
  receipt: string
  /** Unix seconds. */
  t1: number
}

/** A refusal that has a receipt. No body. */
export interface RefusedRecord {
  k: 'refused'
  receipt: string
}

/** The control plane has taken every receipt of records up to and with this one. No body. */
export interface PostedRecord {
  k: 'posted'
  segment: number
  index: number
}

const text = new TextEncoder()

/** u32be length of the header ‖ header as JSON ‖ body. */
export function encodeJournalRecord(header: JournalHeader, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const head = text.encode(JSON.stringify(header))
  const record = Buffer.allocUnsafe(4 + head.length + body.length)
  record.writeUInt32BE(head.length, 0)
  record.set(head, 4)
  record.set(body, 4 + head.length)
  return record
}

/** Reads what `encodeJournalRecord` wrote. The bytes were authenticated, so they are ours; a kind we do not know is skipped by the caller. */
export function decodeJournalRecord(plaintext: Uint8Array): { header: JournalHeader; body: Uint8Array } {
  const bytes = Buffer.from(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength)
  const end = 4 + bytes.readUInt32BE(0)
  return { header: JSON.parse(bytes.toString('utf8', 4, end)), body: bytes.subarray(end) }
}
