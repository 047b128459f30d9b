import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Environment } from '../config.ts'
import { cacheDirectory } from '../config.ts'

/** A word that may come next, and what it is. */
export interface Candidate {
  readonly value: string
  readonly about: string
}

const FRESH_MS = 30_000
/** For the control plane to answer; who types waits no longer. */
export const PATIENCE_MS = 150

/** What the control plane knows, by where it says so. Of our own answers only names and states are shown. */
const LIVE = {
  agents: { path: '/api/v1/fleet?kind=agent&limit=500', read: members },
  gateways: { path: '/api/v1/fleet?kind=gateway&limit=500', read: members },
  people: { path: '/api/v1/fleet?kind=person&limit=500', read: members },
  codes: { path: '/api/v1/codes', read: (body: Body) => each(body.codes, (code) => [code.id, `${code.kind}, made by ${code.created_by}`]) },
  enrolments: {
    path: '/api/v1/enrolments',
    read: (body: Body) => each(body.enrolments, (item) => [item.atsign, `enrol ${item.kind}`]),
  },
  requests: {
    path: '/api/v1/requests',
    read: (body: Body) => each(body.requests, (item) => (item.status === 'open' ? [item.hash, item.op] : [undefined, ''])),
  },
  held: { path: '/api/v1/approvals', read: (body: Body) => each(body.approvals, (item) => [item.id, `${item.server}.${item.tool}`]) },
} as const
export type LiveSource = keyof typeof LIVE

type Body = Readonly<Record<string, unknown>>
type Row = Readonly<Record<string, unknown>>

function members({ members: rows }: Body): readonly Candidate[] {
  return each(rows, ({ atsign, state, owner }) => [atsign, owner ? `${state}, for ${owner}` : state])
}

function each(rows: unknown, pick: (row: Row) => readonly [unknown, unknown]): readonly Candidate[] {
  if (!Array.isArray(rows)) return []
  return (rows as Row[]).flatMap((row) => {
    const [value, about] = pick(row)
    return typeof value === 'string' ? [{ value, about: String(about ?? '') }] : []
  })
}

/**
 * Names that live on the control plane: from the last half minute, or asked now, or what was known before. Never an error: whoever
 * presses the tab key wants words or nothing.
 */
export async function live(source: LiveSource, environment: Environment): Promise<readonly Candidate[]> {
  let known: Kept | undefined
  try {
    const { openSignedIn } = await import('../profile/person.ts')
    const { readSettings } = await import('../config.ts')
    const settings = readSettings({}, 1, { stdin: false, stdout: false, stderr: false, columns: undefined }, environment)
    const { client, profile } = await openSignedIn(settings)
    const file = join(cacheDirectory(environment), 'completion', `${profile.org.slice(0, 16)}-${profile.atsign}-${source}.json`)
    known = await read(file)
    if (known && Date.now() - known.at < FRESH_MS) return known.found
    const { path, read: pick } = LIVE[source]
    const found = pick(await client.call<Body>(path, { timeoutMs: PATIENCE_MS }))
    await keep(file, { at: Date.now(), found })
    return found
  } catch {
    return known?.found ?? []
  }
}

interface Kept {
  readonly at: number
  readonly found: readonly Candidate[]
}

async function read(file: string): Promise<Kept | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Kept
  } catch {
    return undefined
  }
}

/** Names only, and for this user alone. */
async function keep(file: string, kept: Kept): Promise<void> {
  await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
  const aside = `${file}.${process.pid}`
  await writeFile(aside, JSON.stringify(kept), { mode: 0o600 })
  await rename(aside, file)
}
