import type { ControlClient, IdentityKind } from '@postern/core'
import type { Cell } from '../output/cell.ts'
import { state, when } from '../output/cell.ts'
import type { Report } from '../output/report.ts'

/** An enrolled identity as the control plane shows it. For people to look at; what is signed on is read from the log. */
export interface Member {
  readonly atsign: string
  readonly kind: IdentityKind
  readonly state: 'live' | 'expired' | 'revoked' | 'suspended' | 'ownerless'
  readonly admin: boolean
  readonly tags: readonly string[]
  readonly owner?: string
  readonly exp?: number
  readonly enrolment: string
  readonly enrolled_seq: number
  readonly keys: readonly { readonly kid: string; readonly use: string; readonly alg: string }[]
  readonly servers: readonly string[]
  readonly presence?: { readonly online: boolean; readonly version: string; readonly host?: string; readonly seen: number }
  readonly ack?: { readonly seq: number; readonly head: string; readonly revocations: number; readonly at: number }
}

interface Page {
  readonly members: readonly Member[]
  readonly head: { readonly seq: number } | null
  readonly next: string | null
}

/** Everybody of a kind. */
export async function listMembers(client: ControlClient, kind: IdentityKind): Promise<{ members: readonly Member[]; seq: number }> {
  const members: Member[] = []
  let seq = 0
  for (let after = ''; ; ) {
    const page: Page = await client.call<Page>(`/api/v1/fleet?kind=${kind}&limit=500${after && `&after=${encodeURIComponent(after)}`}`)
    members.push(...page.members)
    seq = page.head?.seq ?? 0
    if (!page.next) return { members, seq }
    after = page.next
  }
}

/** Its standing, or, while that is good, whether it is there. */
function stateOf({ state: standing, presence, kind }: Member): Cell {
  if (standing !== 'live' || kind === 'person') return state(standing)
  return state(presence?.online ? 'online' : 'offline')
}

/** `gateway list` and `agent list`. */
export function memberTable(schema: string, members: readonly Member[], head: number): Report {
  const isGateway = schema === 'gateway.list'
  return {
    schema,
    data: members,
    ids: members.map(({ atsign }) => atsign),
    table: {
      columns: ['name', 'state', 'host', 'version', 'last seen', 'lease ends', ...(isGateway ? ['log', 'servers'] : ['owner']), 'tags'],
      rows: members.map((member) => {
        const { atsign, presence, exp, ack, servers, owner, tags } = member
        const log = ack ? `${ack.seq}${ack.seq < head ? ` of ${head}` : ''}` : undefined
        const own = isGateway ? [log, servers] : [owner]
        return [atsign, stateOf(member), presence?.host, presence?.version, when(presence?.seen), when(exp), ...own, tags]
      }),
      empty: `no ${schema.split('.')[0]} is enrolled`,
    },
  }
}

/** `gateway show` and `agent show`. */
export const memberFacts = (member: Member): Report['facts'] => [
  ['name', member.atsign],
  ['state', stateOf(member)],
  ['tags', member.tags],
  ['owner', member.owner],
  ['enrolled', `statement ${member.enrolled_seq}`],
  ['enrolment', member.enrolment],
  ['lease ends', when(member.exp)],
  ['host', member.presence?.host],
  ['version', member.presence?.version],
  ['last seen', when(member.presence?.seen)],
  ['applied log', member.ack && `statement ${member.ack.seq}, ${member.ack.revocations} revocations`],
  ['servers', member.servers],
  ...member.keys.map(({ use, alg, kid }) => [`key ${use}`, `${kid} (${alg})`] as const),
]
