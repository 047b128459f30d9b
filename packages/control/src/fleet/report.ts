import { isJsonObject, toolDigest } from '@postern/core'
import type { z } from 'zod'
import type { Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Prisma } from '../db/generated/client.ts'
import type { Transaction } from '../db/open.ts'
import { ControlError } from '../errors.ts'
import { storeGrants } from '../grants/reported.ts'
import { dateOf } from '../time.ts'
import type { reportInput } from './schema.ts'

type Report = z.output<typeof reportInput>

/** What an edge says about itself, its servers' tools and the grants that are out; answered with where relays are. None of it is authority. */
export async function reportPresence(context: Context, { version, host, servers, grants, client, now: theirNow }: Report) {
  const { org, atsign, role } = actorOf(context)
  const { control } = context
  const now = control.now()
  if ((servers || grants) && role !== 'gateway') throw new ControlError('NOT_PERMITTED', 'only gateways have servers and give grants')
  if (client && role !== 'agent') throw new ControlError('NOT_PERMITTED', 'only agents have clients')
  const clockSkew = theirNow === undefined ? null : theirNow - now
  const seen = { version, host: host ?? null, clockSkew, seenAt: dateOf(now) }
  await control.db.prisma.$transaction(async (tx) => {
    const clients = client && (await withClient(tx, { org, atsign }, client, now))
    const row = { ...seen, ...(clients ? { clients } : {}) }
    await tx.presence.upsert({ where: { org_atsign: { org, atsign } }, create: { org, atsign, ...row }, update: row })
    if (client) await control.bus.publish(tx, { org, kind: 'presence', data: { atsign, online: true } }, now)
    if (servers) await storeTools(tx, control, { org, gateway: atsign }, servers)
    const isNews = grants !== undefined && (await storeGrants(tx, { org, gateway: atsign }, grants, now))
    if (isNews) await control.bus.publish(tx, { org, kind: 'grant', data: { gateway: atsign } }, now)
    if (servers) await control.bus.publish(tx, { org, kind: 'tools', data: { gateway: atsign } }, now)
  })
  return { relays: [...control.config.relayUrls], head: control.ledger.head() }
}

type StoredClient = Omit<NonNullable<Report['client']>, 'server'> & { readonly at: number }
export type StoredClients = Readonly<Record<string, StoredClient>>
/** One connector speaks for one server; more servers than an agent has are not kept. */
const MAX_CLIENTS = 64

async function withClient(
  tx: Transaction,
  where: { org: string; atsign: string },
  { server, ...client }: NonNullable<Report['client']>,
  at: number,
): Promise<Prisma.InputJsonObject> {
  const row = await tx.presence.findUnique({ where: { org_atsign: where }, select: { clients: true } })
  const others = Object.entries((row?.clients ?? {}) as StoredClients).filter(([name]) => name !== server)
  return Object.fromEntries([...others.slice(1 - MAX_CLIENTS), [server, { ...client, at }]]) as Prisma.InputJsonObject
}

/** Definitions that are neither reported nor pinned any more go: what a gateway can make us keep is what it reports. */
async function storeTools(
  tx: Transaction,
  { ledger, suite }: Control,
  of: { org: string; gateway: string },
  servers: NonNullable<Report['servers']>,
) {
  const reportedAt = new Date()
  await tx.toolReport.deleteMany({ where: of })
  await tx.toolReport.createMany({
    data: servers.map(({ name, tools }) => ({ ...of, server: name, tools: tools as Prisma.InputJsonValue, reportedAt })),
  })
  const definitions = servers.flatMap(({ name, tools }) =>
    tools.map((tool) => ({ ...of, server: name, digest: digestOf(tool, suite), definition: tool as Prisma.InputJsonValue })),
  )
  const pinned = [...(ledger.state?.servers.values() ?? [])]
    .filter(({ gateway }) => gateway === of.gateway)
    .flatMap(({ tools }) => [...tools.values()].map(({ digest }) => digest))
  await tx.toolDefinition.deleteMany({ where: { ...of, digest: { notIn: [...pinned, ...definitions.map(({ digest }) => digest)] } } })
  await tx.toolDefinition.createMany({ data: definitions, skipDuplicates: true })
}

const digestOf = (tool: unknown, suite: Control['suite']): string => (isJsonObject(tool as never) ? toolDigest(tool as never, suite) : '')
