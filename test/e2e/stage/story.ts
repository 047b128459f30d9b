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
    const origins = [postern.console, postern.signer, postern.console.replace('localhost', '127.0.0.1')]
    await use(async (options) => {
      const device = await openDevice(browser, origins, options)
      devices.push(device)
      return device
    })
    for (const { complaints } of devices) expect(complaints).toEqual([])
    for (const device of devices) await device[Symbol.asyncDispose]()
  },
})

/** Runs a journey and prints how long it took, beside what a person may take. A figure to read: nothing is asserted of it. */
export async function timed<T>(what: string, targetSeconds: number, journey: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await journey()
  const seconds = (performance.now() - started) / 1000
  test.info().annotations.push({ type: TIMING, description: `${what.padEnd(52)} ${seconds.toFixed(1)} s  (target ${targetSeconds} s)` })
  return result
}
export { expect }
