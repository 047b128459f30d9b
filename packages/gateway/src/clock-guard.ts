import type { StateDir } from '@postern/daemon'
import { createJumpDetector, unixSeconds } from '@postern/daemon'
import type { GatewayDeps } from './deps.ts'
import { GatewayError } from './errors.ts'

/** How far an honest clock may fall below the highest time it ever showed. */
const toleranceSeconds = 120
const writeEverySeconds = 30
const fileName = 'time.json'

/** The gateway's own clock, watched: it never asks another. */
export interface ClockGuard {
  /** Unix seconds. Looks for a jump first, so whoever is called back has been before this returns. */
  now(): number
  /** The clock shows less than it did, by more than the tolerance: nothing may be judged by it. */
  isWrong(): boolean
  /** Keeps the high-water mark on disk. Call every few seconds. */
  tick(): void
}

/**
 * @param onJump Called when wall time left monotonic time by more than 5 s: a restored snapshot, a suspended machine, a clock set by hand.
 * @throws {GatewayError} STATE_CORRUPT
 */
export async function openClockGuard(state: StateDir, deps: GatewayDeps, onJump: (seconds: number) => void): Promise<ClockGuard> {
  const jumps = createJumpDetector({ clock: deps.clock })
  let highest = Math.max(await readMark(state), 0)
  let written = highest

  const read = () => {
    const now = unixSeconds(deps.clock)
    if (now > highest) highest = now
    return now
  }
  const write = () => {
    const mark = highest
    written = mark
    state
      .write(fileName, `${JSON.stringify({ seconds: mark })}\n`)
      .catch((err) => deps.log.error({ err }, 'the clock mark could not be written'))
  }
  return {
    now() {
      const jump = jumps.check()
      if (jump !== 0) onJump(jump)
      return read()
    },
    isWrong: () => read() < highest - toleranceSeconds,
    tick() {
      const jump = jumps.check()
      if (jump !== 0) onJump(jump)
      read()
      if (highest >= written + writeEverySeconds) write()
    },
  }
}

async function readMark(state: StateDir): Promise<number> {
  const bytes = await state.read(fileName)
  if (!bytes) return 0
  try {
    const { seconds } = JSON.parse(Buffer.from(bytes).toString('utf8'))
    if (Number.isSafeInteger(seconds)) return seconds
  } catch {
    // told below
  }
  throw new GatewayError('STATE_CORRUPT', `${state.file(fileName)} cannot be read`)
}
