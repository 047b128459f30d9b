import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

/** The Chromium of this machine: `POSTERN_CHROMIUM`, Debian's, or one on PATH. Nothing is downloaded. */
export function findChromium(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  if (environment.POSTERN_CHROMIUM) return isExecutable(environment.POSTERN_CHROMIUM) ? environment.POSTERN_CHROMIUM : undefined
  const directories = ['/usr/bin', ...(environment.PATH ?? '').split(delimiter).filter(Boolean)]
  return NAMES.flatMap((name) => directories.map((directory) => join(directory, name))).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
