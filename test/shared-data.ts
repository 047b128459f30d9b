import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

const root = join(import.meta.dirname, '../../shared/data')

/**
 * Where a file of the published data sets lies, e.g. `sharedData('vectors/jcs/rfc8785.json')`. They are not part of this
 * repository: `undefined` when they are not beside it, and the caller then says `skipped(…, 'no external data')`.
 */
export function sharedData(path: string): string | undefined {
  const file = join(root, path)
  return existsSync(file) ? file : undefined
}

/** The text of such a file, unpacked if its name ends in `.gz`. */
export function readSharedData(path: string): string | undefined {
  const file = sharedData(path)
  if (!file) return undefined
  const bytes = readFileSync(file)
  return (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}
