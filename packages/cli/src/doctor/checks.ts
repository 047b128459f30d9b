import { execFile } from 'node:child_process'
import { createControlClient, organisationWords } from '@postern/core'
import { openStateDir, places, readHealth } from '@postern/daemon'
import { healthName } from '@postern/gateway'
import { syncAuthority } from '../authority/authority.ts'
import type { Settings } from '../config.ts'
import { localEdges } from '../local.ts'
import { problemOf } from '../output/problem.ts'
import { configFilePath } from '../profile/config-file.ts'
import type { Person } from '../profile/person.ts'
import { openPerson } from '../profile/person.ts'
import { readSession } from '../profile/session.ts'
import { surroundings } from '../surroundings.ts'
import { consoleCheck, nameCheck, tlsCheck } from './address.ts'

/** One finding. */
export interface Check {
  readonly id: string
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped'
  readonly detail: string
  readonly fix?: string
}
type Found = Omit<Check, 'id'>

const ok = (detail: string): Found => ({ status: 'ok', detail })
const warning = (detail: string, fix: string): Found => ({ status: 'warning', detail, fix })
const failed = (detail: string, fix: string): Found => ({ status: 'failed', detail, fix })
const skipped = (detail: string): Found => ({ status: 'skipped', detail })

/** Runs every check; one that depends on another that failed is skipped, the rest go on. */
export async function runChecks(settings: Settings): Promise<readonly Check[]> {
  const checks: Check[] = []
  const run = async (id: string, check: () => Promise<Found>): Promise<boolean> => {
    const found = await check().catch(asFailure)
    checks.push({ id, ...found })
    return found.status === 'ok' || found.status === 'warning'
  }
  let person: Person | undefined
  await run('node', nodeCheck)
  await run('profile', async () => {
    person = await openPerson(settings)
    return ok(`${configFilePath(settings.environment)} (profile ${person.profile.name}, ${person.profile.atsign})`)
  })
  const needed = (check: (person: Person) => Promise<Found>) => async () => (person ? check(person) : skipped('there is no profile'))
  await run('signing key', needed(keyCheck))
  await run('name', needed(nameCheck))
  await run('tls', needed(tlsCheck))
  const isUp = await run('control plane', needed(controlCheck))
  await run('clock', needed(isUp ? clockCheck : unreachable))
  await run('sign-in', needed(signInCheck))
  await run('authority log', needed(isUp ? logCheck : unreachable))
  await run('console', needed(consoleCheck))
  for (const gateway of await localEdges('gateway', settings.environment))
    await run(`gateway ${gateway}`, () => gatewayCheck(gateway, settings))
  for (const agent of await localEdges('agent', settings.environment)) await run(`agent ${agent}`, () => agentCheck(agent, settings))
  await run('ssh-keygen', sshCheck)
  return checks
}

function asFailure(error: unknown): Found {
  const { message, why, fix } = problemOf(error)
  return failed(why ? `${message}: ${why}` : message, fix ?? 'postern doctor --debug')
}

const unreachable = async (): Promise<Found> => skipped('the control plane cannot be reached')

const MIN_NODE = 24
async function nodeCheck(): Promise<Found> {
  const { node } = process.versions
  return Number(node.split('.')[0]) >= MIN_NODE
    ? ok(node)
    : failed(`${node}, needs ${MIN_NODE}`, 'start postern with the Node of this clone: npx postern')
}

async function keyCheck({ key }: Person): Promise<Found> {
  const { public: pub, where } = await key()
  return ok(`${where} (${pub.alg})`)
}

async function controlCheck({ profile }: Person): Promise<Found> {
  const began = performance.now()
  const health = await createControlClient(profile.control, undefined, surroundings).call<{
    status: string
    version: string
    message?: string
  }>('/api/health')
  const detail = `${profile.control} · ${health.version} · ${Math.round(performance.now() - began)} ms`
  return health.status === 'ok'
    ? ok(detail)
    : warning(`${detail} · ${health.status}: ${health.message ?? ''}`, 'look at the log of the control plane')
}

const MAX_SKEW_SECONDS = 5
async function clockCheck({ profile }: Person): Promise<Found> {
  const answer = await fetch(`${profile.control}/api/health`, { signal: AbortSignal.timeout(10_000) })
  const theirs = Date.parse(answer.headers.get('date') ?? '')
  if (Number.isNaN(theirs)) return skipped('the control plane does not say what time it is')
  const skew = Math.round((Date.now() - theirs) / 1000)
  const text = `${Math.abs(skew)} s ${skew < 0 ? 'behind' : 'ahead of'} the control plane`
  return Math.abs(skew) <= MAX_SKEW_SECONDS
    ? ok(text)
    : warning(`${text}: grants may be refused`, 'set the clock, e.g. sudo chronyc makestep')
}

async function signInCheck({ dir, profile }: Person): Promise<Found> {
  const session = await readSession(dir)
  if (!session) return warning(`${profile.atsign} is not signed in`, 'postern login')
  return ok(`${profile.atsign} until ${new Date(session.expires * 1000).toISOString()}`)
}

async function logCheck({ dir, profile }: Person): Promise<Found> {
  const session = await readSession(dir)
  if (!session) return skipped('needs a session')
  const { state, warnings } = await syncAuthority(dir, profile.org, createControlClient(profile.control, session, surroundings))
  const words = organisationWords(profile.org).join(' ')
  const detail = `${state.seq + 1} statements, verified from the pinned organisation (${words})`
  return warnings.length > 0
    ? warning(`${detail}; ${warnings.join('; ')}`, 'ask another administrator for the head of the log')
    : ok(detail)
}

async function gatewayCheck(atsign: string, { environment }: Settings): Promise<Found> {
  const health = await readHealth(healthName(atsign), places(environment))
  if (!health) return warning('is not running', `postern gateway run ${atsign}`)
  if (health.status === 'ok') return ok(`running, log at ${String(health.seq)}`)
  return warning(`running, ${health.status}: ${String(health.why ?? health.code)}`, 'postern gateway show says what it has applied')
}

async function agentCheck(atsign: string, { environment }: Settings): Promise<Found> {
  const dir = await openStateDir('agent', atsign, places(environment).state)
  const keys = await dir.readPrivate('keys.json')
  return keys ? ok('keys are there and private') : failed('has no keys', `postern agent enroll '<join string>' --name ${atsign}`)
}

/** Needed only by people who sign with OpenSSH keys. */
const sshCheck = (): Promise<Found> =>
  new Promise((resolve) => {
    const child = execFile('ssh-keygen', ['-?'], { timeout: 5000 }, (error) => {
      const isMissing = (error as NodeJS.ErrnoException | null)?.code === 'ENOENT'
      resolve(isMissing ? skipped('not installed; only needed to sign with OpenSSH keys') : ok('found'))
    })
    child.stdin?.end()
  })
