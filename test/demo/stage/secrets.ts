import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { decodeBase64url } from '@postern/core'
import type { Home } from '../../fixtures/processes.ts'
import type { Stage } from './stage.ts'

/** Every 32-byte secret that the processes and people of this run keep in files: `<owner>/<file> <key>` → bytes. */
export function secretsUnder(home: Home): ReadonlyMap<string, Uint8Array> {
  const files = readdirSync(home.path, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.name.endsWith('.json'),
  )
  return new Map(files.flatMap(({ parentPath, name }) => secretsIn(join(parentPath, name))))
}

function secretsIn(path: string): [string, Uint8Array][] {
  const { secrets, seed } = contentOf(path)
  const named = { ...secrets, ...(seed ? { seed } : {}) }
  const owner = `${basename(dirname(path))}/${basename(path)}`
  return Object.entries(named).flatMap(([name, text]) =>
    typeof text === 'string' && text.length === 43 ? [[`${owner} ${name}`, decodeBase64url(text)]] : [],
  )
}

function contentOf(path: string): { secrets?: Record<string, unknown>; seed?: unknown } {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {} // being written, or not ours
  }
}

/** The other halves of some of those keys: what is no secret and stands in the log, in the same form. */
export function publicHalves({ gateways, agents }: Stage): ReadonlyMap<string, Uint8Array> {
  const edges = [gateways.fs, gateways.memory, agents.honest, agents.other]
  return new Map(edges.map(({ atsign, keys }) => [`${atsign} auth, public`, decodeBase64url(keys.auth.public.key)]))
}
