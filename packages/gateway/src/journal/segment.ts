import { createHmac } from 'node:crypto'
import { GatewayError } from '../errors.ts'

/** The two AEAD calls of core's `Suite` that a segment needs. */
export interface Cipher {
  sealChaCha(key: Uint8Array, nonce12: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array
  openChaCha(key: Uint8Array, nonce12: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined
}

/** One record as it was found: where it starts in its file, how many bytes it takes there, and what it says. */
export interface FoundRecord {
  offset: number
  length: number
  index: number
  plaintext: Uint8Array
}

const magic = Buffer.from('PNJ1')
export const segmentIdBytes = 16
const checkBytes = 16
export const segmentHeaderBytes = magic.length + segmentIdBytes + checkBytes
/** A record larger than this is not ours: the length is read from disk before it is authenticated. */
const maxRecordBytes = 48 * 1024 * 1024
const tagBytes = 16
const none = new Uint8Array(0)

/**
 * A segment file: "PNJ1" ‖ segment id (16) ‖ key check (16) ‖ records. A record: u32be length of the rest ‖ ChaCha20-Poly1305(plaintext).
 * The key is HMAC-SHA-256(journal key, "postern-journal-v1\0" ‖ segment id), the nonce the record's index in its segment. Every start of the
 * gateway begins a new segment, so no nonce is used twice even when a torn tail was cut off. The key check tells a wrong key from a torn tail.
 */
export function encodeSegmentHeader(journalKey: Uint8Array, id: Uint8Array): Buffer {
  return Buffer.concat([magic, id, keyCheck(journalKey, id)])
}

export function segmentKey(journalKey: Uint8Array, id: Uint8Array): Uint8Array {
  return createHmac('sha256', journalKey).update('postern-journal-v1\0').update(id).digest()
}

const idOf = (file: Uint8Array) => file.subarray(magic.length, magic.length + segmentIdBytes)
const keyCheck = (journalKey: Uint8Array, id: Uint8Array) =>
  createHmac('sha256', journalKey).update('postern-journal-check-v1\0').update(id).digest().subarray(0, checkBytes)

export function sealRecord(cipher: Cipher, key: Uint8Array, index: number, plaintext: Uint8Array): Uint8Array {
  const sealed = cipher.sealChaCha(key, nonceOf(index), none, plaintext)
  const record = Buffer.allocUnsafe(4 + sealed.length)
  record.writeUInt32BE(sealed.length, 0)
  record.set(sealed, 4)
  return record
}

/** Opens one record taken from its file; `bytes` begins at the record's length field. */
export function openRecord(cipher: Cipher, key: Uint8Array, index: number, bytes: Uint8Array): Uint8Array {
  const plaintext = cipher.openChaCha(key, nonceOf(index), none, bytes.subarray(4))
  if (!plaintext) throw new GatewayError('JOURNAL_CORRUPT', `record ${index} does not open`)
  return plaintext
}

/**
 * Reads the whole records of a segment, in order, and stops at the first that is torn or does not open.
 * @returns the records, the segment's key, and `end`, the length of the part that is whole: `end < bytes.length` means a torn tail.
 * Undefined when not even the header is whole.
 * @throws {GatewayError} JOURNAL_CORRUPT for a whole header of another key or format.
 */
export function readSegment(
  cipher: Cipher,
  journalKey: Uint8Array,
  bytes: Uint8Array,
): { records: FoundRecord[]; key: Uint8Array; end: number } | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (file.length < segmentHeaderBytes) return undefined
  const id = idOf(file)
  if (!encodeSegmentHeader(journalKey, id).equals(file.subarray(0, segmentHeaderBytes))) {
    throw new GatewayError('JOURNAL_CORRUPT', 'a journal segment was written with another key, or is not one')
  }
  const key = segmentKey(journalKey, id)
  const records: FoundRecord[] = []
  let offset = segmentHeaderBytes
  for (;;) {
    const record = recordAt(cipher, key, file, offset, records.length)
    if (!record) return { records, key, end: offset }
    records.push(record)
    offset += record.length
  }
}

function recordAt(cipher: Cipher, key: Uint8Array, file: Buffer, offset: number, index: number): FoundRecord | undefined {
  if (offset + 4 > file.length) return undefined
  const sealedBytes = file.readUInt32BE(offset)
  if (sealedBytes < tagBytes || sealedBytes > maxRecordBytes || offset + 4 + sealedBytes > file.length) return undefined
  const plaintext = cipher.openChaCha(key, nonceOf(index), none, file.subarray(offset + 4, offset + 4 + sealedBytes))
  return plaintext && { offset, length: 4 + sealedBytes, index, plaintext }
}

function nonceOf(index: number): Uint8Array {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(index, 6, 6)
  return nonce
}
