import { decodeUtf8 } from '../bytes/bytes.ts'
import type { JsonValue } from '../bytes/json.ts'
import { parseStrictJson } from '../bytes/json.ts'
import { anyJson, digest, integer, object } from '../bytes/shape.ts'
import type { Signed } from '../key/signature.ts'
import { decodeSigned, encodeSigned } from '../key/signature.ts'
import { EdgeError } from './errors.ts'
import type { EdgeFiles } from './surroundings.ts'

/** Where an edge's log ends, written after the entries and before they are used. */
export interface StoredHead {
  readonly seq: number
  readonly head: string
}

/** A revocation, and up to which statement the log was known when it was verified: by that state it is verified again. */
export interface StoredRevocation {
  readonly seq: number
  readonly signed: Signed
}

/** What an edge keeps of authority. Each write resolves when it is on disk: only then may it be acted on. */
export interface AuthorityStore {
  readonly entries: readonly Signed[]
  readonly revocations: readonly StoredRevocation[]
  readonly head: StoredHead | undefined
  /** An entry as it stands on disk: for evidence, not for speed. */
  readEntry(seq: number): Promise<Signed | undefined>
  appendEntries(entries: readonly Signed[], head: StoredHead): Promise<void>
  appendRevocation(revocation: StoredRevocation): Promise<void>
  policy(sha256: string): Promise<Uint8Array | undefined>
  writePolicy(sha256: string, bytes: Uint8Array): Promise<void>
  /** Two signed statements that contradict each other, or anything else a person must see. Never overwritten. */
  writeEvidence(name: string, evidence: unknown): Promise<string>
  /** What was found by an earlier run. */
  hasEvidence(name: string): Promise<boolean>
  close(): Promise<void>
}

const lineLimits = { maxBytes: 256 << 10, maxDepth: 8 }
const newline = 0x0a

/**
 * Opens the files. A last line cut short by a crash is cut off: it was not acted on.
 * @throws {EdgeError} STATE_CORRUPT for a line in the middle that does not read
 */
export async function openAuthorityStore(files: EdgeFiles): Promise<AuthorityStore> {
  const log = await readLines(files, 'log.jsonl', decodeSigned)
  const revoked = await readLines(files, 'revocations.jsonl', decodeRevocation)
  const logFile = await files.openAppend('log.jsonl', { truncateTo: log.bytes })
  const revocationFile = await files.openAppend('revocations.jsonl', { truncateTo: revoked.bytes })
  const policyFile = (sha256: string) => `policy-${sha256}.json`
  const evidenceFile = (name: string) => `evidence-${name}.json`
  return {
    entries: log.entries,
    revocations: revoked.entries,
    head: await readHead(files),
    readEntry: async (seq) => (await readLines(files, 'log.jsonl', decodeSigned)).entries[seq],
    async appendEntries(entries, head) {
      await logFile.appendDurably(entries.map(encodeLine).join(''))
      await files.write('head.json', `${JSON.stringify(head)}\n`)
    },
    appendRevocation: ({ seq, signed }) => revocationFile.appendDurably(`${JSON.stringify({ seq, signed: encodeSigned(signed) })}\n`),
    policy: (sha256) => files.read(policyFile(sha256)),
    writePolicy: (sha256, bytes) => files.write(policyFile(sha256), bytes),
    async writeEvidence(name, content) {
      const file = evidenceFile(name)
      if (!(await files.read(file))) await files.write(file, `${JSON.stringify(content, null, 1)}\n`)
      return file
    },
    hasEvidence: async (name) => (await files.read(evidenceFile(name))) !== undefined,
    async close() {
      await logFile.close()
      await revocationFile.close()
    },
  }
}

const encodeLine = (signed: Signed) => `${JSON.stringify(encodeSigned(signed))}\n`

const revocationLine = object({ seq: integer(0, Number.MAX_SAFE_INTEGER), signed: anyJson })
function decodeRevocation(value: JsonValue): StoredRevocation {
  const { seq, signed } = revocationLine(value, 'revocation')
  return { seq, signed: decodeSigned(signed) }
}

/** One object per line. Does NOT verify signatures: the mirror does, every time it is loaded. */
async function readLines<T>(files: EdgeFiles, name: string, decode: (value: JsonValue) => T): Promise<{ entries: T[]; bytes: number }> {
  const file = (await files.read(name)) ?? new Uint8Array(0)
  const bytes = file.lastIndexOf(newline) + 1
  try {
    const lines = decodeUtf8(file.subarray(0, bytes)).split('\n').slice(0, -1)
    return { entries: lines.map((line) => decode(parseStrictJson(line, lineLimits))), bytes }
  } catch (cause) {
    throw new EdgeError('STATE_CORRUPT', `${name} cannot be read`, { cause })
  }
}

const headShape = object({ seq: integer(0, Number.MAX_SAFE_INTEGER), head: digest })
async function readHead(files: EdgeFiles): Promise<StoredHead | undefined> {
  const bytes = await files.read('head.json')
  if (!bytes) return undefined
  try {
    return headShape(parseStrictJson(bytes, { maxBytes: 1024, maxDepth: 2 }), 'head.json')
  } catch (cause) {
    throw new EdgeError('STATE_CORRUPT', 'head.json cannot be read', { cause })
  }
}
