import type { KeyResolver } from '@postern/core'
import type { Ledger } from '../authority/ledger.ts'

/** Keys of all times, since a receipt or ack outlives the key that signed it. Who may hand it in is decided by the request's own key. */
export const keyResolver =
  ({ state }: Ledger): KeyResolver =>
  (iss, kid, use) => {
    const known = state?.keys.get(kid)
    return known && known.atsign === iss && known.use === use ? known.key : undefined
  }
