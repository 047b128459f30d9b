import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, mkdir, realpath, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf, readIfThere, writeDurably } from '@postern/daemon'
import type { Client } from '../clients.ts'
import { CliError } from '../errors.ts'
import { addJsonEntry, readJsonEntries, removeJsonEntry } from './edit-json.ts'
import { addTomlEntry, parseToml, readTomlEntries, removeTomlEntry } from './edit-toml.ts'
import { parseJsonNodes } from './json-nodes.ts'

/** A change of one client's file that has been worked out and not yet made. */
export interface Edit {
  /** Where it really is: a link is followed, not replaced. */
  readonly file: string
  /** Undefined: there is no file yet. */
  readonly before: string | undefined
  /** Undefined: there is no file any more. */
  readonly after: string | undefined
  /** Undone byte by byte. */
  readonly isExact: boolean
  /** The object around the entry comes with it. */
  readonly makesHolder: boolean
}

/** What was done to a file, so that it can be undone: kept in the state directory. */
export interface EditRecord {
  readonly client: string
  readonly name: string
  readonly file: string
  /** SHA-256 of the file as we left it. */
  readonly after: string
  /** Copy of the file before; null: there was none. */
  readonly backup: string | null
  /** The object around the entry came with it. */
  readonly made_holder: boolean
}

type Shape = Pick<Client, 'format' | 'key' | 'title'>

const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex')

/** Entries of a client's file by name; nothing there is none. @throws {CliError} CLIENT_FILE_INVALID */
export async function readEntries(client: Shape, path: string): Promise<Readonly<Record<string, unknown>>> {
  const { text, file } = await read(path)
  if (text === undefined) return {}
  return guarding(client, file, () => entriesIn(client, text))
}

const entriesIn = ({ format, key }: Shape, text: string) => (format === 'toml' ? readTomlEntries(text, key) : readJsonEntries(text, key))

/**
 * Works out the file with one entry more. Everything else in it stays byte for byte, and the result is read back before it is believed.
 * @returns undefined when exactly this entry is there already
 * @throws {CliError} CLIENT_FILE_INVALID, CONFLICT when another entry has the name
 */
export async function planAdd(client: Shape, path: string, name: string, entry: object): Promise<Edit | undefined> {
  const { text, file } = await read(path)
  return guarding(client, file, () => {
    const before = text ?? ''
    const entries = entriesIn(client, before)
    if (Object.hasOwn(entries, name)) {
      if (canonical(entries[name]) === canonical(entry)) return undefined
      throw new CliError('CONFLICT', `${client.title} has an entry ${name} already, and it is another one`, {
        fix: 'choose a name: --name <entry>, or remove it first: postern client remove',
        exit: 'conflict',
      })
    }
    const place = { key: client.key, name }
    const after = client.format === 'toml' ? addTomlEntry(before, place, entry) : addJsonEntry(before, place, entry)
    requireMeaning(client, after, withEntry(client, before, name, entry))
    return { file, before: text, after, isExact: false, makesHolder: !Object.hasOwn(documentOf(client, before), client.key) }
  })
}

/**
 * Works out the file without an entry: as it was before, byte for byte, where nobody has changed it since; else without the entry alone.
 * @returns undefined when there is no such entry
 * @throws {CliError} CLIENT_FILE_INVALID
 */
export async function planRemove(client: Shape, path: string, name: string, record: EditRecord | undefined): Promise<Edit | undefined> {
  const { text, file } = await read(path)
  if (text === undefined) return undefined
  if (record && record.file === file && record.after === sha256(text)) {
    if (record.backup === null) return { file, before: text, after: undefined, isExact: true, makesHolder: false }
    const { text: backup } = await read(record.backup)
    if (backup !== undefined) return { file, before: text, after: backup, isExact: true, makesHolder: false }
  }
  return guarding(client, file, () => {
    const place = { key: client.key, name }
    const dropsHolder = record?.file === file && record.made_holder
    const after = client.format === 'toml' ? removeTomlEntry(text, place) : removeJsonEntry(text, place, dropsHolder)
    if (after === undefined) return undefined
    requireMeaning(client, after, withoutEntry(client, text, name, dropsHolder))
    return { file, before: text, after, isExact: false, makesHolder: false }
  })
}

