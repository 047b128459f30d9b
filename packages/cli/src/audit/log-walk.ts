import type { Needed, Signed, State } from '@postern/core'
import { applyStatement, describe, linkHash, neededFor, parseStatement, startState, VerifyError } from '@postern/core'
import { surroundings } from '../surroundings.ts'

/** One statement of the log, in the state before it. */
export interface LogEntry {
  readonly seq: number
  /** Link hash: its name, and the id of what it enrols. */
  readonly hash: string
  readonly op: string
  /** Unix seconds, by its signer's clock. */
  readonly at: number
  /** Whose signatures counted: atSigns, and `recovery` or another key's role. */
  readonly signedBy: readonly string[]
  /** What the signers read. */
  readonly sentences: readonly string[]
  readonly policy?: string
}

/** A log that verifies from the pinned organisation. */
export interface WalkedLog {
  readonly entries: readonly LogEntry[]
  /** State after each statement; the last one is halted where this version cannot read on. */
  readonly states: readonly State[]
}

/** Where and why a log does not verify. */
export class LogBroken extends Error {
  readonly seq: number
  readonly code: string
  constructor(seq: number, cause: VerifyError) {
    super(cause.message, { cause })
    this.seq = seq
    this.code = cause.code
  }
}

/**
 * Verifies statement after statement from genesis, as every edge does, and says of each what it was and who signed it.
 * @param org The pin: never from what is verified.
 * @throws {LogBroken}
 */
export function walkLog(org: string, log: readonly Signed[]): WalkedLog {
  const entries: LogEntry[] = []
  const states: State[] = []
  for (const [seq, signed] of log.entries()) {
    const before = states.at(-1)
    const after = verifying(seq, () =>
      before ? applyStatement(before, signed, surroundings.suite) : startState(signed, org, surroundings.suite),
    )
    if (after.halted) return { entries, states: [...states.slice(0, -1), after] }
    entries.push(entryOf(signed, before, after))
    states.push(after)
  }
  if (states.length === 0) throw new LogBroken(0, new VerifyError('BAD_SEQ', 'the log is empty'))
  return { entries, states }
}

function verifying<T>(seq: number, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof VerifyError) throw new LogBroken(seq, error)
    throw error
  }
}

function entryOf(signed: Signed, before: State | undefined, after: State): LogEntry {
  const statement = parseStatement(signed.bytes)
  const { op, at } = statement
  return {
    ...{ seq: after.seq, hash: linkHash(signed.bytes), op, at },
    signedBy: signersOf(neededFor(signed, before, surroundings.suite), before ?? after),
    sentences: describe('statement', signed.bytes, before),
    ...(statement.op === 'policy.set' ? { policy: statement.body.sha256 } : {}),
  }
}

/** Signatures that did not count are nobody's word: whoever carries a statement can add them. */
function signersOf({ parts }: Needed, state: State): readonly string[] {
  const names = parts.flatMap((part): readonly string[] => {
    if (part.by === 'admins') return part.signed
    return part.met ? [state.keys.get(part.kid)?.atsign ?? part.why] : []
  })
  return [...new Set(names)]
}

/** The sentence that says what it does: titles and the organisation are the same every time. */
export const headlineOf = ({ sentences: [title = '', ...others] }: LogEntry): string =>
  title.endsWith('.') && others[0]?.startsWith('Organisation ') ? (others[1] ?? title) : title
