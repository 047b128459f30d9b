import type { Enrolment, Identity, RevocationSet, State } from '@postern/core'
import { formatJoinString, keyIdOf, signerKindOf, signerRequestUrl, standingOf, writePin } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import type { Command } from 'commander'
import { syncAuthority } from '../authority/authority.ts'
import { enrolmentOf, identityOf, revoke } from '../authority/revoke.ts'
import { outcomeText, signStatement } from '../authority/statement.ts'
import type { Context } from '../context.ts'
import type { Asked } from '../enrolment/ask.ts'
import { ask, asked, resume, sayPending, wait } from '../enrolment/ask.ts'
import { createPersonEnrolment, findAsking, openNewPerson, profileNameFor, requireSameKey } from '../enrolment/enrol-person.ts'
import { readJoinString, readPublicLog } from '../enrolment/join.ts'
import { atSignOf, integerOf, listOf } from '../inputs.ts'
import { chooseSshKey } from '../keys/choose.ts'
import type { PersonKey } from '../keys/person-key.ts'
import { createOwnKey, OWN_KEY } from '../keys/person-key.ts'
import { createSealKey } from '../keys/seal-key.ts'
import { state as stateCell, when } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import { saveProfile } from '../profile/config-file.ts'
import { openSignedIn } from '../profile/person.ts'
import { askFor } from '../prompt.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'
import { now } from '../surroundings.ts'

export function register(program: Command): void {
  const people = program.command('people').description('Persons and administrators.')
  people
    .command('invite')
    .description('Make a one-time invitation: a link that a new person opens to make their passkey. You approve them afterwards.')
    .option('--tags <tags>', 'tags to suggest to whoever approves, separated by commas')
    .option('--minutes <minutes>', 'how long it can be used', '60')
    .action(act(invite))
  people
    .command('enroll')
    .description('Make or take your signing key, ask to be enrolled, and wait.')
    .argument('[join]', 'join string: <control plane>#<organisation>.<code>')
    .option('--as <atsign>', 'your atSign, e.g. @bob')
    .option('--key <key>', `what you sign with: ${OWN_KEY} (a key file made here), agent (ssh-agent), or a .pub file`, OWN_KEY)
    .option('--resume', 'wait again for the request that was posted before')
    .option('--no-wait', 'post the request and end')
    .action(act(enroll))
  people.command('list').description('Persons and administrators, by the verified log.').action(act(list))
  people
    .command('revoke')
    .description('End a person for ever, at every gateway, and whatever they enrolled.')
    .argument('<atsign>')
    .option('--reason <text>', 'for the record', 'no reason given')
    .option('--wait <seconds>', 'how long to wait for the gateways', '10')
    .option('--out <file>', 'also write the signed revocation there')
    .option('--remove', 'administrators: also sign their removal, which alone keeps them from signing the log')
    .action(act(revokeOne))
}

/** The link carries this machine's own pin, and where passkeys sign by the verified log: neither comes from the control plane's word. */
async function invite(context: Context, _args: readonly string[], options: Options): Promise<Report> {
  const { dir, profile, client } = await openSignedIn(context.settings)
  const { state, warnings } = await syncAuthority(dir, profile.org, client)
  for (const warning of warnings) context.warn(warning)
  const json = { kind: 'person', tags: listOf(options.tags), minutes: integerOf(options.minutes, '--minutes', 1, 60) }
  const { id, code, exp } = await client.call<{ id: string; code: string; exp: number }>('/api/v1/codes', { json })
  const control = new URL(profile.control).origin
  const link = signerRequestUrl(state.site.origins[0]!, { v: 1, kind: 'enrolment', control, org: profile.org, code })
  const join = formatJoinString({ control: profile.control, org: profile.org, code })
  return {
    schema: 'people.invite',
    data: { id, link, join, exp },
    ids: [link],
    facts: [
      ['invitation', link],
      ['ends', when(exp)],
      ['with an ssh key', `npx postern people enroll '${join}' --as @…`],
    ],
    hints: ['◌ It can be used once. Then: postern pending, and compare the six words with the person'],
  }
}

/** Somebody who asks, with the directory that will be theirs. */
interface Asking {
  readonly state: string
  readonly dir: StateDir
  readonly key: PersonKey
  readonly posted: { readonly id: string; readonly enrolment: Enrolment }
}

async function enroll(context: Context, [joinString]: readonly string[], options: Options): Promise<Report> {
  const { environment, input } = context.settings
  const atsign = atSignOf(options.as ?? (await askFor('Your atSign', input, '--as')))
  const asking = options.resume ? await resumeAs(context, atsign, options) : await askAs(context, atsign, joinString ?? '', options)
  const { state, dir, key, posted } = asking
  if (options.wait === false) {
    const pending = asked(posted)
    sayPending(context, pending)
    return reportOf(pending, { state: dir.path, key: key.where }, [`→ then: postern people enroll --resume --as ${atsign}`])
  }
  const result = await wait(context, posted)
  const { join } = posted.enrolment
  const log = await readPublicLog(join, posted.id)
  const name = await profileNameFor(log.state.name, join.org, atsign, environment)
  await saveProfile(
    { name, control: join.control, org: join.org, atsign, state, key: options.key === OWN_KEY ? OWN_KEY : key.where },
    environment,
  )
  return reportOf(result, { state: dir.path, key: key.where, profile: name }, ['→ postern login'])
}

