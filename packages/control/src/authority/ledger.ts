import type { RevocationSet, Signature, Signed, State, Suite } from '@postern/core'
import { addRevocation, applyStatement, emptyRevocations, startState, VerifyError } from '@postern/core'
import type { Bus } from '../bus.ts'
import { createSingleFlight } from '../bus.ts'
import type { Database } from '../db/open.ts'

export interface Head {
  readonly seq: number
  readonly hash: string
}
/** What is stored does not verify from here on. Somebody changed the database; edges refuse it as we do. */
export interface Broken {
  readonly seq: number
  readonly code: string
  readonly message: string
}

/**
 * The authority log and the revocations as this process has verified them, in memory: who is who, without a query per request.
 * The database is only where the bytes come from; each statement is replayed by core before it counts here too.
 */
export interface Ledger extends AsyncDisposable {
  readonly org: string | undefined
  readonly state: State | undefined
  readonly revocations: RevocationSet
  readonly broken: Broken | undefined
  head(): Head | null
  revocationCount(): number
  /** Reads what was stored before this call. */
  refresh(): Promise<void>
  onChange(listener: () => void): () => void
}

interface StatementRow {
  seq: number
  bytes: Uint8Array
  signatures: Signature[]
}
interface RevocationRow {
  bytes: Uint8Array
  signatures: unknown
}
const BATCH = 1000

export async function openLedger(db: Database, bus: Bus, suite: Suite, onError: (error: unknown) => void): Promise<Ledger> {
  const listeners = new Set<() => void>()
  let org: string | undefined
  let state: State | undefined
  let broken: Broken | undefined
  let revocations = emptyRevocations()
  let lastRevocation = 0n
  /** Not verifiable when they were read; a later statement may name them. */
  let doubtful: RevocationRow[] = []

  const apply = ({ seq, bytes, signatures }: StatementRow) => {
    const signed: Signed = { bytes: new Uint8Array(bytes), signatures }
    try {
      const next = state ? applyStatement(state, signed, suite) : startState(signed, org!, suite)
      if (next.halted) throw new VerifyError('UNKNOWN_OP', next.halted.reason)
      state = next
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      broken = { seq, code: error.code, message: error.message }
    }
  }
  const readStatements = async () => {
    org ??= (await db.prisma.organisation.findFirst())?.id
    broken = undefined // perhaps somebody has repaired it
    for (;;) {
      if (broken || !org) return
      const { rows } = await db.pool.query<StatementRow>(
        'SELECT seq, bytes, signatures FROM statements WHERE org = $1 AND seq > $2 ORDER BY seq LIMIT $3',
        [org, state?.seq ?? -1, BATCH],
      )
      for (const row of rows) if (!broken) apply(row)
      if (rows.length < BATCH) return
    }
  }
  const readRevocations = async () => {
    for (let rows = BATCH; state && rows === BATCH; ) {
      const where = { org: state.org, id: { gt: lastRevocation } }
      const found = await db.prisma.revocation.findMany({ where, orderBy: { id: 'asc' }, take: BATCH })
      rows = found.length
      lastRevocation = found.at(-1)?.id ?? lastRevocation
      const all = [...doubtful, ...found]
      doubtful = []
      for (const row of all) addOne(row, state)
    }
  }
  /** What does not verify was put into the database by somebody, or is ahead of its statement: nobody has to obey it (yet). */
  const addOne = (row: RevocationRow, current: State) => {
    const signed = { bytes: new Uint8Array(row.bytes), signatures: row.signatures as Signature[] }
    try {
      revocations = addRevocation(revocations, signed, current, suite)
    } catch (error) {
      if (!(error instanceof VerifyError)) throw error
      doubtful.push(row)
    }
  }
  const read = async () => {
    const before = { state, revocations, broken }
    await readStatements()
    await readRevocations()
    if (before.state !== state || before.revocations !== revocations || before.broken !== broken)
      for (const listener of listeners) listener()
  }
  let reading: Promise<void> = Promise.resolve()
  const refresh = () => {
    reading = reading.catch(() => {}).then(read)
    return reading
  }
  await refresh()
  const follow = createSingleFlight(refresh, onError)
  const stop = bus.subscribe(({ kind }) => {
    if (kind === 'log' || kind === 'revocation') follow()
  })
  return {
    get org() {
      return state?.org
    },
    get state() {
      return state
    },
    get revocations() {
      return revocations
    },
    get broken() {
      return broken
    },
    head: () => (state ? { seq: state.seq, hash: state.head } : null),
    revocationCount: () => revocations.held.size,
    refresh,
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    [Symbol.asyncDispose]: async () => {
      stop()
      await reading.catch(() => {})
    },
  }
}
