// What stories are told with: a Postern of their own, devices of people, a stopwatch whose times the run prints.
import { test as base, expect } from '@playwright/test'
import { TIMING } from '../timings.ts'
import type { Device, DeviceOptions } from './device.ts'
import { openDevice } from './device.ts'
import type { Postern, PosternOptions } from './postern.ts'
import { startPostern } from './postern.ts'

interface Stage {
  /** Started for this story, stopped after it. */
  readonly postern: Postern
  readonly posternOptions: PosternOptions
  /** A new device of somebody; at the end none may have anything to complain about. */
  readonly device: (options?: DeviceOptions) => Promise<Device>
}

export const test = base.extend<Stage>({
  posternOptions: [{}, { option: true }],
  postern: async ({ posternOptions }, use) => {
    await using postern = await startPostern(posternOptions)
    await use(postern)
  },
  device: async ({ browser, postern }, use) => {
    const devices: Device[] = []
    await use(async (options) => {
      const device = await openDevice(browser, [postern.console, postern.signer], options)
      devices.push(device)
      return device
    })
    for (const { complaints } of devices) expect(complaints).toEqual([])
    for (const device of devices) await device[Symbol.asyncDispose]()
  },
})

/** Runs a journey and prints how long it took. Longer than its target is a failure: a robot does not read. */
export async function timed<T>(what: string, targetSeconds: number, journey: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await journey()
  const seconds = (performance.now() - started) / 1000
  test.info().annotations.push({ type: TIMING, description: `${what.padEnd(52)} ${seconds.toFixed(1)} s  (target ${targetSeconds} s)` })
  expect(seconds, what).toBeLessThan(targetSeconds)
  return result
}
export { expect }