async function askAs(context: Context, atsign: Enrolment['atsign'], joinString: string, options: Options): Promise<Asking> {
  const join = readJoinString(joinString)
  const { state, dir } = await openNewPerson(atsign, join.org, context.settings.environment)
  const key = await keyOf(options, dir)
  const posted = await ask(context, join, dir, async () => {
    await writePin(dir, { org: join.org, control: join.control })
    return createPersonEnrolment(join, atsign, key, (await createSealKey(dir)).public)
  })
  return { state, dir, key, posted }
}

async function resumeAs({ settings }: Context, atsign: string, options: Options): Promise<Asking> {
  const { state, dir } = await findAsking(atsign, settings.environment)
  const [key, posted] = [await keyOf(options, dir), await resume(dir)]
  requireSameKey(posted.enrolment, key)
  return { state, dir, key, posted }
}

const keyOf = ({ key }: Options, dir: StateDir): Promise<PersonKey> => (key === OWN_KEY ? createOwnKey(dir) : chooseSshKey(key, dir))

interface Made {
  readonly state: string
  readonly key: string
  readonly profile?: string
}

const reportOf = (result: Asked, { state, key, profile }: Made, hints: readonly string[]): Report => ({
  schema: 'people.enroll',
  data: { ...result, state, key, profile: profile ?? null },
  ids: [result.atsign],
  facts: [
    ['person', result.atsign],
    ['status', result.status],
    ['words', result.words.join(' ')],
    ['approved by', result.approved_by],
    ['signing key', key],
    ['profile', profile],
  ],
  hints,
})

async function list(context: Context): Promise<Report> {
  const { dir, profile, client } = await openSignedIn(context.settings)
  const { state, revocations, warnings } = await syncAuthority(dir, profile.org, client)
  for (const warning of warnings) context.warn(warning)
  const people = [...state.identities.values()]
    .filter(({ kind }) => kind === 'person')
    .map((person) => personOf(person, state, revocations))
  people.sort((a, b) => (a.atsign < b.atsign ? -1 : 1))
  return {
    schema: 'people.list',
    data: people,
    ids: people.map(({ atsign }) => atsign),
    table: {
      columns: ['name', 'state', 'role', 'signs with', 'seal keys', 'lease ends', 'may enrol', 'tags'],
      rows: people.map(({ atsign, state: standing, role, keys, seal_keys: seals, exp, delegation, tags }) => [
        ...[atsign, stateCell(standing), role, keys.map(({ kind }) => kind), seals, when(exp ?? undefined), mayEnrol(delegation), tags],
      ]),
    },
  }
}

type PersonState = 'live' | 'expired' | 'revoked' | 'suspended'

function personOf(
  { atsign, admin, tags, exp, delegation, enrolment, enrolledSeq, keys }: Identity,
  state: State,
  revocations: RevocationSet,
) {
  const signing = keys.filter(({ use }) => use === 'sign').map((key) => ({ kid: keyIdOf(key), kind: signerKindOf(key) }))
  return {
    ...{ atsign, state: standingText(state, revocations, atsign), role: admin ? 'admin' : 'person', tags, exp: exp ?? null },
    ...{ delegation: delegation ?? null, enrolment, enrolled_seq: enrolledSeq, keys: signing },
    /** None: held calls cannot be shown to this person, who then cannot approve any. */
    seal_keys: keys.filter(({ use }) => use === 'seal').length,
  }
}

function standingText(state: State, revocations: RevocationSet, atsign: Identity['atsign']): PersonState {
  const standing = standingOf(state, revocations, atsign, now())
  if (standing.ok) return 'live'
  if (standing.reason !== 'REVOKED') return 'expired'
  return standing.revocation.until === undefined ? 'revoked' : 'suspended'
}

function mayEnrol(delegation: Identity['delegation'] | null): string | undefined {
  if (!delegation) return undefined
  const { agents, used, tags, servers } = delegation
  const where = servers ? ` on ${servers.join(', ') || 'no server'}` : ''
  return `${agents - used} of ${agents} agents${tags.length > 0 ? `, ${tags.join(', ')}` : ''}${where}`
}

async function revokeOne(context: Context, [atsign = '']: readonly string[], options: Options): Promise<Report> {
  const person = await openSignedIn(context.settings)
  let isAdmin = false
  const report = await revoke(
    context,
    person,
    'people.revoke',
    (state) => {
      isAdmin = identityOf(state, atsign, 'person').admin
      return enrolmentOf(atsign, 'person')(state)
    },
    { reason: options.reason, waitSeconds: integerOf(options.wait, '--wait', 0, 3600), out: options.out },
  )
  if (!isAdmin) return report
  const hint = `! ${atsign} can still sign the log: postern people revoke ${atsign} --remove`
  if (!options.remove) return { ...report, data: { ...(report.data as object), removed: null }, hints: [...(report.hints ?? []), hint] }
  const outcome = await signStatement(context, person, { op: 'admin.remove', body: () => ({ atsign: atSignOf(atsign) }) })
  return {
    ...report,
    data: { ...(report.data as object), removed: outcome },
    lines: [...(report.lines ?? []), outcomeText(outcome)],
    exit: outcome.status === 'waiting' ? 'pending' : (report.exit ?? 'done'),
  }
}
