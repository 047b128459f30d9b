import { formatJoinString } from '@postern/core'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { usageError } from '../errors.ts'
import { integerOf, listOf } from '../inputs.ts'
import { shortId, state, when } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import { openSignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'

const KINDS = ['gateway', 'agent', 'person'] as const

export function register(program: Command): void {
  const code = program.command('code').description('One-time enrolment codes and their join strings.')
  code
    .command('new')
    .description('Make a code; the join string carries this machine’s own pin of the organisation.')
    .argument('<kind>', KINDS.join(', '))
    .option('--tags <tags>', 'tags to suggest to whoever approves, separated by commas')
    .option('--minutes <minutes>', 'how long it can be used', '15')
    .action(act(create))
  code.command('list').description('Codes that have not expired. They cannot be shown again.').action(act(list))
  code.command('void').description('Void a code.').argument('<id>', 'from code list').action(act(voidOne))
}

async function create(context: Context, [kind = '']: readonly string[], options: Options): Promise<Report> {
  if (!(KINDS as readonly string[]).includes(kind)) throw usageError(`a code is for a ${KINDS.join(', ')}, not ${kind}`)
  const { client, profile } = await openSignedIn(context.settings)
  const json = { kind, tags: listOf(options.tags), minutes: integerOf(options.minutes, '--minutes', 1, 60) }
  const { id, code, exp } = await client.call<{ id: string; code: string; exp: number }>('/api/v1/codes', { json })
  const join = formatJoinString({ control: profile.control, org: profile.org, code })
  const command = COMMANDS[kind as keyof typeof COMMANDS](join)
  return {
    schema: 'code.new',
    data: { id, kind, code, join, command, exp },
    ids: [join],
    facts: [
      ['code', code],
      ['join string', join],
      ['ends', when(exp)],
      ['run there', command],
    ],
    hints: ['◌ Then: postern pending'],
  }
}

/** What the other machine runs. */
const COMMANDS = {
  gateway: (join: string) => `npx postern gateway enroll '${join}' --name @gw-… --server <name> -- <command of the MCP server>`,
  agent: (join: string) => `npx postern agent enroll '${join}' --name @…`,
  person: (join: string) => `npx postern people enroll '${join}' --as @…`,
}

interface CodeJson {
  readonly id: string
  readonly kind: string
  readonly tags: readonly string[]
  readonly created_by: string
  readonly exp: number
  readonly used: boolean
}

async function list(context: Context): Promise<Report> {
  const { client } = await openSignedIn(context.settings)
  const { codes } = await client.call<{ codes: readonly CodeJson[] }>('/api/v1/codes')
  return {
    schema: 'code.list',
    data: codes,
    ids: codes.map(({ id }) => id),
    table: {
      columns: ['id', 'kind', 'state', 'ends', 'made by', 'tags'],
      rows: codes.map(({ id, kind, used, exp, created_by, tags }) => [
        shortId(id, 22),
        kind,
        state(used ? 'used' : 'open'),
        when(exp),
        created_by,
        tags,
      ]),
      empty: 'no code is open',
    },
  }
}

async function voidOne(context: Context, [id = '']: readonly string[]): Promise<Report> {
  const { client } = await openSignedIn(context.settings)
  await client.call(`/api/v1/codes/${encodeURIComponent(id)}`, { method: 'DELETE' })
  return { schema: 'code.void', data: { id }, ids: [id], lines: ['✓ void'] }
}
