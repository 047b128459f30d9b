import type { Command } from 'commander'
import type { Shell } from '../completion/scripts.ts'
import { SCRIPTS } from '../completion/scripts.ts'
import type { Context } from '../context.ts'
import { usageError } from '../errors.ts'
import type { Report } from '../output/report.ts'
import { act } from '../run.ts'

const SHELLS = Object.keys(SCRIPTS)

export function register(program: Command): void {
  program
    .command('completion')
    .description('A script that completes commands, options and live names in your shell. Its first lines say where to put it.')
    .argument('<shell>', SHELLS.join(', '))
    .action(act(print))
}

async function print(_context: Context, [shell = '']: readonly string[]): Promise<Report> {
  if (!SHELLS.includes(shell)) throw usageError(`${shell} is no shell known here`, `known: ${SHELLS.join(', ')}`)
  const script = SCRIPTS[shell as Shell]
  return { schema: 'completion', data: { shell, script }, lines: script.trimEnd().split('\n') }
}
