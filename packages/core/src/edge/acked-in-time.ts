import { verifyAck } from '../call/ack.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import type { Signed } from '../key/signature.ts'
import type { Clock } from '../statement/admit.ts'
import { isRevoked } from '../statement/is-revoked.ts'
import type { State } from '../statement/state.ts'
import { liveKey } from '../statement/state.ts'
import { linkHash } from '../statement/statement.ts'
import type { ControlClient } from './control-client.ts'
import type { AuthorityMirror } from './mirror.ts'
import type { EdgeSurroundings } from './surroundings.ts'
import { nowSeconds } from './surroundings.ts'

/** Gateways asked about, and acks read of each: what a control plane can make an edge read is bounded. */
const MAX_GATEWAYS = 64
const MAX_PAGES = 8
const PAGE = 1000

interface AcksAnswer {
  readonly acks: readonly { readonly id: number; readonly jws: string }[]
}
interface InTime {
  readonly seq: number
  readonly head: string
  readonly at: number
}

/**
 * Looks for gateways that took a statement up before its `nva`: their clock stands in for this edge's, which was off or cut off then.
 * Asked only when statements wait. An ack counts when the receipt key of another gateway that this edge's own state knows, live and not
 * revoked, signed it; for statements below the acknowledged one when these entries lead to exactly its head.
 * Does NOT prove more than that such a gateway says so: a stolen receipt key can let a statement that was kept back through.
 * @param entries Statements `state.seq` + 1, + 2, … as they arrived.
 * @see packages/core/spec/statement.md §7
 */
export async function readAckedInTime(
  {
    mirror,
    client,
    self,
    clock,
    suite,
  }: { mirror: AuthorityMirror; client: ControlClient; self: AtSign } & Pick<EdgeSurroundings, 'clock' | 'suite'>,
  entries: readonly Signed[],
): Promise<NonNullable<Clock['ackedInTime']>> {
  const { state, revocations } = mirror.snapshot
  if (!state) return () => false
  const now = nowSeconds(clock)
  const links = new Map(entries.map(({ bytes }, i) => [state.seq + 1 + i, linkHash(bytes)]))
  const found: InTime[] = []
  for (const gateway of otherGateways(state, self).slice(0, MAX_GATEWAYS)) {
    if (isRevoked(revocations, state, { atsign: gateway }, now)) continue
    for (const jws of await acksOf(client, gateway)) {
      const ack = readAck(jws, gateway, state, { org: mirror.org, now, suite })
      if (ack && links.get(ack.seq) === ack.head) found.push(ack)
    }
  }
  return (seq, head, nva) => links.get(seq) === head && found.some((ack) => ack.seq >= seq && ack.at <= nva)
}

const otherGateways = (state: State, self: AtSign): readonly AtSign[] =>
  [...state.identities.values()].flatMap(({ kind, atsign }) => (kind === 'gateway' && atsign !== self ? [atsign] : []))

async function acksOf(client: ControlClient, gateway: AtSign): Promise<readonly string[]> {
  const found: string[] = []
  let after = 0
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const path = `/api/v1/acks?gateway=${encodeURIComponent(gateway)}&after=${after}&limit=${PAGE}`
    const acks = await pageOf(client, path)
    found.push(...acks.map(({ jws }) => jws))
    const last = acks.at(-1)
    if (acks.length < PAGE || !last || last.id <= after) break
    after = last.id
  }
  return found
}

/** A control plane that refuses to show acks keeps statements waiting, no more: no reason to fail the whole pull. */
async function pageOf(client: ControlClient, path: string): Promise<AcksAnswer['acks']> {
  try {
    return (await client.call<AcksAnswer>(path)).acks
  } catch (error) {
    if (typeof (error as { status?: unknown }).status === 'number') return []
    throw error
  }
}

function readAck(jws: string, gateway: AtSign, state: State, context: Parameters<typeof verifyAck>[2]): InTime | undefined {
  try {
    return verifyAck(jws, (iss, kid, use) => (iss === gateway ? liveKey(state, iss, kid, use) : undefined), context)
  } catch (error) {
    if (error instanceof VerifyError) return undefined
    throw error
  }
}
