import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Grant } from '@postern/core'
import { tokenHash } from '@postern/core'
import { errnoOf, places, readIfThere, writeDurably } from '@postern/daemon'
import type { Environment } from '../config.ts'
import { localEdges } from '../local.ts'

/** A grant on this machine. What it says is read, not verified: the gateway verifies it at every call. */
export interface HeldGrant {
  /** Token hash, `gth` of its calls and receipts: what a revocation names. */
  readonly hash: string
  readonly grant: Grant
  readonly path: string
}

/** Where the grants of an agent are kept unless told otherwise: beside its keys. */
const FOLDER = 'grants'
const SUFFIX = '.grant'

/** 0600. @returns where it is */
export async function writeGrant(folder: (name: string) => Promise<string>, token: string, path?: string): Promise<string> {
  const file = path ?? join(await folder(FOLDER), `${tokenHash(token).slice(0, 16)}${SUFFIX}`)
  await writeDurably(file, `${token}\n`)
  return file
}

/** @returns undefined when there is no such file, or no grant in it */
export async function readGrantFile(path: string): Promise<HeldGrant | undefined> {
  const bytes = await readIfThere(path)
  if (!bytes) return undefined
  const token = new TextDecoder().decode(bytes).trim()
  const [, payload] = /^[\w-]+\.([\w-]+)\.[\w-]{86}$/.exec(token) ?? []
  if (payload === undefined) return undefined
  try {
    return { hash: tokenHash(token), grant: JSON.parse(Buffer.from(payload, 'base64url').toString()) as Grant, path }
  } catch {
    return undefined
  }
}

/** Those of all agents of this machine, newest first. */
export async function listGrantFiles(environment: Environment): Promise<readonly HeldGrant[]> {
  const root = places(environment).state
  const agents = await localEdges('agent', environment)
  const paths = await Promise.all(agents.map((atsign) => filesIn(join(root, 'agent', atsign, FOLDER))))
  const held = await Promise.all(paths.flat().map(readGrantFile))
  return held.flatMap((one) => one ?? []).sort((a, b) => b.grant.nbf - a.grant.nbf)
}

async function filesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).filter((name) => name.endsWith(SUFFIX)).map((name) => join(directory, name))
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
