import { join, resolve } from 'node:path'
import type { AtSign, Founder, GenesisBody, PublicKey, Signature, Signed, Thresholds } from '@postern/core'
import {
  createControlClient,
  decodeSigned,
  describe,
  draftGenesis,
  encodeBase64url,
  encodeSigned,
  keyIdOf,
  organisationOf,
  organisationWords,
  parseStatement,
  parseStrictJson,
  startState,
  writePin,
} from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { readIfThere, writeDurably } from '@postern/daemon'
import type { Command } from 'commander'
import { addToAuthority } from '../authority/authority.ts'
import { refusing, sayAll } from '../authority/statement.ts'
import type { Context } from '../context.ts'
import { CliError, usageError } from '../errors.ts'
import { atSignOf } from '../inputs.ts'
import { chooseSshKey } from '../keys/choose.ts'
import type { PersonKey } from '../keys/person-key.ts'
import { createOwnKey, createRecoveryKey, OWN_KEY, openSshKey } from '../keys/person-key.ts'
import { createSealKey } from '../keys/seal-key.ts'
import type { Report } from '../output/report.ts'
import { freeProfileName, saveProfile } from '../profile/config-file.ts'
import { openPersonDir, stateNameFor } from '../profile/person.ts'
import { askFor } from '../prompt.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'
import { now, surroundings } from '../surroundings.ts'
import { linksFor, ownerLines, readRunning, renewSecret } from '../up/genesis-link.ts'
import { readOverview } from '../up/health.ts'

/** Where the embedded signer and console are, so that they need no `signer.set` when they come. */
const EMBEDDED = { signer: 'http://localhost:3001', rpId: 'localhost', console: 'http://localhost:3000' }

export function register(program: Command): void {
  const genesis = program
    .command('genesis')
    .description('Found an organisation: sign statement 0 with your key and a recovery key.')
    .argument('<link>', "the genesis link that 'postern up' printed: <control plane>#<secret>")
    .option('--name <organisation>', 'name of the organisation')
    .option('--as <atsign>', 'your atSign, e.g. @ana')
    .option('--key <key>', `what you sign with: ${OWN_KEY} (a key file made here), agent (ssh-agent), or a .pub file`, OWN_KEY)
    .option('--admin <atsign=key>', 'a further administrator, whose .pub file can sign here and now', collect)
    .option('--recovery <file>', 'where the recovery key goes; default: recovery.json in your state directory')
    .option('--signer-origin <origin>', 'where passkeys will sign', EMBEDDED.signer)
    .option('--rp-id <domain>', 'relying party of passkeys; becomes permanent', EMBEDDED.rpId)
    .option('--console-origin <origin>', 'where the console will be', EMBEDDED.console)
    .action(act(found))
  genesis
    .command('link')
    .description('Make a new genesis link for the Postern that runs on this machine, while nobody owns it. The one before counts no more.')
    .option('--data <directory>', "where its data is, as for 'postern up'; default: .data of this clone")
    .action(act(link))
}

