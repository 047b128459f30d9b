import { randomBytes } from 'node:crypto'
import { mkdir, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Home } from '../../fixtures/processes.ts'

/** What the filesystem server serves. The policy allows only `notes/`; the server itself would hand out all of it. */
export interface Files {
  readonly root: string
  readonly notes: string
  /** A note that may be read. */
  readonly note: string
  /** Outside `notes/`. */
  readonly payroll: string
  /** Stands in `payroll`. */
  readonly payrollLine: string
}

export async function makeFiles(home: Home): Promise<Files> {
  const root = join(await realpath(home.path), 'files')
  const notes = join(root, 'notes')
  await mkdir(notes, { recursive: true })
  const files = {
    root,
    notes,
    note: join(notes, 'today.md'),
    payroll: join(root, 'payroll.txt'),
    payrollLine: `salary ${randomBytes(12).toString('hex')}`,
  }
  await writeFile(files.note, Array.from({ length: 30 }, (_, i) => `line ${i + 1}\n`).join(''))
  await writeFile(files.payroll, `${files.payrollLine}\n`)
  return files
}
