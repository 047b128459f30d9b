// Everything that a call or a grant passes, as real processes in a directory of its own: control plane on the embedded database, relay, a
// gateway in front of the echo server, and an agent that may call it.
import type { AtSign } from '@postern/core'
import type { Child, ControlChild, Home, RelayChild } from '../fixtures/processes.ts'
import { freePorts, openHome, startControl, startGateway, startRelay } from '../fixtures/processes.ts'
import type { Edge, RunningOrganisation } from '../fixtures/running-organisation.ts'
import { foundOrganisation } from '../fixtures/running-organisation.ts'
import { peer } from './peers.ts'

export const SERVER = 'echo'
export const TOOL = 'echo'
export const GATEWAY = '@gw' as AtSign
/** Whoever has it may call the echo tool. */
export const BENCH_TAG = 'bench'
export const AGENT = '@bot' as AtSign

export interface Stage extends AsyncDisposable {
  readonly home: Home
  readonly control: ControlChild
  readonly relay: RelayChild
  readonly gateway: Child
  readonly organisation: RunningOrganisation
  readonly gatewayEdge: Edge<'gateway'>
  readonly agent: Edge<'agent'>
}

/** Long enough that only one grant is needed per ten minutes, as an administrator of a busy agent would set it. */
const policy = {
  v: 1,
  name: 'bench',
  rules: [
    {
      id: 'echo',
      who: [`tag:${BENCH_TAG}`],
      servers: [SERVER],
      tools: [TOOL],
      when: { text: { maxLength: 1000 } },
      effect: 'allow',
      limits: { ttl_seconds: 600 },
    },
  ],
}

/** @param nodeOptions Options of Node for one process, e.g. `{ gateway: ['--cpu-prof'] }`. */
export async function openStage(name: string, nodeOptions: Readonly<Record<string, readonly string[]>> = {}): Promise<Stage> {
  await using opened = new AsyncDisposableStack()
  const home = opened.use(await openHome(name))
  const [controlPort, relayPort] = await freePorts(2)
  const optionsOf = (process: string) => (nodeOptions[process] ? { nodeOptions: nodeOptions[process] } : {})
  const relayUrls = [`ws://localhost:${relayPort}/relay`]
  const control = opened.use(await startControl(home, { port: controlPort!, relayUrls, ...optionsOf('control') }))
  const relay = opened.use(await startRelay(home, { port: relayPort!, controlUrl: control.url, ...optionsOf('relay') }))
  const organisation = await foundOrganisation(control, home)
  const servers = { [SERVER]: { command: process.execPath, args: [peer('mcp/echo-stdio.mjs')] } }
  const gatewayEdge = await organisation.enrolGateway(GATEWAY, { servers })
  const agent = await organisation.enrolAgent(AGENT, { tags: [BENCH_TAG] })
  const gateway = opened.use(await startGateway(home, GATEWAY, optionsOf('gateway')))
  await organisation.signPolicy(policy)
  await organisation.pinTools(GATEWAY, SERVER)
  const all = opened.move()
  return { home, control, relay, gateway, organisation, gatewayEdge, agent, [Symbol.asyncDispose]: () => all.disposeAsync() }
}
