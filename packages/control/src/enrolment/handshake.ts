import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { StoredClients } from '../fleet/report.ts'
import { secondsOf } from '../time.ts'

/**
 * What shows that an agent's MCP client has really come: what it called itself and how many tools it was listed (the agent's word), and the
 * newest call, from a gateway's receipt.
 */
export async function readHandshake(context: Context, agent: string) {
  const { org } = actorOf(context)
  const { prisma } = context.control.db
  const [presence, receipt] = await Promise.all([
    prisma.presence.findFirst({ where: { org, atsign: agent }, select: { clients: true } }),
    prisma.receipt.findFirst({ where: { org, agent }, orderBy: { id: 'desc' }, select: { server: true, tool: true, startedAt: true } }),
  ])
  const clients = Object.entries((presence?.clients ?? {}) as StoredClients).map(([server, client]) => ({ server, ...client }))
  const newest = clients.sort((a, b) => b.at - a.at)[0]
  return {
    ...(newest ? { client: newest } : {}),
    ...(receipt ? { call: { server: receipt.server, tool: receipt.tool, at: secondsOf(receipt.startedAt) } } : {}),
  }
}