async function link(_context: Context, _args: readonly string[], options: Options): Promise<Report> {
  const data = resolve(options.data ?? join(import.meta.dirname, '../../../../.data'))
  const running = await readRunning(data)
  await refuseFounded(running.control, undefined)
  const links = linksFor(running, await renewSecret(data))
  return { schema: 'genesis.link', data: links, ids: [links.link], lines: ownerLines(links) }
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** A founder with the key that signs here, and the seal key of whoever's machine this is. */
interface Signer {
  readonly atsign: AtSign
  readonly key: PersonKey
  readonly seal?: PublicKey
}

async function found(context: Context, [link = '']: readonly string[], options: Options): Promise<Report> {
  const { environment, input } = context.settings
  const { control, secret } = parseLink(link)
  const name: string = options.name ?? (await askFor('Name of the organisation', input, '--name'))
  const atsign = atSignOf(options.as ?? (await askFor('Your atSign', input, '--as')))
  const state = await stateNameFor(atsign, undefined, environment)
  const dir = await openPersonDir(state, environment)
  const begun = await readBegun(dir, name, atsign)
  await refuseFounded(control, begun)
  const key = options.key === OWN_KEY ? await createOwnKey(dir) : await chooseSshKey(options.key, dir)
  const recovery = resolve(options.recovery ?? dir.file('recovery.json'))
  const genesis =
    begun ??
    (await signGenesis(
      context,
      name,
      [{ atsign, key, seal: (await createSealKey(dir)).public }, ...(await readAdmins(options.admin))],
      recovery,
      options,
    ))
  if (begun) requireFounder(begun, key)
  if (begun) context.say(`◌ Continuing the founding of ${name} that was begun here`)
  else await dir.write(BEGUN_FILE, JSON.stringify(encodeSigned(genesis)))
  const org = organisationOf(genesis.bytes)
  const client = createControlClient(control, undefined, surroundings)
  await client.call('/api/v1/log', { json: { entry: encodeSigned(genesis), secret } })
  await writePin(dir, { org, control })
  await addToAuthority(dir, org, [genesis])
  const profile = await freeProfileName(name, org, environment)
  const config = await saveProfile(
    { name: profile, control, org, atsign, state, key: options.key === OWN_KEY ? OWN_KEY : key.where },
    environment,
  )
  const others = adminsIn(genesis).filter((admin) => admin !== atsign)
  return reportOf({ org, words: organisationWords(org), name, atsign, control, profile, config, key: key.where, recovery }, others)
}

/** @throws {CliError} USAGE */
function parseLink(link: string): { control: string; secret: string } {
  const [, control = '', secret = ''] = /^(https?:\/\/[^#\s]+)#([A-Za-z0-9_-]{8,})$/.exec(link.trim()) ?? []
  if (control) return { control: control.replace(/\/+$/, ''), secret }
  throw usageError('this is no genesis link: expected <control plane>#<secret>', "start 'postern up': it prints one while nobody owns it")
}

/** Asked before keys are made for nothing. Its answer is no authority, and none is taken as no. @throws {CliError} ALREADY_FOUNDED */
async function refuseFounded(control: string, begun: Signed | undefined): Promise<void> {
  const known = (await readOverview(control))?.organisation
  if (!known || (begun && organisationOf(begun.bytes) === known.org)) return
  throw new CliError('ALREADY_FOUNDED', `somebody has founded ${JSON.stringify(known.name)} here already`, {
    why: `it is organisation ${known.org}`,
    fix: "was it you? postern login. If not, ask an administrator for a join string: postern people enroll '<join string>'",
    exit: 'conflict',
  })
}

/** Signed, and perhaps handed in, before the answer was lost: the same one is handed in again. */
const BEGUN_FILE = 'genesis-begun.json'
async function readBegun(dir: StateDir, name: string, atsign: string): Promise<Signed | undefined> {
  const bytes = await dir.read(BEGUN_FILE)
  if (!bytes) return undefined
  const signed = decodeSigned(parseStrictJson(bytes, { maxBytes: 1 << 20, maxDepth: 8 }))
  const statement = parseStatement(signed.bytes)
  const isThis = statement.op === 'genesis' && statement.body.name === name && statement.body.admins[0]?.atsign === atsign
  return isThis && statement.nva > now() ? signed : undefined
}

/** @throws {CliError} KEY_UNUSABLE */
function requireFounder({ signatures }: Signed, key: PersonKey): void {
  if (signatures.some(({ kid }) => kid === keyIdOf(key.public))) return
  throw new CliError('KEY_UNUSABLE', 'the founding that was begun here is by another key', {
    fix: 'add --key as it was given then',
    exit: 'usage',
  })
}

async function readAdmins(given: readonly string[] = []): Promise<readonly Signer[]> {
  return Promise.all(
    given.map(async (text) => {
      const [, name = '', path = ''] = /^(@[^=]+)=(.+)$/.exec(text) ?? []
      if (!name) throw usageError(`--admin takes <atsign>=<public key file>, not ${text}`)
      return { atsign: atSignOf(name), key: await openSshKey(resolve(path)) }
    }),
  )
}

async function signGenesis(context: Context, name: string, signers: readonly Signer[], path: string, options: Options): Promise<Signed> {
  if (await readIfThere(path)) {
    throw new CliError('CONFLICT', `there is a recovery key in ${path} already`, { fix: 'add --recovery <another file>', exit: 'conflict' })
  }
  const recovery = createRecoveryKey(path)
  const body = bodyOf(name, signers, recovery.key, options)
  const bytes = refusing(() => draftGenesis(body, { at: now() }))
  sayAll(context, describe('statement', bytes))
  if (signers.length === 1)
    context.warn('one administrator decides everything alone (thresholds 1/1/1): whoever gets this key is the organisation')
  await context.confirm('Found this organisation?')
  const signatures: Signature[] = []
  for (const { sign } of [...signers.map(({ key }) => key), recovery.key]) signatures.push(await sign('postern-statement-v1', bytes))
  const genesis = { bytes, signatures }
  refusing(() => startState(genesis, organisationOf(bytes), surroundings.suite))
  await writeDurably(path, recovery.text)
  return genesis
}

function bodyOf(
  name: string,
  signers: readonly Signer[],
  recovery: PersonKey,
  { signerOrigin, rpId, consoleOrigin }: Options,
): GenesisBody {
  const admins: Founder[] = signers.map(({ atsign, key, seal }) => ({ atsign, keys: [key.public, ...(seal ? [seal] : [])] }))
  return {
    name,
    nonce: encodeBase64url(surroundings.random(16)),
    admins,
    thresholds: thresholdsFor(signers),
    signer: { origins: [signerOrigin], rp_id: rpId },
    console: { origins: [consoleOrigin] },
    recovery: recovery.public,
  }
}

/** Alone: 1/1/1. With others: two for root, one of them with an ssh key, which all of these are. */
const thresholdsFor = (signers: readonly Signer[]): Thresholds =>
  signers.length === 1
    ? { root: { m: 1 }, sensitive: { m: 1 }, routine: { m: 1 } }
    : { root: { m: 2, kinds: ['ssh'] }, sensitive: { m: 1 }, routine: { m: 1 } }

function adminsIn({ bytes }: Signed): readonly string[] {
  const statement = parseStatement(bytes)
  return statement.op === 'genesis' ? statement.body.admins.map(({ atsign }) => atsign) : []
}

interface Founded {
  readonly org: string
  readonly words: readonly string[]
  readonly name: string
  readonly atsign: string
  readonly control: string
  readonly profile: string
  readonly config: string
  readonly key: string
  readonly recovery: string
}

const reportOf = (founded: Founded, others: readonly string[]): Report => ({
  schema: 'genesis',
  data: { ...founded, administrators: [founded.atsign, ...others] },
  ids: [founded.org],
  facts: [
    ['organisation', founded.name],
    ['id', founded.org],
    ['words', founded.words.join(' ')],
    ['administrator', founded.atsign],
    ['signing key', founded.key],
    ['recovery key', founded.recovery],
    ['profile', founded.profile],
  ],
  hints: [
    `! Move ${founded.recovery} to paper or a disk in a drawer: it can replace all administrators, and must not stay on this machine`,
    ...others.map(
      (other) => `→ ${other} signs in with: npx postern login '${founded.control}#${founded.org}' --as ${other} --key <their .pub file>`,
    ),
    '→ postern login',
  ],
})
