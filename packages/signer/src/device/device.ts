import type { EdgeFiles } from '@postern/core'
import { filesIn } from './files.ts'
import type { Memory } from './memory.ts'
import { createMemory } from './memory.ts'
import type { SealSeeds } from './seal-seeds.ts'
import { createSealSeeds } from './seal-seeds.ts'
import type { Store } from './store.ts'

/** Everything that this device keeps for the signer's origin. */
export interface Device {
  readonly memory: Memory
  readonly sealSeeds: SealSeeds
  files(org: string): EdgeFiles
  /** One window at a time: two that extend the same log would write over each other. */
  locked<T>(name: string, work: () => Promise<T>): Promise<T>
}

export const createDevice = (store: Store, locked: Device['locked']): Device => ({
  memory: createMemory(store),
  sealSeeds: createSealSeeds(store),
  files: (org) => filesIn(store, org),
  locked,
})

export const lockedInBrowser: Device['locked'] = (name, work) => navigator.locks.request(`postern/${name}`, work) as ReturnType<typeof work>
