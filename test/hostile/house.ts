// A real gateway, its files on disk, its clock in our hand, whose control plane cheats. Agents reach it as agents do: sealed asks over the
// event stream that the control plane carries, and channels over a relay.
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AtSign, Bodies, ChainOp, Exporter, GrantAnswer, Signed } from '@postern/core'
import {
  encodeBase64url,
  encodeCanonical,
  encodeEdgeSecrets,
  keyIdOf,
  openAnswer,
  parseAtSign,
  policyDigest,
  sealAsk,
  signAsk,
  toolDigest,
  utf8,
} from '@postern/core'
import { createLog, native, openEventSource, requestBytes, requestJson } from '@postern/daemon'
import type { GatewayConfig, GatewayDeps, RunningGateway } from '@postern/gateway'
import { parseGatewayFile, start, systemDeps } from '@postern/gateway'
import { FakeClock, FakeTimers } from '../fixtures/gateway/fake-clock.ts'
import { FakeRelay } from '../fixtures/gateway/fake-relay.ts'
import { TestAgent } from '../fixtures/gateway/test-agent.ts'
import type { Branch, Signing } from '../fixtures/organisation.ts'
import { append, draft, found, grow, revocation } from '../fixtures/organisation.ts'
import { machineKey, requestOf, seedOf, T0, x25519Key } from '../fixtures/people.ts'
import { until } from '../fixtures/processes.ts'
import type { ConnectorParts, HostileConnector } from './connector.ts'
import { openConnector } from './connector.ts'
import { Liar } from './liar.ts'
import { createToolServer, tools } from './tool-server.ts'

export const YEAR = 31_536_000
const pinned = tools
  .map(({ definition, risk }) => ({ name: definition.name, digest: toolDigest(definition), risk }))
  .sort((a, b) => (a.name < b.name ? -1 : 1))

/** Everybody may do everything with the pinned tools, so that what is refused is refused for the lie. */
export const openPolicy = utf8(
  JSON.stringify({ v: 1, name: 'open', rules: [{ id: 'all', who: ['*'], servers: ['tools'], tools: ['*'], effect: 'allow' }] }),
)

export const lease = (branch: Branch, kind: 'gateway' | 'agent' | 'person', atsign: string, options: { owner?: string } = {}) => ({
  ...requestOf(branch.org, kind, atsign, options),
  exp: T0 + YEAR / 4,
  tags: [],
  ...(options.owner === undefined ? {} : { owner: parseAtSign(options.owner) }),
})

/** @ana administers; @gw (ours) and @gw2 are gateways, @bot belongs to @ben, @eve to nobody. Server `tools` is pinned, the policy signed. */
export function organisation(): Branch {
  let branch = found()
  branch = grow(branch, 'gateway.enroll', lease(branch, 'gateway', '@gw'))
  branch = grow(branch, 'gateway.enroll', lease(branch, 'gateway', '@gw2'))
  branch = grow(branch, 'person.enroll', lease(branch, 'person', '@ben'))
  branch = grow(branch, 'agent.enroll', lease(branch, 'agent', '@bot', { owner: '@ben' }))
  branch = grow(branch, 'agent.enroll', lease(branch, 'agent', '@eve'))
  branch = grow(branch, 'server.pin', { gateway: parseAtSign('@gw'), server: 'tools', set: pinned, unset: [] })
  return grow(branch, 'policy.set', { sha256: policyDigest(openPolicy), name: 'open' })
}

export interface HouseOptions {
  /** The lie is in place before the gateway's first question. */
  readonly before?: (liar: Liar, branch: Branch) => void
  /** Whether to wait until the gateway serves. Default true. */
  readonly isHonest?: boolean
}

export class House implements AsyncDisposable {
  readonly directory: string
  readonly clock = new FakeClock()
  readonly timers = new FakeTimers()
  readonly relay = new FakeRelay()
  readonly lines: { readonly msg: string; readonly alarm?: { kind: string; code?: string; proven?: boolean }; readonly code?: string }[] =
    []
  readonly liar: Liar
  /** Calls that reached the MCP server. */
  readonly ran: string[] = []
  /** The same, whole. */
  readonly received: unknown[] = []
  branch: Branch
  gateway!: RunningGateway
  readonly #connectors: HostileConnector[] = []
  #asks = 0

  private constructor(directory: string, branch: Branch, liar: Liar) {
    this.directory = directory
    this.branch = branch
    this.liar = liar
  }

