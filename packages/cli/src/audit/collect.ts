import type { ControlClient, Signed } from '@postern/core'
import { parseStatement } from '@postern/core'
import { syncAuthority } from '../authority/authority.ts'
import { CliError } from '../errors.ts'
import type { SignedIn } from '../profile/person.ts'
import { now } from '../surroundings.ts'
import type { Evidence } from './evidence.ts'

const MAX_POLICY_BYTES = 262_144
/** As much as one request may cover. */
const WINDOW_SECONDS = 30 * 86_400
/** Clocks of gateways may be ahead of ours, and were behind genesis. */
const TOLERANCE_SECONDS = 600

/** Everything that the control plane has, for the verifier. Acks and receipts first: a log that is older than they are would look cut short. */
export async function collectEvidence(person: SignedIn, since?: number): Promise<Evidence & { readonly warnings: readonly string[] }> {
  const { dir, profile, client } = person
  const known = await syncAuthority(dir, profile.org, client)
  const acks = await client.call<{ acks: readonly { jws: string }[] }>('/api/v1/acks?limit=1000')
  const to = now() + TOLERANCE_SECONDS
  const receipts = await fetchReceipts(client, since ?? parseStatement(known.entries[0]!.bytes).at - TOLERANCE_SECONDS, to)
  const { entries: log, revocations, state, warnings } = await syncAuthority(dir, profile.org, client)
  return {
    ...{ log, receipts, warnings, from: since ?? null, to: now() },
    revocations: [...revocations.held.values()].map(({ signed }) => signed),
    policies: await fetchPolicies(client, log),
    acks: acks.acks.map(({ jws }) => jws),
    isComplete: state.identities.get(profile.atsign as never)?.admin === true,
  }
}

interface Page {
  readonly receipts: readonly { readonly jws: string }[]
  readonly next: number | null
}

/** Oldest range first: what comes in meanwhile is newer. */
async function fetchReceipts(client: ControlClient, from: number, to: number): Promise<readonly string[]> {
  const receipts: string[] = []
  for (let start = Math.max(0, from); start < to; start += WINDOW_SECONDS) {
    const range = `from=${start}&to=${Math.min(start + WINDOW_SECONDS, to)}&limit=500`
    for (let cursor: number | null | undefined; cursor !== null; ) {
      const page: Page = await client.call<Page>(`/api/v1/receipts?${range}${cursor === undefined ? '' : `&cursor=${cursor}`}`)
      receipts.push(...page.receipts.map(({ jws }) => jws))
      if (page.next !== null && page.next === cursor)
        throw new CliError('BAD_ANSWER', 'the control plane serves one page again and again', { exit: 'failed' })
      cursor = page.next
    }
  }
  return receipts
}

/** One that is not there is left out: the verifier names it. */
async function fetchPolicies(client: ControlClient, log: readonly Signed[]): Promise<Evidence['policies']> {
  const named = new Set(
    log.map(({ bytes }) => parseStatement(bytes)).flatMap((statement) => (statement.op === 'policy.set' ? [statement.body.sha256] : [])),
  )
  const documents = await Promise.all(
    [...named].map(async (sha256) => ({ sha256, bytes: await client.bytes(`/api/v1/policies/${sha256}`, MAX_POLICY_BYTES) })),
  )
  return documents.flatMap(({ sha256, bytes }) => (bytes ? [{ sha256, bytes }] : []))
}
