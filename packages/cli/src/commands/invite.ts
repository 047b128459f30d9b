import { access, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Invite, RevocationSet } from '@postern/core'
import { encodeBase64url, formatJoinString, INVITE_TOKEN_BYTES, inviteKey, targetId } from '@postern/core'
import { writeDurably } from '@postern/daemon'
import type { Command } from 'commander'
import { syncAuthority } from '../authority/authority.ts'
import { revoke } from '../authority/revoke.ts'
import { outcomeText, signStatement } from '../authority/statement.ts'
import type { Context } from '../context.ts'
import { CliError, notFound, usageError } from '../errors.ts'
import { atSignOf, integerOf, listOf } from '../inputs.ts'
import { shortId, state as stateCell, when } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import { openSignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'
import { now, surroundings } from '../surroundings.ts'

const KINDS = ['gateway', 'agent'] as const
const DAY = 86_400

export function register(program: Command): void {
  const invite = program
    .command('invite')
    .description('Fleet tokens: whoever holds one enrols machines without asking anybody, within its limits.')
  invite
    .command('new')
    .description('Make a token here and sign its limits. It is written once and cannot be shown again.')
    .argument('<kind>', KINDS.join(', '))
    .requiredOption('--token-file <file>', 'where the token goes, 0600; - for stdout')
    .option('--tags <tags>', 'tags that everything gets which it enrols, separated by commas')
    .option('--uses <number>', 'how many machines, at most 100', '1')
    .option('--days <days>', 'how long it works, at most 7', '1')
    .option('--owner <atsign>', 'agents: the person they act for')
    .action(act(create))
  invite.command('list').description('Invites of the verified log, and what is left of them.').action(act(list))
  invite
    .command('void')
    .description('End an invite for ever, and whatever it has enrolled.')
    .argument('<id>', 'key id from invite list, or its beginning')
    .option('--reason <text>', 'for the record', 'no reason given')
    .option('--wait <seconds>', 'how long to wait for the gateways', '10')
    .action(act(voidOne))
}

async function create(context: Context, [kind = '']: readonly string[], options: Options): Promise<Report> {
  if (!(KINDS as readonly string[]).includes(kind)) throw usageError(`an invite is for a ${KINDS.join(' or ')}, not ${kind}`)
  if (options.owner !== undefined && kind !== 'agent') throw usageError('only agents have an owner')
  const path: string = options.tokenFile === '-' ? '-' : resolve(options.tokenFile)
  const person = await openSignedIn(context.settings)
  const token = surroundings.random(INVITE_TOKEN_BYTES)
  const { publicKey } = inviteKey(token)
  const join = formatJoinString({ ...person.profile, code: encodeBase64url(token) })
  const uses = integerOf(options.uses, '--uses', 1, 100)
  const exp = now() + integerOf(options.days, '--days', 1, 7) * DAY
  const owner = options.owner === undefined ? {} : { owner: atSignOf(options.owner) }
  if (path !== '-') await writeNew(path, `${join}\n`)
  const outcome = await signing(path, () =>
    signStatement(context, person, {
      op: 'invite',
      body: () => ({ key: publicKey, kind: kind as 'gateway', tags: listOf(options.tags), uses, exp, ...owner }),
    }),
  )
  const command = `npx postern ${kind} enroll --token-file ${path === '-' ? '<file>' : path} --name @…`
  return {
    schema: 'invite.new',
    data: { ...outcome, kind, uses, exp, file: path === '-' ? null : path, ...(path === '-' ? { token: join } : {}), command },
    ids: [path === '-' ? join : path],
    ...(path === '-' ? { lines: [join] } : {}),
    ...(path === '-' ? {} : { facts: [['token', path] as const, ['ends', when(exp)] as const, ['run there', command] as const] }),
    hints: [outcomeText(outcome), '! Whoever reads the token enrols machines: keep it where secrets are kept'],
    exit: outcome.status === 'waiting' ? 'pending' : 'done',
  }
}

/** Before it is signed: a token that is nowhere would be an invite that nobody can use. @throws {CliError} CONFLICT */
async function writeNew(path: string, text: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  )
  if (isThere) throw new CliError('CONFLICT', `${path} is there already`, { fix: 'name another file', exit: 'conflict' })
  await writeDurably(path, text)
}

async function signing<T>(path: string, sign: () => Promise<T>): Promise<T> {
  try {
    return await sign()
  } catch (error) {
    if (path !== '-') await rm(path, { force: true })
    throw error
  }
}

type InviteState = 'open' | 'used' | 'expired' | 'revoked'
function stateOf({ kid, left, exp }: Invite, revocations: RevocationSet): InviteState {
  if (revocations.byTarget.has(targetId({ kind: 'invite', id: kid }))) return 'revoked'
  if (exp <= now()) return 'expired'
  return left === 0 ? 'used' : 'open'
}

async function list(context: Context): Promise<Report> {
  const { dir, profile, client } = await openSignedIn(context.settings)
  const { state, revocations, warnings } = await syncAuthority(dir, profile.org, client)
  for (const warning of warnings) context.warn(warning)
  const invites = [...state.invites.values()].map((invite) => ({ ...invite, state: stateOf(invite, revocations) }))
  return {
    schema: 'invite.list',
    data: invites.map(({ kid, kind, tags, owner, uses, left, exp, seq, state }) => ({
      ...{ kid, kind, state, tags, owner: owner ?? null, uses, left, exp, seq },
    })),
    ids: invites.map(({ kid }) => kid),
    table: {
      columns: ['id', 'kind', 'state', 'left', 'ends', 'owner', 'tags'],
      rows: invites.map(({ kid, kind, tags, owner, uses, left, exp, state }) => [
        ...[shortId(kid), kind, stateCell(state), `${left} of ${uses}`, when(exp), owner, tags],
      ]),
      empty: 'the log has no invite',
    },
  }
}

async function voidOne(context: Context, [typed = '']: readonly string[], options: Options): Promise<Report> {
  const person = await openSignedIn(context.settings)
  return revoke(
    context,
    person,
    'invite.void',
    ({ invites }) => {
      const found = [...invites.keys()].filter((kid) => kid === typed || (typed.length >= 4 && kid.startsWith(typed)))
      if (found.length > 1) throw usageError(`${typed} could be ${found.length} invites`, 'type more of the id: postern invite list -q')
      if (!found[0]) throw notFound(`there is no invite ${typed}`, 'postern invite list')
      return { kind: 'invite', id: found[0] }
    },
    { reason: options.reason, waitSeconds: integerOf(options.wait, '--wait', 0, 3600) },
  )
}
