import { join } from 'node:path'
import { makePrivateDirectory, places, readIfThere, writeDurably } from '@postern/daemon'
import type { Environment } from '../config.ts'
import type { EditRecord } from './client-file.ts'

/** What was added where, so that it can be undone byte by byte. Lost: only the entry is taken out. */
const pathIn = (environment: Environment): string => join(places(environment).state, 'client-edits.json')

async function readAll(environment: Environment): Promise<readonly EditRecord[]> {
  try {
    const bytes = await readIfThere(pathIn(environment))
    const { edits } = JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array())) as { edits: readonly EditRecord[] }
    return Array.isArray(edits) ? edits : []
  } catch {
    return []
  }
}

const isOf =
  ({ client, name, file }: Pick<EditRecord, 'client' | 'name' | 'file'>) =>
  (record: EditRecord) =>
    record.client === client && record.name === name && record.file === file

export const findRecord = async (
  which: Pick<EditRecord, 'client' | 'name' | 'file'>,
  environment: Environment,
): Promise<EditRecord | undefined> => (await readAll(environment)).findLast(isOf(which))

/** @param record Undefined: forgotten. */
export async function keepRecord(
  which: Pick<EditRecord, 'client' | 'name' | 'file'>,
  record: EditRecord | undefined,
  environment: Environment,
): Promise<void> {
  const others = (await readAll(environment)).filter((known) => !isOf(which)(known))
  await makePrivateDirectory(places(environment).state)
  await writeDurably(pathIn(environment), `${JSON.stringify({ v: 1, edits: record ? [...others, record] : others }, null, 1)}\n`)
}
