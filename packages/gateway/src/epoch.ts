import { encodeBase64url } from '@postern/core'
import type { StateDir } from '@postern/daemon'

/** 16 random bytes that name this run: what was granted, counted or held before it is void. */
export interface Epoch {
  /** Base64url. */
  readonly value: string
  /** The value is on disk; before that nothing may be promised under it. */
  readonly isDurable: boolean
  /** Ends the present epoch at once; resolves when the next one is on disk. */
  renew(): Promise<void>
}

/** Every opening is a new epoch. */
export async function openEpoch(state: StateDir, random: (n: number) => Uint8Array): Promise<Epoch> {
  let value = ''
  let durable = ''
  const renew = async () => {
    const next = encodeBase64url(random(16))
    value = next
    await state.write('epoch.json', `${JSON.stringify({ epoch: next })}\n`)
    durable = next
  }
  await renew()
  return {
    get value() {
      return value
    },
    get isDurable() {
      return value === durable
    },
    renew,
  }
}
