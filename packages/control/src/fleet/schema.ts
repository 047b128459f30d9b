import { RISK_CLASSES } from '@postern/core'
import { z } from 'zod'
import { atsign, digest, head, opaqueId, queryInteger, serverName, tag, unixSeconds } from '../fields.ts'
import { selection } from './search.ts'

/** A tool as its server defines it: any JSON object with a name. Kept as it came, because pins are over the whole definition. */
const definition = z.record(z.string(), z.json()).refine(({ name }) => typeof name === 'string' && name.length <= 128, 'a tool has a name')
const text = z.string().max(128)
/** What a program calls itself: no authority, and whoever shows it escapes it. */
const clientText = z.string().max(64)

/** A grant that is out: what its receipts would show, and when it ends. Conditions and arguments have no place here. */
export const reportedGrant = z.strictObject({
  gth: digest.meta({ description: 'token hash of the grant, as in receipts' }),
  agent: atsign,
  tools: z
    .array(z.strictObject({ server: serverName, tool: z.string().min(1).max(128), rule: z.string().min(1).max(64).optional() }))
    .min(1)
    .max(64),
  ...{ iat: unixSeconds, exp: unixSeconds, max: z.int().min(1).optional(), used: z.int().min(0) },
})
export const reportInput = z.strictObject({
  version: text,
  host: text.optional(),
  client: z
    .strictObject({ server: serverName, name: clientText.min(1), version: clientText, tools: z.int().min(0).max(100_000).optional() })
    .optional()
    .meta({ description: 'agents: the MCP client in front of one server, by its own word, and how many tools it was listed' }),
  now: unixSeconds.optional().meta({ description: 'the clock of the edge, to be compared with ours' }),
  grants: z
    .array(reportedGrant)
    .max(512)
    .optional()
    .meta({ description: 'gateways: the newest grants that can still be used; what is no longer among them has ended' }),
  servers: z
    .array(z.strictObject({ name: serverName, tools: z.array(definition).max(1024) }))
    .max(64)
    .optional(),
})
export const reportAnswer = z.strictObject({ relays: z.array(z.string()), head: head.nullable() })

const kind = z.enum(['person', 'gateway', 'agent'])
export const listQuery = z.strictObject({ kind: kind.optional(), after: atsign.optional(), limit: queryInteger(1, 500).optional() })
const seenClient = z.strictObject({
  ...{ server: serverName, name: z.string(), version: z.string(), tools: z.int().optional() },
  at: unixSeconds.meta({ description: 'when it was last reported' }),
})
const state = z.enum(['live', 'expired', 'revoked', 'suspended', 'ownerless'])
const member = z.strictObject({
  ...{ atsign, kind, state, admin: z.boolean(), tags: z.array(tag), owner: atsign.optional(), exp: unixSeconds.optional() },
  ...{ enrolment: digest, enrolled_seq: z.int(), keys: z.array(z.strictObject({ kid: digest, use: z.string(), alg: z.string() })) },
  servers: z.array(z.string()).meta({ description: 'gateways: servers pinned to it in the log' }),
  presence: z
    .strictObject({
      ...{ online: z.boolean(), version: z.string(), host: z.string().optional(), seen: unixSeconds },
      clients: z.array(seenClient).optional().meta({ description: 'MCP clients in front of the servers of an agent, by their own word' }),
    })
    .optional(),
  ack: z.strictObject({ seq: z.int(), head: digest, revocations: z.int(), at: unixSeconds }).optional(),
})
export const listAnswer = z.strictObject({ members: z.array(member), head: head.nullable(), next: atsign.nullable() })
export const nameParams = z.strictObject({ atsign })
export const toolsAnswer = z.strictObject({
  servers: z.array(z.strictObject({ name: serverName, tools: z.array(definition), reported: unixSeconds })),
})

export const admittedInput = z.strictObject({ org: digest, ids: z.array(digest).max(1000) })
export const admittedAnswer = z.strictObject({ admitted: z.array(digest), ttl_seconds: z.int() })

const labels = z.array(tag).max(8)
export const labelInput = z.strictObject({ selection, add: labels, remove: labels })
export const changeAnswer = z.strictObject({ change: opaqueId, changed: z.int() })
export const undoInput = z.strictObject({ change: opaqueId })
export const labelList = z.strictObject({ labels: z.array(z.strictObject({ label: tag, count: z.int() })) })

/** Shown to people for ever, in the log of everybody: short, and said. */
export const reason = z.string().min(1).max(280)
export const stopInput = z.strictObject({ selection, reason, hours: z.int().min(1).max(72).optional() })
const target = z.strictObject({ kind: z.enum(['enrolment', 'key']), id: digest })
export const releaseInput = z.strictObject({ target, back: z.string().regex(/^\/fleet(\/@[a-z0-9][a-z0-9_-]{0,54})?$/) })
const toolName = z.string().min(1).max(128)
export const pinInput = z.strictObject({
  ...{ gateway: atsign, server: serverName },
  set: z.array(z.strictObject({ name: toolName, digest, risk: z.enum(RISK_CLASSES) })).max(256),
  unset: z.array(toolName).max(256),
})
