import type { AtSign, ControlClient, KeyResolver, RevocationSet, State } from '@postern/core'
import { revocationsDigest, standingOf, VerifyError, verifyAck } from '@postern/core'
import { openEventSource } from '@postern/daemon'
import { now, surroundings } from '../surroundings.ts'

/** Gateways that must have applied something for it to be in force everywhere. */
export const gatewaysThatServe = (state: State, revocations: RevocationSet): readonly AtSign[] =>
  [...state.identities.values()]
    .filter(({ kind, atsign }) => kind === 'gateway' && standingOf(state, revocations, atsign, now()).ok)
    .map(({ atsign }) => atsign)
    .sort()

/** Hears of acknowledgements as they come. What is heard is only a reason to look. */
export interface AckWatch extends AsyncDisposable {
  /** Resolves at the next sign of news, or after `ms`. */
  next(ms: number): Promise<void>
}

export function openAckWatch(client: ControlClient): AckWatch {
  let wake = () => {}
  const stream = openEventSource(client.url('/api/v1/stream'), {
    headers: (request) => client.sign(request),
    onEvent: ({ event }) => {
      if (event === 'ack') wake()
    },
  })
  return {
    next: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, ms)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      }),
    [Symbol.asyncDispose]: () => stream.close(),
  }
}

interface AckJson {
  readonly gateway: string
  readonly jws: string
}

/**
 * Which gateways say, under their own receipt keys, that they hold exactly this set of revocations (or, for the log, this statement).
 * Verified here: what the control plane shows counts for nothing.
 */
export async function gatewaysWith(client: ControlClient, state: State, revocations: RevocationSet): Promise<ReadonlySet<AtSign>> {
  const { digest } = revocationsDigest(revocations.held.keys(), surroundings.suite)
  const { acks } = await client.call<{ acks: readonly AckJson[] }>('/api/v1/acks?limit=1000')
  return new Set(acks.flatMap(({ jws }) => holderOf(jws, state, digest)))
}

const resolverOf =
  (state: State): KeyResolver =>
  (iss, kid, use) => {
    const known = state.keys.get(kid)
    return known?.live && known.atsign === iss && known.use === use ? known.key : undefined
  }

function holderOf(jws: string, state: State, digest: string): readonly AtSign[] {
  try {
    const ack = verifyAck(jws, resolverOf(state), { org: state.org, now: now(), suite: surroundings.suite })
    return ack.revocations.digest === digest ? [ack.iss] : []
  } catch (error) {
    if (error instanceof VerifyError) return []
    throw error
  }
}
