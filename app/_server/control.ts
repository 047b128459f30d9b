import 'server-only'
import type { Control } from '@postern/control'
import { openControl, readControlConfig } from '@postern/control'

const holder = globalThis as { __posternControl?: Promise<Control> | undefined }

/**
 * The one control plane of this process, also across hot reloads. Opened by the first request and never at import, because a build
 * imports every route; after a failure the next request tries again.
 */
export function control(): Promise<Control> {
  holder.__posternControl ??= openControl(readControlConfig()).catch((error) => {
    holder.__posternControl = undefined
    throw error
  })
  return holder.__posternControl
}