  static async open({ before, isHonest = true }: HouseOptions = {}): Promise<House> {
    const branch = organisation()
    const liar = await Liar.open(branch.org, branch.entries)
    const house = new House(await mkdtemp(join(tmpdir(), 'postern-hostile-')), branch, liar)
    liar.policies.set(policyDigest(openPolicy), openPolicy)
    await house.#writeKeys()
    before?.(liar, branch)
    await house.start()
    if (isHonest) await house.served()
    return house
  }

  async start(): Promise<void> {
    this.gateway = await start(this.#config(), this.#deps())
  }

  /** Until it is in order and has everything that is served. */
  async served(): Promise<void> {
    const isThere = () => {
      const { status, seq, policy } = this.gateway.health()
      return status === 'ok' && seq === this.branch.state.seq && policy === this.branch.state.policy?.sha256
    }
    await until(`the gateway to serve, not ${JSON.stringify(this.gateway.health())}`, 10_000, () => isThere() || undefined)
  }

  async restart(): Promise<void> {
    await this.gateway.close()
    this.lines.splice(0)
    await this.start()
  }

  /** The next statement, signed as it should be, in the log that is served. Undo it by putting `liar.entries` back. */
  grow<O extends ChainOp>(op: O, body: Bodies[O], signing?: Signing): Signed {
    const signed = draft(this.branch, op, body, signing)
    this.branch = append(this.branch, signed)
    this.liar.entries = this.branch.entries
    return signed
  }

  revocation(target: Parameters<typeof revocation>[1], options: Parameters<typeof revocation>[2] = {}): Signed {
    return revocation(this.branch, target, { at: this.clock.seconds, ...options })
  }

  enrolmentOf(atsign: string): string {
    return this.branch.state.identities.get(parseAtSign(atsign))!.enrolment
  }

  /** Waits for the alarm of that kind. */
  alarm(kind: string, match: object = {}) {
    const isIt = (alarm: object | undefined) => alarm !== undefined && matches(alarm, { kind, ...match })
    return until(`the alarm ${kind} ${JSON.stringify(match)} among ${JSON.stringify(this.alarms)}`, 10_000, () =>
      this.alarms.find((alarm) => isIt(alarm)),
    )
  }

  get alarms() {
    return this.lines.flatMap(({ alarm }) => alarm ?? [])
  }

  /** Evidence that the gateway keeps, by name. */
  async evidence(): Promise<Record<string, { held: unknown; other?: unknown; said?: unknown }>> {
    const names = (await readdir(this.stateDirectory)).filter((name) => name.startsWith('evidence-'))
    const read = names.map(
      async (name) => [name.slice(9, -5), JSON.parse(await readFile(join(this.stateDirectory, name), 'utf8'))] as const,
    )
    return Object.fromEntries(await Promise.all(read))
  }

  /** The highest time that the gateway ever saw, as it is on disk. */
  async mark(): Promise<number | undefined> {
    const text = await readFile(join(this.stateDirectory, 'time.json'), 'utf8').catch(() => '{}')
    return JSON.parse(text).seconds
  }

  get stateDirectory(): string {
    return join(this.directory, 'state', 'gateway', '@gw')
  }

  /** Asks for a grant as any language may, through the control plane: 'GRANTED', or the code of the refusal. */
  async ask(atsign = '@bot', tool = 'write', options: { generation?: number } = {}): Promise<string> {
    const { id, exporter } = this.carryAsk(this.sealedAsk(atsign, tool, options))
    const answer = await this.answer(id, exporter)
    return 'grant' in answer ? 'GRANTED' : answer.refused.code
  }

  /** @param to The gateway to whose key it is sealed. */
  sealedAsk(
    atsign = '@bot',
    tool = 'write',
    { generation = 1, to = '@gw', aud = to }: { generation?: number; to?: string; aud?: string } = {},
  ) {
    const { publicKey, seed } = machineKey(atsign, 'call', generation)
    const [name, now] = [parseAtSign(atsign), this.clock.seconds]
    const claims = { v: 1, org: this.branch.org, iss: name, kid: keyIdOf(publicKey), aud: parseAtSign(aud), sub: name } as const
    const details = [{ type: 'mcp_tool', server: 'tools', tool, args: [], unnamed: 'allow' }] as const
    const ask = signAsk({ ...claims, details, jti: encodeBase64url(random(16)), iat: now, exp: now + 60 }, seed, native)
    return sealAsk(ask, addressOf(this.branch.org, to), random, native)
  }

  /** Puts a sealed ask on the event stream, as the control plane does. */
  carryAsk({ sealed, exporter }: { sealed: Uint8Array; exporter: Exporter }): { id: string; exporter: Exporter } {
    this.#asks += 1
    const id = `ask-${this.#asks}`
    this.liar.push('ask', { id, sealed: encodeBase64url(sealed) })
    return { id, exporter }
  }

  async answer(id: string, exporter: Exporter): Promise<GrantAnswer> {
    const answer = await until(`the answer to ${id}`, 10_000, () => this.liar.answers.get(id))
    return openAnswer(new Uint8Array(Buffer.from(answer, 'base64url')), exporter, addressOf(this.branch.org, '@gw'), native)
  }

  /** A channel, as the connector makes it. @param branch The log that the agent shows. */
  connect(atsign = '@bot', branch?: Branch, channelSecret?: string): Promise<TestAgent> {
    return TestAgent.connect(
      {
        ...{ atsign, gateway: '@gw', branch: () => branch ?? this.branch, suite: native, now: () => this.clock.seconds },
        openSocket: ((url: string, options: never) => this.relay.openSocket(url, options)) as never,
        ...(channelSecret === undefined ? {} : { channelSecret }),
      },
      {},
    )
  }

  /** The real connector of an agent, under the same clock, relay and control plane; its keys as after an enrolment. */
  async connector(atsign = '@bot', options: Pick<ConnectorParts, 'waitSeconds'> = {}): Promise<HostileConnector> {
    const directory = join(this.directory, 'state', 'agent', atsign)
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const uses = ['call', 'auth', 'channel'].map((use) => [use, seedOf(`${atsign} ${use} 1`)] as const)
    await writeFile(join(directory, 'keys.json'), encodeEdgeSecrets(new Map(uses)), { mode: 0o600 })
    await writeFile(join(directory, 'org.json'), JSON.stringify({ v: 1, org: this.branch.org, control: this.liar.url }))
    const connector = await openConnector(atsign, { ...this, ...options })
    this.#connectors.push(connector)
    return connector
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connector of this.#connectors) await connector.close()
    await this.gateway.close()
    await this.liar[Symbol.asyncDispose]()
    await rm(this.directory, { recursive: true, force: true, maxRetries: 3 })
  }

  #deps(): GatewayDeps {
    const log = createLog('gateway', { level: 'debug', to: { write: (line) => void this.lines.push(JSON.parse(line)) } })
    const net = {
      requestJson,
      requestBytes,
      openEventSource,
      openSocket: (url: string, options: never) => this.relay.openSocket(url, options),
    }
    return {
      ...systemDeps(log),
      ...{ clock: this.clock, random, every: this.timers.every, net: net as unknown as GatewayDeps['net'] },
      openUpstream: () =>
        createToolServer((tool, request) => {
          this.ran.push(tool)
          this.received.push(request)
        }),
    }
  }

