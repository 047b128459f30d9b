import type { Receipt, State } from '@postern/core'
import { tokenHash, VerifyError, verifyReceipt } from '@postern/core'
import { now, surroundings } from '../surroundings.ts'
import { everKnown, gapsIn } from './verify-evidence.ts'

/** A receipt as the control plane lists it: only the token counts. */
export interface ListedReceipt {
  readonly id: number
  readonly jws: string
}

/** What a gateway signed, or why that does not hold. */
export interface ReadReceipt {
  readonly id: number
  /** Token hash. */
  readonly hash: string
  readonly receipt?: Receipt
  /** Whether the key that signed it is still the gateway's. */
  readonly isLive?: boolean
  readonly problem?: string
}

export function readReceipts(listed: readonly ListedReceipt[], state: State): readonly ReadReceipt[] {
  return listed.map(({ id, jws }) => {
    const hash = tokenHash(jws)
    try {
      const receipt = verifyReceipt(jws, everKnown(state), { org: state.org, now: now(), suite: surroundings.suite })
      return { id, hash, receipt, isLive: state.keys.get(receipt.kid)?.live === true }
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      return { id, hash, problem: `${error.code}: ${error.message}` }
    }
  })
}

/** Within this page only: what is missing may stand on another one. */
export const gapsOnPage = (page: readonly ReadReceipt[]): readonly string[] =>
  gapsIn(
    page.flatMap(({ receipt }) => receipt ?? []),
    false,
  )
