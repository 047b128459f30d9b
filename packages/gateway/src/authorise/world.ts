import type { AtSign, Suite, ToolCall } from '@postern/core'
import type { Authority } from './candidate.ts'
import type { Rates } from './rates.ts'
import type { GrantUses } from './uses.ts'

/** A call that was started before, as far as a repeated one must know it. */
export interface KnownCall {
  readonly server: string
  readonly tool: string
  /** The salted digest that was signed, and its salt. */
  readonly a: string
  readonly salt: string
}

/** A call that waits to be continued with what it asked for. */
export interface InputRequest {
  isSame(gth: string, server: string, call: ToolCall): boolean
  /** It is continued now: nothing else may continue it, or calls would go uncounted. */
  take(): void
}

/** What is remembered of calls, filled from the journal. */
export interface Calls {
  find(agent: AtSign, id: string): KnownCall | undefined
  /** The call with this token hash, if its result asked for input and nothing has continued it since. */
  askedForInput(agent: AtSign, cth: string): InputRequest | undefined
}

/** Everything a decision may look at. Nothing here does input or output. */
export interface World {
  readonly self: { readonly atsign: AtSign; readonly org: string }
  readonly suite: Suite
  /** Of this run, base64url. */
  readonly epoch: () => string
  readonly authority: Authority
  readonly uses: GrantUses
  readonly rates: Rates
  readonly calls: Calls
}
