import type { AtSign, EdgeKey, Receipt, ReceiptStatus, RefusalCode, Suite } from '@postern/core'
import { isSafeText, refusals, signReceipt } from '@postern/core'
import type { CallFacts } from '../authorise/candidate.ts'

/** What came of a call. */
export interface Outcome {
  readonly about: CallFacts
  readonly code: RefusalCode | 'OK'
  readonly status: ReceiptStatus
  readonly rule?: string | undefined
  readonly pol?: string | undefined
  /** A person decided about it. */
  readonly approval?: { readonly by: AtSign; readonly h: string } | undefined
  /** Salted digest of the result. */
  readonly result?: string
  /** Unix seconds. */
  readonly t0: number
  readonly t1: number
  /** Milliseconds of the monotonic clock. */
  readonly ms?: number
}

export interface ReceiptWriter {
  /** Signs the next receipt of this epoch: each has the next `rseq`, so a gap is one that somebody withholds. */
  write(outcome: Outcome): string
}

export interface ReceiptWriterParts {
  readonly org: string
  readonly self: AtSign
  readonly key: EdgeKey
  readonly epoch: () => string
  readonly suite: Suite
}

const maxTool = 128

export function createReceiptWriter({ org, self, key, epoch, suite }: ReceiptWriterParts): ReceiptWriter {
  let ofEpoch = ''
  let rseq = 0
  return {
    write(outcome) {
      if (ofEpoch !== epoch()) {
        ofEpoch = epoch()
        rseq = 0
      }
      rseq += 1
      const claims = { v: 1, org, iss: self, kid: key.kid, epoch: ofEpoch, rseq } as const
      return signReceipt({ ...claims, ...contentOf(outcome) }, key.secret.expose(), suite)
    },
  }
}

function contentOf({
  about,
  code,
  status,
  rule,
  pol,
  approval,
  result,
  t0,
  t1,
  ms,
}: Outcome): Omit<Receipt, 'v' | 'org' | 'iss' | 'kid' | 'epoch' | 'rseq'> {
  const { agent, server, tool, gth, cth } = about
  return {
    agent,
    server,
    decision: status === 'not_run' ? 'deny' : 'allow',
    code,
    status,
    t0,
    t1: Math.max(t0, t1),
    ...(ms === undefined ? {} : { ms: Math.max(0, Math.round(ms)) }),
    ...(gth === undefined ? {} : { gth }),
    ...(cth === undefined ? {} : { cth }),
    ...(tool !== undefined && isWritable(tool) ? { tool } : {}),
    ...(rule === undefined ? {} : { rule }),
    ...(pol === undefined ? {} : { pol }),
    ...(approval === undefined ? {} : { approval: { by: approval.by, h: approval.h } }),
    ...(result === undefined ? {} : { result }),
  }
}

/** A name that the agent made up may be nothing that a signed object can hold: the receipt then does without. */
const isWritable = (tool: string): boolean => tool.length <= maxTool && isSafeText(tool)

/** The refusal in the words of its code, for a call that was not refused by a step. */
export const sentenceOf = (code: RefusalCode): { message: string; fix: string } => ({
  message: refusals[code].title,
  fix: refusals[code].fix,
})
