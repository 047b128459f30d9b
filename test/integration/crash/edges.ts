// Relay, gateway and connector as processes that can be killed, a control plane beside them, and an MCP server whose every call leaves a mark.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeEdgeSecrets, KEY_FILE, parseAtSign, writePin } from '@postern/core'
import { native, openSocket, openStateDir } from '@postern/daemon'
import { stringify } from 'smol-toml'
import type { HttpControl } from '../../fixtures/connector/http-control.ts'
import { openHttpControl } from '../../fixtures/connector/http-control.ts'
import { TestAgent } from '../../fixtures/gateway/test-agent.ts'
import { requestOf, seedOf } from '../../fixtures/people.ts'
import type { Child, Home } from '../../fixtures/processes.ts'
import { freePorts, openHome, root, scripts, startNode, startRelay } from '../../fixtures/processes.ts'
import type { RunningOrganisation } from '../../fixtures/running-organisation.ts'
import { foundOrganisation } from '../../fixtures/running-organisation.ts'

const MONTH = 30 * 86_400
const toolServer = join(root, 'test/fixtures/gateway/tool-server.mjs')
const policy = {
  v: 1,
  name: 'crash',
  rules: [
    { id: 'bot', who: ['@bot'], servers: ['tools'], tools: ['*'], effect: 'allow', limits: { ttl_seconds: 600 } },
    { id: 'once', who: ['@raw'], servers: ['tools'], tools: ['*'], effect: 'allow', limits: { ttl_seconds: 600, calls: 1 } },
  ],
}

export class Edges implements AsyncDisposable {
  readonly home: Home
  readonly control: HttpControl
  readonly organisation: RunningOrganisation
  readonly relayUrl: string
  readonly #relayPort: number
  relay!: Child
  gateway!: Child

  private constructor(home: Home, control: HttpControl, organisation: RunningOrganisation, relayPort: number) {
    this.home = home
    this.control = control
    this.organisation = organisation
    this.relayUrl = `ws://localhost:${relayPort}/relay`
    this.#relayPort = relayPort
  }

  static async open(): Promise<Edges> {
    const home = await openHome('crash')
    const [controlPort, relayPort] = (await freePorts(2)) as [number, number]
    const control = await openHttpControl(home.path, controlPort, [`ws://localhost:${relayPort}/relay`])
    const organisation = await foundOrganisation({ url: control.url, secret: control.secret } as never, home)
    const edges = new Edges(home, control, organisation, relayPort)
    await edges.#enrol()
    await edges.startRelay()
    await edges.startGateway()
    await organisation.pinTools(parseAtSign('@gw'), 'tools', { count: 'write', write: 'write', slow: 'write' })
    await organisation.signPolicy(policy)
    return edges
  }

