import 'server-only'
import type { Control } from '@postern/control'
import { openControl, readControlConfig } from '@postern/control'

const holder = globalThis as { __posternControl?: Promise<Control> | undefined }

/**
 * The one control plane of this process, also across hot reloads. Opened by the first request and never at import, because a build
 * imports every route; after a failure the next request tries again.
 */
export function control(): Promise<Control> {
  holder.__posternControl ??= open().catch((error) => {
    holder.__posternControl = undefined
    throw error
  })
  return holder.__posternControl
}

async function open(): Promise<Control> {
  const opened = await openControl(readControlConfig())
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => void close(opened, code))
  }
  return opened
}

/** Next waits for open connections when it is told to stop, and event streams do not end by themselves. */
async function close(opened: Control, code: number) {
  setTimeout(() => process.exit(code), 5000).unref()
  try {
    await opened[Symbol.asyncDispose]()
  } catch {
    // it ends in any case; what is committed is on disk
  }
}
