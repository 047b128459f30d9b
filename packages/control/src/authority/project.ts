import type { Identity, KnownKey, ServerPin, State, Statement } from '@postern/core'
import { keyIdOf } from '@postern/core'
import type { Transaction } from '../db/open.ts'
import { dateOf } from '../time.ts'

/** Which rows of the derived tables a statement may change. */
interface Touched {
  readonly names: readonly string[] | 'all'
  readonly servers: readonly string[]
}
const NOTHING: Touched = { names: [], servers: [] }

/** A new kind of statement does not compile until it says here what it changes. */
export function touchedBy(statement: Statement, after: State): Touched {
  switch (statement.op) {
    case 'genesis':
    case 'recovery.use':
      return { names: 'all', servers: [] }
    case 'admin.add':
    case 'person.enroll':
    case 'gateway.enroll':
    case 'agent.enroll':
    case 'identity.rotate':
      return { names: [...after.identities.values()].filter((i) => i.enrolledSeq === statement.seq).map((i) => i.atsign), servers: [] }
    case 'admin.remove':
      return { names: [statement.body.atsign], servers: [] }
    case 'server.pin':
      return { names: [], servers: [statement.body.server] }
    case 'threshold.set':
    case 'signer.set':
    case 'recovery.set':
    case 'invite':
    case 'release':
    case 'policy.set':
      return NOTHING
    default:
      return statement satisfies never
  }
}

/** Brings the derived tables from the state before `statement` to the state after it. */
export async function project(tx: Transaction, statement: Statement, after: State): Promise<void> {
  const { names, servers } = touchedBy(statement, after)
  if (names === 'all') await rebuildNames(tx, after)
  else for (const name of names) await projectName(tx, after, name)
  for (const name of servers) await projectServer(tx, after, name)
}

/** "Drop it, replay the log, authority is whole": writes the derived tables anew from a replayed state. */
export async function rebuild(tx: Transaction, state: State): Promise<void> {
  await rebuildNames(tx, state)
  await tx.server.deleteMany({ where: { org: state.org } })
  await tx.server.createMany({ data: [...state.servers.values()].map((pin) => serverRow(state.org, pin)) })
}

async function rebuildNames(tx: Transaction, state: State) {
  const { org } = state
  await tx.identity.deleteMany({ where: { org } })
  await tx.identity.createMany({ data: [...state.identities.values()].map((identity) => identityRow(org, identity)) })
  await tx.identityKey.deleteMany({ where: { org } })
  await tx.identityKey.createMany({ data: [...state.keys].map(([kid, key]) => keyRow(org, kid, key)) })
}

async function projectName(tx: Transaction, state: State, atsign: string) {
  const { org } = state
  const identity = state.identities.get(atsign as Identity['atsign'])
  await tx.identity.deleteMany({ where: { org, atsign } })
  await tx.identityKey.updateMany({ where: { org, atsign, live: true }, data: { live: false } })
  if (!identity) return
  await tx.identity.create({ data: identityRow(org, identity) })
  const kids = identity.keys.map(keyIdOf)
  await tx.identityKey.deleteMany({ where: { org, kid: { in: kids } } })
  await tx.identityKey.createMany({ data: kids.map((kid) => keyRow(org, kid, state.keys.get(kid)!)) })
}

async function projectServer(tx: Transaction, { org, servers }: State, name: string) {
  const pin = servers.get(name)
  await tx.server.deleteMany({ where: { org, name } })
  if (pin) await tx.server.create({ data: serverRow(org, pin) })
}

const identityRow = (org: string, { atsign, kind, enrolment, enrolledSeq, admin, tags, owner, exp }: Identity) => ({
  ...{ org, atsign, kind, enrolment, enrolledSeq, admin, tags: [...tags], owner: owner ?? null },
  expiresAt: exp === undefined ? null : dateOf(exp),
})

const keyRow = (org: string, kid: string, { atsign, use, key, live }: KnownKey) => ({
  ...{ org, kid, atsign, use, live },
  alg: key.alg,
  publicKey: key.key,
})

const serverRow = (org: string, { gateway, server, tools }: ServerPin) => ({
  ...{ org, gateway, name: server },
  tools: [...tools].map(([name, { digest, risk }]) => ({ name, digest, risk })).sort((a, b) => (a.name < b.name ? -1 : 1)),
})