/**
 * Makes the change, with a copy of what was there beside it.
 * @returns the record of an addition, and where the copy is
 * @throws {CliError} CONFLICT when somebody has changed the file since it was read
 */
export async function applyEdit(
  client: Client,
  name: string,
  { file, before, after, makesHolder }: Edit,
  stamp: string,
): Promise<EditRecord> {
  const now = await read(file)
  if (now.text !== before)
    throw new CliError('CONFLICT', `${file} was changed at this moment`, { fix: 'run the command again', exit: 'conflict' })
  const backup = before === undefined ? null : await copyAside(file, stamp)
  if (after === undefined) await rm(file)
  else {
    await mkdir(dirname(file), { recursive: true })
    await writeDurably(file, after, before === undefined ? 0o600 : (await stat(file)).mode & 0o777)
  }
  return { client: client.name, name, file, after: sha256(after ?? ''), backup, made_holder: makesHolder }
}

async function copyAside(file: string, stamp: string): Promise<string> {
  for (let i = 1; ; i += 1) {
    const copy = `${file}.postern-backup-${stamp}${i === 1 ? '' : `-${i}`}`
    try {
      await copyFile(file, copy, constants.COPYFILE_EXCL)
      return copy
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
  }
}

/** A file that is a link is changed where it is, and stays a link. */
export const followLinks = (path: string): Promise<string> => realpath(path).catch(() => path)

async function read(path: string): Promise<{ file: string; text: string | undefined }> {
  const file = await followLinks(path)
  const bytes = await readIfThere(file)
  if (!bytes) return { file, text: undefined }
  try {
    return { file, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) }
  } catch (cause) {
    throw new CliError('CLIENT_FILE_INVALID', `${file} is not UTF-8, and was left as it is`, { exit: 'failed', cause })
  }
}

/** A file that does not read, or that an edit would change in another way, is left alone. */
function guarding<T>({ title }: Shape, file: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof CliError) throw cause
    throw new CliError('CLIENT_FILE_INVALID', `the file of ${title} cannot be edited safely, and was left as it is`, {
      why: `${file}: ${(cause as Error).message}`,
      fix: 'correct it, or paste the entry by hand: postern client print',
      exit: 'failed',
      cause,
    })
  }
}

type Document = Record<string, Record<string, unknown> | undefined>
const documentOf = ({ format }: Shape, text: string): Document => {
  if (format === 'toml') return structuredClone(parseToml(text)) as Document
  return (/^\ufeff?\s*$/.test(text) ? {} : JSON.parse(JSON.stringify(parseJsonNodes(text).value))) as Document
}

function withEntry(client: Shape, text: string, name: string, entry: object): Document {
  const document = documentOf(client, text)
  return { ...document, [client.key]: { ...document[client.key], [name]: entry } }
}

function withoutEntry(client: Shape, text: string, name: string, dropsHolder = false): Document {
  const { [client.key]: holder, ...others } = documentOf(client, text)
  const { [name]: _gone, ...rest } = holder!
  const isGone = Object.keys(rest).length === 0 && (dropsHolder || client.format === 'toml')
  return isGone ? others : { ...others, [client.key]: rest }
}

/** @throws {TypeError} when the new text says anything else */
function requireMeaning(client: Shape, text: string, expected: Document): void {
  if (canonical(documentOf(client, text)) !== canonical(expected)) throw new TypeError('the edit would change more than the entry')
}

/** Order of names does not matter; dates of TOML are as they print. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : typeof inner === 'bigint'
        ? `${inner}n`
        : inner,
  )
