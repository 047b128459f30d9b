import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Report } from '../output/report.ts'
import { act } from '../run.ts'

export function register(program: Command): void {
  program.command('version').description('Versions of Postern and Node.').action(act(version))
}

async function version(): Promise<Report> {
  const { version: postern } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  const data = { postern, node: process.versions.node, platform: `${process.platform}-${process.arch}` }
  return { schema: 'version', data, ids: [postern], facts: Object.entries(data) }
}
