import type { Control } from '../context.ts'
import { signerOriginOf } from '../requests/signer-url.ts'
import { secondsOf } from '../time.ts'

export interface Health {
  readonly status: 'ok' | 'degraded' | 'unavailable'
  readonly version: string
  readonly database: 'pglite' | 'postgres' | 'down'
  readonly uptime_seconds: number
  /** Absent: nobody has founded one here. Times are Unix seconds. */
  readonly organisation?: { readonly name: string; readonly founded_at: number }
  /** Why it is not ok. */
  readonly code?: string
  readonly message?: string
}
/** One version for all packages; a test compares it with package.json. */
export const VERSION = '0.1.0'
const PING_MS = 2000

/**
 * `degraded`: it serves, but what is stored does not verify from some statement on, so nothing can be appended.
 * @throws what the database says when it does not answer within two seconds
 */
export async function readHealth({ db, ledger, startedAt, now }: Control): Promise<Health> {
  await db.ping(PING_MS)
  const founded = ledger.org ? await db.prisma.organisation.findUnique({ where: { id: ledger.org } }) : null
  const organisation = founded ? { organisation: { name: founded.name, founded_at: secondsOf(founded.foundedAt) } } : {}
  const base = { version: VERSION, database: db.kind, uptime_seconds: Math.max(0, now() - startedAt), ...organisation }
  if (!ledger.broken) return { status: 'ok', ...base }
  const { seq, code } = ledger.broken
  return { status: 'degraded', ...base, code: 'LOG_INVALID', message: `statement ${seq} as stored does not verify: ${code}` }
}

export interface Overview {
  /** Absent: nobody has founded an organisation here. */
  readonly organisation?: { readonly name: string; readonly org: string }
  /** Where people of this organisation sign with passkeys: a hint, since a passkey works nowhere else. */
  readonly signer: string
  /** An invented organisation to look at. */
  readonly demo?: true
  readonly head: { readonly seq: number; readonly hash: string } | null
  readonly gateways: { readonly enrolled: number; readonly online: number }
  readonly agents: { readonly enrolled: number; readonly online: number }
  readonly people: number
  readonly policy?: { readonly name: string; readonly sha256: string }
}

/** Counts and names for the status page: nothing that is not in the log's own metadata. */
export function readOverview(control: Control): Overview {
  const { ledger, streams } = control
  const { state } = ledger
  const identities = [...(state?.identities.values() ?? [])]
  const attached = new Set(state ? streams.attached(state.org) : [])
  const count = (kind: string) => {
    const all = identities.filter((identity) => identity.kind === kind)
    return { enrolled: all.length, online: all.filter(({ atsign }) => attached.has(atsign)).length }
  }
  return {
    ...(state ? { organisation: { name: state.name, org: state.org } } : {}),
    signer: signerOriginOf(control),
    ...(control.config.demo ? { demo: true as const } : {}),
    head: ledger.head(),
    ...{ gateways: count('gateway'), agents: count('agent'), people: count('person').enrolled },
    ...(state?.policy ? { policy: { name: state.policy.name, sha256: state.policy.sha256 } } : {}),
  }
}
