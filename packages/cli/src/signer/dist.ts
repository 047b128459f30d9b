import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { CliError } from '../errors.ts'

// The built signing page as files. Its code is never imported: what people sign with is what lies there, byte for byte.

/** `packages/signer/dist` of this installation. */
export const SIGNER_DIST = join(import.meta.dirname, '../../../signer/dist')

/** Not part of what is served: how to serve it, and what it should hash to. */
const HEADERS = 'headers.json'
const HASHES = 'hashes.json'

/** What is served, read once: a file that is changed under a running signer changes nothing. */
export interface SignerDist {
  /** Path below the origin → bytes. `index.html` is there under its name. */
  readonly files: ReadonlyMap<string, Buffer>
  /** Headers of every answer; `{console}` stands for the origins of the control plane. */
  readonly headers: Readonly<Record<string, string>>
  /** Path → SHA-256 in hex, computed from the bytes. */
  readonly hashes: ReadonlyMap<string, string>
}

export const isSignerBuilt = (directory = SIGNER_DIST): boolean => existsSync(join(directory, 'index.html'))

/**
 * Reads the built page and compares it with the list of hashes that was built with it.
 * @throws {CliError} NOT_READY when it is not built, VERIFICATION_FAILED when a file is not the one that was built
 */
export async function readSignerDist(directory = SIGNER_DIST): Promise<SignerDist> {
  if (!isSignerBuilt(directory)) {
    throw new CliError('NOT_READY', 'the signer is not built', { fix: 'npm start builds what is missing', exit: 'failed' })
  }
  const read = new Map<string, Buffer>()
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) read.set(relative(directory, path).split(sep).join('/'), await readFile(path))
  }
  const [headers, published] = [jsonOf(read.get(HEADERS)), jsonOf(read.get(HASHES))]
  const files = new Map([...read].filter(([name]) => name !== HEADERS && name !== HASHES).sort())
  const hashes = new Map([...files].map(([name, bytes]) => [name, sha256(bytes)]))
  requirePublished(hashes, published)
  return { files, headers, hashes }
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const jsonOf = (bytes: Buffer | undefined): Readonly<Record<string, string>> =>
  bytes ? (JSON.parse(bytes.toString('utf8')) as Record<string, string>) : {}

function requirePublished(hashes: ReadonlyMap<string, string>, published: Readonly<Record<string, string>>): void {
  for (const [name, expected] of Object.entries(published)) {
    if (hashes.get(name) === expected) continue
    throw new CliError('VERIFICATION_FAILED', `${name} of the signer is not the file that was built`, {
      why: `expected ${expected}, found ${hashes.get(name) ?? 'no such file'}`,
      fix: 'build it again and look who changed it',
      exit: 'verification',
    })
  }
}

/** The headers as they are sent for these console origins. */
export const headersFor = ({ headers }: SignerDist, consoles: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replaceAll('{console}', consoles.join(' '))]))
