import { randomBytes } from 'node:crypto'
import type { EdgeNet, EdgeSurroundings } from '@postern/core'
import { native, openSocket, requestBytes, requestJson, systemClock, unixSeconds } from '@postern/daemon'

/** The real clock, randomness, cryptography and network, as core takes them. */
export const surroundings: EdgeSurroundings = {
  clock: systemClock,
  random: (n) => new Uint8Array(randomBytes(n)),
  suite: native,
  net: { requestJson, requestBytes, openSocket } as EdgeNet,
}

/** Unix seconds. */
export const now = (): number => unixSeconds(systemClock)
