import type { Ack, AtSign, ControlClient, KeyResolver, RevocationSet, State } from '@postern/core'
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
  let wake: (() => void) | undefined
  let isNews = false // came while nobody waited: the next wait is over at once
  const stream = openEventSource(client.url('/api/v1/stream'), {
    headers: (request) => client.sign(request),
    onEvent: ({ event }) => {
      if (event !== 'ack') return
      isNews = true
      wake?.()
    },
  })
  return {
    next: (ms) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => wake?.(), ms)
        wake = () => {
          clearTimeout(timer)
          wake = undefined
          isNews = false
          resolve()
        }
        if (isNews) wake()
      }),
    [Symbol.asyncDispose]: () => stream.close(),
  }
}

interface AckJson {
  readonly jws: string
}

/** The latest ack of each gateway, verified here under its receipt key: what the control plane shows counts for nothing. */
export async function readAcks(client: ControlClient, state: State): Promise<readonly Ack[]> {
  const { acks } = await client.call<{ acks: readonly AckJson[] }>('/api/v1/acks?limit=1000')
  return acks.flatMap(({ jws }) => verified(jws, state))
}

function verified(jws: string, state: State): readonly Ack[] {
  try {
    return [verifyAck(jws, resolverOf(state), { org: state.org, now: now(), suite: surroundings.suite })]
  } catch (error) {
    if (error instanceof VerifyError) return []
    throw error
  }
}

/** Live keys of the log: an ack under a key that has ended says nothing about now. */
const resolverOf =
  (state: State): KeyResolver =>
  (iss, kid, use) => {
    const known = state.keys.get(kid)
    return known?.live && known.atsign === iss && known.use === use ? known.key : undefined
  }

/** Gateways that say that they hold exactly this set of revocations. */
export async function gatewaysWith(client: ControlClient, state: State, revocations: RevocationSet): Promise<ReadonlySet<AtSign>> {
  const { digest } = revocationsDigest(revocations.held.keys(), surroundings.suite)
  const acks = await readAcks(client, state)
  return new Set(acks.filter((ack) => ack.revocations.digest === digest).map(({ iss }) => iss))
}
