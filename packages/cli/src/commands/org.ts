import type { State, Threshold } from '@postern/core'
import { adminsOf, keyIdOf, organisationWords } from '@postern/core'
import type { Command } from 'commander'
import { readAuthority, syncAuthority } from '../authority/authority.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import type { Report } from '../output/report.ts'
import { openPerson, openSignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'

export function register(program: Command): void {
  const org = program.command('org').description('The organisation that this machine pinned.')
  org
    .command('show')
    .description('Name, words, administrators and thresholds, as verified on this machine.')
    .option('--offline', 'what is on this machine, without asking the control plane')
    .action(act(show))
}

async function show(context: Context, _args: readonly string[], { offline }: Options): Promise<Report> {
  const state = offline ? await stored(context) : await fetched(context)
  const thresholds = Object.entries(state.thresholds).map(([of, threshold]) => `${of} ${thresholdText(threshold)}`)
  const admins = adminsOf(state).map(({ atsign }) => atsign)
  const data = {
    org: state.org,
    words: organisationWords(state.org),
    name: state.name,
    seq: state.seq,
    head: state.head,
    admins,
    thresholds: state.thresholds,
    signer: state.site,
    console: { origins: state.consoleOrigins },
    recovery: keyIdOf(state.recovery),
    policy: state.policy ?? null,
  }
  return {
    schema: 'org.show',
    data,
    ids: [state.org],
    facts: [
      ['organisation', state.name],
      ['id', state.org],
      ['words', data.words.join(' ')],
      ['log', `${state.seq + 1} ${state.seq === 0 ? 'statement' : 'statements'}`],
      ['head', state.head],
      ['administrators', admins],
      ['thresholds', thresholds],
      ['policy', state.policy ? `${state.policy.name} (statement ${state.policy.seq})` : undefined],
      ['signer', state.site.origins],
      ['console', state.consoleOrigins],
      ['recovery key', data.recovery],
    ],
  }
}

const thresholdText = ({ m, kinds }: Threshold): string => `${m}${kinds ? ` with ${kinds.join(' and ')}` : ''}`

async function fetched(context: Context): Promise<State> {
  const { dir, profile, client } = await openSignedIn(context.settings)
  const { state, warnings } = await syncAuthority(dir, profile.org, client)
  for (const warning of warnings) context.warn(warning)
  return state
}

async function stored(context: Context): Promise<State> {
  const { dir, profile } = await openPerson(context.settings)
  const authority = await readAuthority(dir, profile.org)
  if (!authority) throw new CliError('NOT_FOUND', 'no log was fetched to this machine yet', { fix: 'postern login', exit: 'notFound' })
  return authority.state
}
