import type { State } from '@postern/core'
import { describe, encodeSigned, keyIdOf, neededFor } from '@postern/core'
import type { Command } from 'commander'
import { decide } from '../approvals/decide.ts'
import type { HeldEntry } from '../approvals/held.ts'
import { syncAuthority } from '../authority/authority.ts'
import { outcomeText, refusing, requireCount, sayAll } from '../authority/statement.ts'
import { signWithBrowser } from '../browser/sign.ts'
import type { Context } from '../context.ts'
import { approve, pickEnrolment } from '../enrolment/approve.ts'
import type { WaitingEnrolment, WaitingStatement } from '../enrolment/queue.ts'
import { listEnrolments, listStatements, missingText, pick } from '../enrolment/queue.ts'
import { usageError } from '../errors.ts'
import { integerOf } from '../inputs.ts'
import { shortId, when } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import type { SignedIn } from '../profile/person.ts'
import { openSignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'
import { surroundings } from '../surroundings.ts'

export function register(program: Command): void {
  program.command('pending').description('Enrolments and statements that want a signature.').action(act(pending))
  program
    .command('approve')
    .description('Sign an enrolment after comparing its words, or approve one call that waits for you.')
    .argument('<id>', 'id of the request, its beginning, or the atSign that it asks for')
    .option('--wait <seconds>', 'calls: how long to look on while it runs', '60')
    .option('--words <words>', 'the six words that the other screen shows; without a terminal they are compared here')
    .option('--tags <tags>', 'tags it gets, separated by commas')
    .option('--days <days>', 'how long the enrolment lasts; default: person 365, gateway 180, agent 30')
    .option('--owner <atsign>', 'agents: the person it acts for')
    .option('--delegate <agents>', 'persons: how many agents they may enrol alone, with these tags')
    .option('--servers <servers>', 'persons: servers that those agents may use; default: any')
    .option('--admin', 'persons: becomes an administrator')
    .action(act(approveOne))
  program
    .command('sign')
    .description('Sign a statement that wants more signatures.')
    .argument('<hash>', 'its hash, or the beginning of it; with --yes the whole hash, as its author told you')
    .action(act(signOne))
  program
    .command('refuse')
    .description('Turn down an enrolment, a statement, or a call that waits.')
    .argument('<id>', 'as for approve and sign')
    .option('--reason <text>', 'shown to whoever asked')
    .option('--wait <seconds>', 'calls: how long to wait until the gateway has heard', '30')
    .action(act(refuseOne))
}

interface Waiting {
  readonly state: State
  readonly enrolments: readonly WaitingEnrolment[]
  readonly statements: readonly WaitingStatement[]
}

async function readWaiting(context: Context, { dir, profile, client }: SignedIn): Promise<Waiting> {
  const { state, warnings } = await syncAuthority(dir, profile.org, client)
  for (const warning of warnings) context.warn(warning)
  const isAdmin = state.identities.get(profile.atsign as never)?.admin === true
  return { state, enrolments: await listEnrolments(client, state), statements: isAdmin ? await listStatements(client) : [] }
}

async function pending(context: Context): Promise<Report> {
  const { state, enrolments, statements } = await readWaiting(context, await openSignedIn(context.settings))
  const data = {
    enrolments: enrolments.map(enrolmentData),
    statements: statements.map((statement) => ({ ...statementData(statement), missing: missingOf(statement, state) })),
  }
  return {
    schema: 'pending',
    data,
    ids: [...enrolments.map(({ id }) => id), ...statements.map(({ hash }) => hash)],
    table: {
      columns: ['id', 'what', 'who', 'from', 'age', 'ends', 'words'],
      rows: [
        ...enrolments.map(({ id, request, words, facts, invitedBy, created, exp }) => [
          ...[shortId(id), `enrol ${request.kind}`, request.atsign, facts.host ?? invitedBy, when(created), when(exp), words.join(' ')],
        ]),
        ...statements.map((statement) => {
          const { hash, op, seq, createdBy, created, exp } = statement
          return [shortId(hash), op, `statement ${seq}`, createdBy, when(created), when(exp), missingOf(statement, state)]
        }),
      ],
      empty: 'nothing waits for a signature',
    },
    hints: [
      ...(enrolments[0]
        ? [`→ postern approve ${enrolments[0].request.atsign}     postern refuse ${enrolments[0].request.atsign} --reason …`]
        : []),
      ...(statements[0] ? [`→ postern sign ${statements[0].hash.slice(0, 8)}`] : []),
    ],
  }
}

const enrolmentData = ({ id, request, words, facts, tags, invitedBy, created, exp }: WaitingEnrolment) => ({
  ...{ id, kind: request.kind, atsign: request.atsign, owner: request.owner ?? null, words },
  ...{
    keys: request.keys.map((key) => ({ use: key.use, alg: key.alg, kid: keyIdOf(key) })),
    facts,
    tags,
    invited_by: invitedBy,
    created,
    exp,
  },
})
const statementData = ({ id, hash, op, seq, createdBy, created, exp }: WaitingStatement) => ({
  id,
  hash,
  op,
  seq,
  created_by: createdBy,
  created,
  exp,
})

function missingOf({ signed }: WaitingStatement, state: State): string {
  try {
    return missingText(neededFor(signed, state, surroundings.suite))
  } catch (error) {
    return `cannot be applied any more: ${(error as Error).message}`
  }
}

async function approveOne(context: Context, [id = '']: readonly string[], options: Options): Promise<Report> {
  const person = await openSignedIn(context.settings)
  const call = await findHeld(person, id)
  if (call !== undefined)
    return decide(context, person, call, { decision: 'approve', waitSeconds: integerOf(options.wait, '--wait', 0, 3_600) })
  const { enrolments } = await readWaiting(context, person)
  const waiting = pickEnrolment(enrolments, id, options.words)
  const outcome = await approve(context, person, waiting, options)
  const { request, words } = waiting
  return {
    schema: 'approve',
    data: { ...outcome, kind: request.kind, atsign: request.atsign, words },
    ids: [outcome.hash],
    lines: [outcome.status === 'appended' ? `${outcomeText(outcome)} · ${request.atsign} is enrolled` : outcomeText(outcome)],
    exit: outcome.status === 'waiting' ? 'pending' : 'done',
  }
}

async function signOne(context: Context, [typed = '']: readonly string[]): Promise<Report> {
  const person = await openSignedIn(context.settings)
  const { state, statements } = await readWaiting(context, person)
  const found = pick(statements, typed, (item) => [item.hash, item.id], 'statement')
  if (context.settings.yes && typed !== found.hash) {
    throw usageError('with --yes the statement is named by its whole hash', 'ask its author for it: the queue is the control plane’s word')
  }
  sayAll(context, describe('statement', found.signed.bytes, state))
  await context.confirm('Sign this?')
  const key = await person.key()
  if (key.isPasskey) {
    const { status } = await signWithBrowser(context, person, { kind: 'statement', bytes: found.signed.bytes, id: found.id })
    return signReport(found, status === 'complete')
  }
  const signature = await key.sign('postern-statement-v1', found.signed.bytes)
  const alone = refusing(() => neededFor({ bytes: found.signed.bytes, signatures: [signature] }, state, surroundings.suite))
  requireCount(alone, person.profile.atsign, keyIdOf(key.public))
  const { signatures } = encodeSigned({ bytes: found.signed.bytes, signatures: [signature] })
  const { status } = await person.client.call<{ status: string }>(`/api/v1/requests/${found.id}/signatures`, { json: { signatures } })
  return signReport(found, status === 'complete')
}

function signReport(found: WaitingStatement, isDone: boolean): Report {
  return {
    schema: 'sign',
    data: { ...statementData(found), status: isDone ? 'appended' : 'waiting' },
    ids: [found.hash],
    lines: [isDone ? `✓ signed · ${found.op} is statement ${found.seq} of the log` : '◌ signed · it waits for more signatures'],
    exit: isDone ? 'done' : 'pending',
  }
}

/** Calls that wait are named by their ids; a whole id also when it is over, so that whoever was slower learns who was faster. */
async function findHeld({ client }: SignedIn, typed: string): Promise<string | undefined> {
  const isId = /^[A-Za-z0-9_-]{4,22}$/.test(typed)
  if (!isId) return undefined
  const { approvals } = await client.call<{ approvals: readonly HeldEntry[] }>('/api/v1/approvals?status=all&limit=500')
  const found = approvals.filter(({ id }) => id.startsWith(typed))
  if (found.length > 1) throw usageError(`${typed} could be ${found.length} calls`, 'type more of the id: postern inbox -q')
  return found[0]?.id
}

async function refuseOne(context: Context, [typed = '']: readonly string[], options: Options): Promise<Report> {
  const person = await openSignedIn(context.settings)
  const call = await findHeld(person, typed)
  if (call !== undefined) {
    const waitSeconds = integerOf(options.wait, '--wait', 0, 3_600)
    return decide(context, person, call, { decision: 'refuse', waitSeconds, ...(options.reason ? { reason: options.reason } : {}) })
  }
  const reason = options.reason ?? 'no reason given'
  const { enrolments, statements } = await readWaiting(context, person)
  const items = [
    ...enrolments.map(({ id, request }) => ({
      path: 'enrolments',
      id,
      names: [id, request.atsign],
      what: `${request.kind} ${request.atsign}`,
    })),
    ...statements.map(({ id, hash, op }) => ({ path: 'requests', id, names: [hash, id], what: op })),
  ]
  const { path, id, what } = pick(items, typed, ({ names }) => names, 'request')
  await context.confirm(`Refuse ${what}?`)
  await person.client.call(`/api/v1/${path}/${id}/refuse`, { json: { reason } })
  return { schema: 'refuse', data: { id, what, reason }, ids: [id], lines: [`✕ refused · ${what}`] }
}
