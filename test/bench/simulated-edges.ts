// Gateways as far as a revocation is concerned: each has enrolled keys, follows the event stream under its own signature, verifies what
// comes with its own copy of the log, and refuses from then on. No servers, no calls.
import type { EdgeKeys, RevocationSet, State } from '@postern/core'
import { addRevocation, createControlClient, decodeSigned, emptyRevocations, isRevoked, parseStrictJson } from '@postern/core'
import { native, openEventSource } from '@postern/daemon'
import { until } from '../fixtures/processes.ts'
import type { Edge } from '../fixtures/running-organisation.ts'
import { surroundings } from '../fixtures/running-organisation.ts'

export interface SimulatedEdges extends AsyncDisposable {
  /** Calls back once per edge, when that edge refuses whatever uses this grant. */
  onRefused: (grant: string) => void
}

const limits = { maxBytes: 65_536, maxDepth: 8 }

export async function openSimulatedEdges(
  controlUrl: string,
  edges: readonly Edge<'gateway'>[],
  state: () => State,
): Promise<SimulatedEdges> {
  let connected = 0
  const all: SimulatedEdges = {
    onRefused: () => {},
    async [Symbol.asyncDispose]() {
      await Promise.all(streams.map((stream) => stream.close()))
    },
  }
  const streams = edges.map(({ keys }) =>
    follow(
      controlUrl,
      keys,
      state,
      () => connected++,
      (grant) => all.onRefused(grant),
    ),
  )
  await until('all edges to be connected', 30_000, () => connected >= edges.length || undefined)
  return all
}

function follow(
  controlUrl: string,
  { auth }: EdgeKeys<'gateway'>,
  state: () => State,
  onReady: () => void,
  onRefused: (grant: string) => void,
) {
  const client = createControlClient(controlUrl, auth, surroundings)
  let held: RevocationSet = emptyRevocations()
  return openEventSource(client.url('/api/v1/stream'), {
    headers: (request) => client.sign(request),
    onEvent({ event, data }) {
      if (event === 'ready') onReady()
      if (event !== 'revocation') return
      const before = held
      held = addRevocation(held, decodeSigned(parseStrictJson(data, limits)), state(), native)
      const { target } = [...held.held.values()].at(-1)!.revocation
      if (held === before || target?.kind !== 'grant') return
      const now = Math.floor(Date.now() / 1000)
      if (isRevoked(held, state(), { grant: target.id }, now)) onRefused(target.id)
    },
  })
}
