import { openEventSource } from '@postern/daemon'
import type { Command } from 'commander'
import { listHeld } from '../approvals/held.ts'
import { syncAuthority } from '../authority/authority.ts'
import type { Context } from '../context.ts'
import { listEnrolments } from '../enrolment/queue.ts'
import { integerOf } from '../inputs.ts'
import { shortId, when } from '../output/cell.ts'
import { escapeText, safeJson } from '../output/escape.ts'
import type { Report } from '../output/report.ts'
import { openSignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'

export function register(program: Command): void {
  program.command('inbox').description('What needs a person now: calls to approve, and enrolments.').action(act(inbox))
  program
    .command('watch')
    .description('The same as it happens, until Ctrl-C; with --json a document per line.')
    .option('--for <seconds>', 'end by itself after this time')
    .action(act(watch))
}

const WATCHED: ReadonlySet<string> = new Set(['approval', 'enrolment', 'request'])
interface Happened {
  readonly id?: string
  readonly status?: string
  readonly server?: string
  readonly tool?: string
  readonly risk?: string
  readonly agent?: string
  readonly atsign?: string
  readonly kind?: string
  readonly op?: string
  readonly by?: string
}

/** What the control plane pushes; nothing of it is decided on. */
async function watch({ settings, say }: Context, _args: readonly string[], options: Options): Promise<undefined> {
  const { client } = await openSignedIn(settings)
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const isDocument = settings.json !== undefined
  const write = (line: string) => process.stdout.write(`${line}\n`)
  const stream = openEventSource(client.url('/api/v1/stream'), {
    headers: (request) => client.sign(request),
    onOpen: () => say('◌ watching'),
    onDown: ({ message }) => say(`! ${message}`),
    onEvent: ({ event, data }) => {
      if (!WATCHED.has(event)) return
      const happened = JSON.parse(data) as Happened
      write(isDocument ? safeJson({ schema: 'postern.watch', v: 1, data: { event, ...happened } }) : escapeText(lineOf(event, happened)))
    },
  })
  const timer = options.for === undefined ? undefined : setTimeout(end, integerOf(options.for, '--for', 1, 86_400) * 1000)
  process.once('SIGINT', end)
  await ended
  clearTimeout(timer)
  process.off('SIGINT', end)
  await stream.close()
}

function lineOf(event: string, { id = '', status = '', server, tool, risk, agent, atsign, kind, op, by }: Happened): string {
  const what =
    event === 'approval' ? `${server}.${tool} (${risk}) for ${agent}` : event === 'enrolment' ? `enrol ${kind} ${atsign}` : `${op}`
  return [id.slice(0, 8), status, what, ...(by ? [`by ${by}`] : [])].join('  ')
}

async function inbox(context: Context): Promise<Report> {
  const { dir, profile, client } = await openSignedIn(context.settings)
  const { state, warnings } = await syncAuthority(dir, profile.org, client)
  for (const warning of warnings) context.warn(warning)
  const [calls, enrolments] = [await listHeld(client), await listEnrolments(client, state)]
  const mine = calls.filter(({ status, approvers }) => status === 'waiting' && approvers.includes(profile.atsign as never))
  const data = [
    ...calls.map(({ id, status, risk, server, tool, agent, gateway, rule, approvers, held, deadline }) => ({
      ...{ kind: 'call', id, status, risk, what: `${server}.${tool}`, agent, gateway, rule, approvers, created: held, exp: deadline },
    })),
    ...enrolments.map(({ id, request, created, exp }) => ({
      ...{ kind: 'enrolment', id, status: 'waiting', what: `enrol ${request.kind} ${request.atsign}`, created, exp },
    })),
  ]
  return {
    schema: 'inbox',
    data,
    ids: data.map(({ id }) => id),
    table: {
      columns: ['id', 'risk', 'what', 'agent', 'age', 'left', 'approvers'],
      rows: [
        ...calls.map(({ id, risk, server, tool, agent, held, deadline, approvers, status }) => [
          ...[shortId(id), risk, `${server}.${tool}`, agent, when(held), when(deadline)],
          status === 'waiting' ? approvers.join(', ') : status,
        ]),
        ...enrolments.map(({ id, request, created, exp }) => [
          ...[shortId(id), '', `enrol ${request.kind} ${request.atsign}`, '', when(created), when(exp), ''],
        ]),
      ],
      empty: 'nothing is waiting',
    },
    hints: [
      ...(mine[0] ? [`→ postern approve ${mine[0].id.slice(0, 8)}     postern refuse ${mine[0].id.slice(0, 8)} --reason …`] : []),
      ...(enrolments[0] ? [`→ postern approve ${enrolments[0].request.atsign}`] : []),
    ],
  }
}
