import type { Command } from 'commander'
import type { Context } from '../context.ts'
import type { Check } from '../doctor/checks.ts'
import { runChecks } from '../doctor/checks.ts'
import { state } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import { act } from '../run.ts'

export function register(program: Command): void {
  program.command('doctor').description('Run every check on this machine; each finding names its fix.').action(act(doctor))
}

async function doctor(context: Context): Promise<Report> {
  const checks = await runChecks(context.settings)
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length
  const failed = count('failed')
  return {
    schema: 'doctor',
    data: checks.map((check) => ({ fix: null, ...check })),
    ids: checks.filter(({ status }) => status === 'failed').map(({ id }) => id),
    table: {
      columns: ['status', 'check', 'found', 'fix'],
      rows: checks.map(({ status, id, detail, fix }) => [state(status), id, detail, fix]),
    },
    hints: [`${checks.length} checks: ${count('ok')} ok, ${count('warning')} warnings, ${failed} failed, ${count('skipped')} skipped`],
    exit: failed > 0 ? 'checksFailed' : 'done',
  }
}
