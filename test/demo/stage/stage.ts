import type { AtSign, Bodies, ChainOp, EdgeKeys, Signed, SignedJson, State, Target } from '@postern/core'
import {
  createControlClient,
  decodeSigned,
  draftStatement,
  encodeBase64url,
  encodeRevocation,
  encodeSigned,
  policyDigest,
  replay,
  signDetached,
} from '@postern/core'
import type { HealthReport, Secret } from '@postern/daemon'
import { native, places, readHealth } from '@postern/daemon'
import type { Child, ControlChild, Home, RelayChild } from '../../fixtures/processes.ts'
import { until } from '../../fixtures/processes.ts'
import { surroundings } from '../../fixtures/running-organisation.ts'
import type { Known, Mask } from '../hostile/agent.ts'
import { HostileAgent } from '../hostile/agent.ts'
import type { DemoClient } from './client.ts'
import type { Files } from './files.ts'
import type { Front } from './front.ts'
import type { Machine } from './machines.ts'
import type { Tap } from './tap.ts'
import { witnessed } from './witness.ts'

/** A gateway that runs as a process of its own, in front of one MCP server. */
export interface Gateway {
  readonly atsign: AtSign
  readonly server: string
  readonly keys: EdgeKeys<'gateway'>
  readonly stateDir: string
  readonly machine: Machine
  readonly witnessFile: string
  child: Child
  start(): Promise<void>
}

/** Everything that runs, and every key in play: attackers of all kinds take from here what they would have. */
export interface Stage {
  readonly home: Home
  readonly files: Files
  readonly org: string
  /** What everybody dials; behind it the control plane, which can be stopped and started on its own. */
  readonly front: Front
  readonly control: { child: ControlChild; readonly directory: string; start(): Promise<void> }
  readonly tap: Tap
  readonly relay: RelayChild
  readonly gateways: { readonly fs: Gateway; readonly memory: Gateway }
  /** Of @ana, who administers, of @dev and her agents, and of the gateways. */
  readonly machines: { readonly ana: Machine; readonly dev: Machine; readonly host: Machine }
  readonly agents: { readonly honest: Mask; readonly other: Mask }
  /** The administrator's own key: stolen, in some attacks. */
  readonly adminSeed: Secret<Uint8Array>
  /** The policy that is in force, as it was signed. */
  readonly policy: Uint8Array
  /** The official MCP client, through the connector. */
  readonly client: DemoClient
  /** Every private key there is, by name. */
  readonly secrets: ReadonlyMap<string, Uint8Array>
}

/** The authority log as the control plane has it now, verified. */
export async function readKnown({ org, control, agents }: Pick<Stage, 'org' | 'control' | 'agents'>): Promise<Known> {
  const client = createControlClient(control.child.url, agents.honest.keys.auth, surroundings)
  const { entries } = await client.call<{ entries: readonly SignedJson[] }>('/api/v1/log?from=0&limit=256')
  const log = entries.map(({ bytes, signatures }) => decodeSigned({ bytes, signatures } as never))
  return { state: replay(org, log, native), head: log.at(-1)! }
}

/** A hostile agent at one of the gateways, behind an honest agent's face unless told otherwise. */
export async function approach(
  stage: Stage,
  gateway: Gateway,
  options: { readonly mask?: Mask; readonly known?: Known } = {},
): Promise<HostileAgent> {
  const { mask = stage.agents.honest, known = await readKnown(stage) } = options
  return HostileAgent.connect({ relayUrl: stage.tap.url, mask, known, gateway: gateway.atsign })
}

/** How many tool calls have reached a server so far. */
export const countRuns = ({ gateways }: Stage): number =>
  Object.values(gateways).reduce((sum, { witnessFile }) => sum + witnessed(witnessFile).length, 0)

/** The next statement, signed with the administrator's key and shown to nobody. */
export function signAsAdmin<O extends ChainOp>(stage: Stage, state: State, op: O, body: Bodies[O]): Signed {
  return signBytes(stage, draftStatement(state, op, body, { at: nowSeconds() }))
}

export const signBytes = ({ adminSeed }: Stage, bytes: Uint8Array): Signed => ({
  bytes,
  signatures: [signDetached(adminSeed.expose(), 'postern-statement-v1', bytes, native)],
})

/** Hands a statement in, as its signer does. */
export async function post({ control }: Stage, signed: Signed, policy?: Uint8Array): Promise<void> {
  const json = { entry: encodeSigned(signed), ...(policy ? { policy: encodeBase64url(policy) } : {}) }
  await createControlClient(control.child.url, undefined, surroundings).call('/api/v1/log', { json })
}

/** Signs another policy into force, and waits until the gateways have applied it. */
export async function putInForce(stage: Stage, policy: Uint8Array): Promise<void> {
  const { state } = await readKnown(stage)
  const sha256 = policyDigest(policy)
  await post(stage, signAsAdmin(stage, state, 'policy.set', { sha256, name: 'main' }), policy)
  const hasIt = (report: HealthReport) => report.policy === sha256
  for (const gateway of Object.values(stage.gateways)) await untilHealth(gateway, 'to apply the policy', hasIt)
}

/** @returns when it was signed, `performance.now()` */
export async function revoke({ org, adminSeed, front }: Stage, target: Target): Promise<number> {
  const bytes = encodeRevocation({ org, target, reason: 'the tour is over for it', at: nowSeconds() })
  const signed = { bytes, signatures: [signDetached(adminSeed.expose(), 'postern-revocation-v1', bytes, native)] }
  const signedMs = performance.now()
  await createControlClient(front.url, undefined, surroundings).call('/api/v1/revocations', { json: encodeSigned(signed) })
  return signedMs
}

export const nowSeconds = (): number => Math.floor(Date.now() / 1000)

/** What a gateway says of itself over its private socket. */
export const readGatewayHealth = ({ env }: Machine, atsign: string): Promise<HealthReport | undefined> =>
  readHealth(`gateway-${atsign}`, places(env))

/** Waits until a gateway's health is as it should be. */
export async function untilHealth(
  { atsign, machine, child }: Gateway,
  what: string,
  matches: (report: HealthReport) => boolean,
): Promise<HealthReport> {
  let last: HealthReport | undefined
  try {
    return await until(`${atsign} ${what}`, HEALTH_MS, async () => {
      last = await readGatewayHealth(machine, atsign)
      return last && matches(last) ? last : undefined
    })
  } catch (cause) {
    throw new Error(`${(cause as Error).message}; it says ${JSON.stringify(last)} and wrote\n${child.output().slice(-3000)}`, { cause })
  }
}
const HEALTH_MS = 60_000

/** Waits until a gateway has raised an alarm; nothing else it writes looks like one. */
export const untilAlarm = ({ child }: Gateway, pattern: RegExp): Promise<RegExpExecArray> => child.said(pattern, HEALTH_MS)

/** Ready to serve: synchronised, connected, and no trouble of its own. */
export const isServing = ({ status, connected, relays_up }: HealthReport): boolean =>
  status === 'ok' && connected === true && Number(relays_up) > 0