  async startRelay(): Promise<void> {
    this.relay = await startRelay(this.home, { port: this.#relayPort, controlUrl: this.control.url })
  }
  async startGateway(): Promise<void> {
    this.gateway = this.spawnGateway()
    await this.gateway.said(/gateway @gw/)
  }

  /** Without waiting for anything: it may be killed before it is ready. */
  spawnGateway(): Child {
    return startNode('gateway', scripts.gateway, ['@gw'], { env: this.home.env })
  }
  spawnConnector(): Child {
    const args = ['--agent', '@bot', '--server', 'tools']
    return startNode('connector', scripts.connector, args, { env: this.home.env, speaks: true })
  }

  /** An agent that sends what it is told to. */
  connect(): Promise<TestAgent> {
    const { org, entries } = this.organisation
    const branch = () => ({ org, entries, state: this.organisation.state })
    const parts = { atsign: '@raw', gateway: '@gw', branch, suite: native, now: () => Math.floor(Date.now() / 1000) }
    return TestAgent.connect({ ...parts, relayUrl: this.relayUrl, openSocket: openSocket as never }, {})
  }

  /** What the calls left behind, in their order. */
  async marks(): Promise<string[]> {
    const text = await readFile(join(this.home.path, 'count'), 'utf8').catch(() => '')
    return text.split('\n').slice(0, -1)
  }

  /** MCP servers that are still there. Undefined where nobody can tell. */
  servers(): readonly number[] | undefined {
    if (!existsSync('/proc/self/cmdline')) return undefined
    return readdirSync('/proc').flatMap((pid) => {
      if (!/^\d+$/.test(pid)) return []
      const command = readQuietly(`/proc/${pid}/cmdline`)
      return command.includes(toolServer) && command.includes(this.home.path) ? [Number(pid)] : []
    })
  }

  async receipts(agent: string): Promise<{ status: string; code: string; cth?: string; jws: string }[]> {
    const all: { status: string; code: string; cth?: string; jws: string }[] = []
    for (let cursor = ''; ; ) {
      const path = `/api/v1/receipts?limit=500&agent=${encodeURIComponent(agent)}${cursor}`
      const { receipts, next } = await this.organisation.admin.client.call<{ receipts: typeof all; next: number | null }>(path)
      all.push(...receipts)
      if (next === null) return all
      cursor = `&cursor=${next}`
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway?.stop()
    await this.relay?.stop()
    await this.control[Symbol.asyncDispose]()
    await this.home[Symbol.asyncDispose]()
  }

  /** With keys that a test has too, so that it can be the agent, to the letter. */
  async #enrol(): Promise<void> {
    const { org } = this.organisation
    const now = Math.floor(Date.now() / 1000)
    const lease = { exp: now + MONTH, tags: [] }
    const request = { exp: now + 3600 }
    await this.organisation.append('gateway.enroll', { ...requestOf(org, 'gateway', '@gw', request), ...lease })
    await this.organisation.append('agent.enroll', { ...requestOf(org, 'agent', '@raw', request), ...lease })
    await this.organisation.enrolAgent('@bot')
    const files = await openStateDir('gateway', '@gw', this.home.state)
    const secrets = ['issue', 'receipt', 'auth', 'channel', 'seal'].map((use) => [use, seedOf(`@gw ${use} 1`)] as const)
    await files.write(KEY_FILE, encodeEdgeSecrets(new Map([...secrets, ['journal', seedOf('@gw journal')]])))
    await writePin(files, { org, control: this.control.url })
    const args = [toolServer, this.home.path]
    await mkdir(join(this.home.config, 'gateway'), { recursive: true, mode: 0o700 })
    await writeFile(join(this.home.config, 'gateway', '@gw.toml'), stringify({ servers: { tools: { command: process.execPath, args } } }))
  }
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it ended meanwhile
  }
}

/** How a call ended: it ran, it was refused with a code, or its connector went away before it could say. */
export type Outcome = 'RAN' | 'LOST' | (string & {})

/** An MCP client on the standard streams of a connector process. */
export class Client {
  readonly child: Child
  readonly #answers = new Map<number, (answer: Answer | undefined) => void>()
  #last = 0
  #text = ''
  #greeting: Promise<void> | undefined

  constructor(child: Child) {
    this.child = child
    child.process.stdout!.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk))
    child.process.stdin!.on('error', () => {})
    void child.exit.then(() => {
      for (const settle of this.#answers.values()) settle(undefined)
    })
  }

  async call(mark: string): Promise<Outcome> {
    this.#greeting ??= this.#greet()
    await this.#greeting
    const answer = await this.#ask('tools/call', { name: 'count', arguments: { mark } })
    if (!answer) return 'LOST'
    if (answer.result && !answer.result.isError) return 'RAN'
    return (
      answer.result?._meta?.['dev.postern/refusal']?.code ?? answer.error?.data?.['dev.postern/refusal']?.code ?? JSON.stringify(answer)
    )
  }

  async #greet(): Promise<void> {
    await this.#ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } })
    this.#write({ method: 'notifications/initialized' })
  }

  #ask(method: string, params: object): Promise<Answer | undefined> {
    this.#last += 1
    const id = this.#last
    return new Promise((resolve) => {
      if (this.child.process.exitCode !== null || this.child.process.signalCode !== null) return resolve(undefined)
      this.#answers.set(id, (answer) => {
        this.#answers.delete(id)
        resolve(answer)
      })
      this.#write({ id, method, params })
    })
  }

  #write(message: object): void {
    this.child.process.stdin!.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }

  #read(chunk: string): void {
    const lines = (this.#text + chunk).split('\n')
    this.#text = lines.pop()!
    for (const answer of lines.map((line) => JSON.parse(line) as Answer)) this.#answers.get(answer.id)?.(answer)
  }
}

interface Answer {
  readonly id: number
  readonly result?: { readonly isError?: boolean; readonly _meta?: Record<string, { readonly code?: string }> }
  readonly error?: { readonly data?: Record<string, { readonly code?: string }> }
}
