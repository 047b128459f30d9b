import type { AtSign, JoinString, Signature } from '@postern/core'
import {
  createEnrolment,
  decodeBase64url,
  encodeBase64url,
  encodeEdgeSecrets,
  generateEdgeSecrets,
  KEY_FILE,
  parseAtSign,
  parseStrictJson,
  readPin,
  writePin,
} from '@postern/core'
import { openStateDir } from '@postern/daemon'
import type { Agent } from '../agent/agent.ts'
import { underLock } from '../agent/shared-files.ts'
import type { ConnectorDeps } from '../deps.ts'

/** What a start needs in order to make an agent that is not there yet. */
export interface JoinOrder {
  readonly join: JoinString
  /** The person it shall act for. */
  readonly owner: AtSign | undefined
}

/** The one enrolment request of an agent that nobody has enrolled yet, as it lies beside its keys. */
export interface Asked {
  readonly join: JoinString
  readonly request: Uint8Array
  readonly proofs: readonly Signature[]
  readonly words: readonly string[]
  /** It was refused, or nobody decided in time: another join string makes another request. */
  readonly isOver: boolean
}

const FILE = 'joining.json'
const LIMITS = { maxBytes: 1 << 20, maxDepth: 8 }

/**
 * Makes keys and pin of an agent, once, however many processes start at the same time. What is there stays.
 * @throws {EdgeError} WRONG_ORGANISATION when the agent belongs to another one
 */
export async function makeAgent(name: string, { join }: JoinOrder, stateRoot: string, { random }: ConnectorDeps): Promise<void> {
  const directory = await openStateDir('agent', parseAtSign(name), stateRoot)
  const isThere = async () => (await directory.readPrivate(KEY_FILE)) !== undefined && (await readPin(directory))?.org === join.org
  if (await isThere()) return // a start that finds everything writes nothing
  await underLock(directory, async () => {
    if (!(await directory.readPrivate(KEY_FILE))) await directory.write(KEY_FILE, encodeEdgeSecrets(generateEdgeSecrets('agent', random)))
    await writePin(directory, { org: join.org, control: join.control })
  })
}

/** The request that is there, or a new one: there is never a second while the first may still be approved. */
export async function readOrAsk(agent: Agent, { join, owner }: JoinOrder, deps: ConnectorDeps): Promise<Asked> {
  const known = await readAsked(agent)
  if (known && isStill(known, join)) return known
  return underLock(agent.directory, async () => {
    const there = await readAsked(agent) // another process was faster
    if (there && isStill(there, join)) return there
    const who = { kind: 'agent', atsign: agent.atsign, ...(owner === undefined ? {} : { owner }) } as const
    const made = createEnrolment(join, who, Object.values(agent.keys), deps)
    const asked = { join, request: made.request, proofs: made.proofs, words: made.words, isOver: false }
    await write(agent, asked)
    return asked
  })
}

const isStill = ({ isOver, join }: Asked, given: JoinString): boolean => !isOver || join.code === given.code

/** Remembers that nothing comes of it any more. */
export const endAsked = (agent: Agent, asked: Asked): Promise<void> =>
  underLock(agent.directory, () => write(agent, { ...asked, isOver: true }))

function write({ directory }: Agent, { join, request, proofs, words, isOver }: Asked): Promise<void> {
  return directory.write(FILE, `${JSON.stringify({ v: 1, ...join, request: encodeBase64url(request), proofs, words, over: isOver })}\n`)
}

/** @returns undefined when there is none, or it does not read: then one is made anew */
async function readAsked({ directory, org }: Agent): Promise<Asked | undefined> {
  try {
    const bytes = await directory.readPrivate(FILE)
    if (!bytes) return undefined
    const stored = parseStrictJson(bytes, LIMITS) as unknown as StoredAsked
    const { control, code, request, proofs, words, over } = stored
    return stored.org === org ? { join: { control, org, code }, request: decodeBase64url(request), proofs, words, isOver: over } : undefined
  } catch {
    return undefined
  }
}

interface StoredAsked extends JoinString {
  readonly request: string
  readonly proofs: readonly Signature[]
  readonly words: readonly string[]
  readonly over: boolean
}
