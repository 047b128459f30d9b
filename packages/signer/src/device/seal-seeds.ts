import type { KeyId } from '@postern/core'
import type { Store } from './store.ts'

/** Seeds of seal keys that no passkey can derive: kept encrypted by a key that this browser never gives out. */
export interface SealSeeds {
  keep(kid: KeyId, seed: Uint8Array): Promise<void>
  /** The first of these that is here. */
  find(kids: readonly string[]): Promise<{ readonly kid: string; readonly seed: Uint8Array } | undefined>
}

interface Wrapped {
  readonly nonce: Uint8Array<ArrayBuffer>
  readonly bytes: ArrayBuffer
}

const WRAPPING_KEY = 'seal/wrapping-key'

export function createSealSeeds(store: Store, webcrypto: Crypto = crypto): SealSeeds {
  async function wrappingKey(): Promise<CryptoKey> {
    const known = await store.get<CryptoKey>(WRAPPING_KEY)
    if (known) return known
    const made = await webcrypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    await store.set(WRAPPING_KEY, made)
    return made
  }
  return {
    async keep(kid, seed) {
      const nonce = webcrypto.getRandomValues(new Uint8Array(12))
      const bytes = await webcrypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, await wrappingKey(), new Uint8Array(seed))
      await store.set(`seal/${kid}`, { nonce, bytes } satisfies Wrapped)
    },
    async find(kids) {
      for (const kid of kids) {
        const wrapped = await store.get<Wrapped>(`seal/${kid}`)
        if (!wrapped) continue
        const seed = await webcrypto.subtle.decrypt({ name: 'AES-GCM', iv: wrapped.nonce }, await wrappingKey(), wrapped.bytes)
        return { kid, seed: new Uint8Array(seed) }
      }
      return undefined
    },
  }
}
