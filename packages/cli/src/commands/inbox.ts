import type { Command } from 'commander'
import { listHeld } from '../approvals/held.ts'
import { syncAuthority } from '../authority/authority.ts'
import type { Context } from '../context.ts'
import { listEnrolments } from '../enrolment/queue.ts'
import { shortId, when } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import { openSignedIn } from '../profile/person.ts'
import { act } from '../run.ts'

export function register(program: Command): void {
  program.command('inbox').description('What needs a person now: calls to approve, and enrolments.').action(act(inbox))
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