  #config(): GatewayConfig {
    const file = join(this.directory, 'config', '@gw.toml')
    const at = { atsign: '@gw', path: file, stateRoot: join(this.directory, 'state'), runtimeRoot: join(this.directory, 'run') }
    return { ...parseGatewayFile('[servers.tools]\ncommand = "in this process"\n'), ...at, environment: {} }
  }

  async #writeKeys(): Promise<void> {
    await mkdir(this.stateDirectory, { recursive: true, mode: 0o700 })
    const uses = ['issue', 'receipt', 'auth', 'channel', 'seal'].map((use) => [use, seedOf(`@gw ${use} 1`)] as const)
    const secrets = new Map([...uses, ['journal', seedOf('@gw journal')] as const])
    await writeFile(join(this.stateDirectory, 'keys.json'), encodeEdgeSecrets(secrets), { mode: 0o600 })
    const pin = { v: 1, org: this.branch.org, control: this.liar.url }
    await writeFile(join(this.stateDirectory, 'org.json'), JSON.stringify(pin), { mode: 0o600 })
  }
}

const random = (n: number) => new Uint8Array(randomBytes(n))
const addressOf = (org: string, gateway: string) => ({ org, gateway: gateway as AtSign, key: x25519Key(`${gateway} seal 1`, 'seal') })

const matches = (found: object, wanted: object) =>
  Object.entries(wanted).every(([name, value]) => (found as Record<string, unknown>)[name] === value)

/** Bytes of a statement with some members replaced, canonical again. */
export const changed = ({ bytes }: Signed, change: object): Uint8Array =>
  encodeCanonical({ ...JSON.parse(Buffer.from(bytes).toString('utf8')), ...change })
