import type { Command } from 'commander'
import type { Report } from '../output/report.ts'
import { act } from '../run.ts'
import { VERSION } from '../version.ts'

export function register(program: Command): void {
  program.command('version').description('Versions of Postern and Node.').action(act(version))
}

async function version(): Promise<Report> {
  const data = { postern: VERSION, node: process.versions.node, platform: `${process.platform}-${process.arch}` }
  return { schema: 'version', data, ids: [VERSION], facts: Object.entries(data) }
}
