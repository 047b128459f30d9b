import type { Refusal, RefusalCode } from '@postern/core'
import { refusals } from '@postern/core'

/** Why something cannot go on now, in the words that the client gets. */
export type Trouble = Refusal & { readonly code: RefusalCode }

/** @param why More exact than the code's own sentence, which is the default. */
export function trouble(code: RefusalCode, why?: string): Trouble {
  const { title, fix } = refusals[code]
  return { code, why: why === undefined ? title : `${title} (${why})`, fix }
}

/** Carries a trouble through a promise: expected, and to be shown to the client. */
export class InTrouble extends Error {
  override name = 'InTrouble'
  readonly trouble: Refusal
  /** It is no use to try again before. */
  readonly restMs: number
  constructor(trouble: Refusal, restMs = 0) {
    super(`${trouble.code}: ${trouble.why}`)
    this.trouble = trouble
    this.restMs = restMs
  }
}

/** The channel went while something waited for an answer on it: nothing was decided. */
export class ChannelLost extends Error {
  override name = 'ChannelLost'
}
