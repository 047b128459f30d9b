// A control plane that cheats: real HTTP, real signed objects, and a lie wherever a test puts one. It verifies nobody and stores what it
// likes, as one whose operators, database and code are somebody else's now. What it has not got is a key.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { JsonValue, Signed, SignedJson } from '@postern/core'
import { decodeSigned, encodeSigned, linkHash, revocationHash } from '@postern/core'
import { until } from '../fixtures/processes.ts'

export interface LogAnswer {
  readonly org: string
  readonly entries: readonly (SignedJson & { readonly seq: number })[]
  readonly head: { readonly seq: number; readonly hash: string } | null
  readonly next: number | null
}

/** What it says instead of the truth. Each gets the truth, and, where that matters, the id of the key that asks: it can tell its victims apart. */
export interface Lies {
  log?: (honest: LogAnswer, from: number, kid: string | undefined) => unknown
  revocations?: (honest: { revocations: readonly SignedJson[]; next: null }, after: string | null) => unknown
  /** Undefined: 404. */
  policy?: (honest: Uint8Array | undefined, sha256: string) => Uint8Array | undefined
  presence?: (honest: { relays: readonly string[]; head: LogAnswer['head'] }) => unknown
  /** Tokens that it says gateways have signed. */
  receipts?: (honest: readonly string[]) => readonly string[]
  acks?: (honest: readonly string[]) => readonly string[]
}

type Route = (request: IncomingMessage, response: ServerResponse, url: URL) => void | Promise<void>

export class Liar implements AsyncDisposable {
  readonly org: string
  entries: readonly Signed[]
  revocations: readonly Signed[] = []
  readonly policies = new Map<string, Uint8Array>()
  relays: readonly string[] = ['ws://relay.test/relay']
  lies: Lies = {}
  /** A person has handed one in. */
  onRevocation: (signed: Signed) => void = () => {}
  /** Answers nobody: 503 to everything, and event streams end. */
  isSilent = false
  readonly acks: string[] = []
  readonly receipts: string[] = []
  /** Sealed answers by the id of the ask. */
  readonly answers = new Map<string, string>()
  readonly presence: JsonValue[] = []
  /** How often each path was asked for. */
  readonly asked = new Map<string, number>()
  readonly #streams = new Set<ServerResponse>()
  readonly #server = createServer((request, response) => void this.#serve(request, response))

  private constructor(org: string, entries: readonly Signed[]) {
    this.org = org
    this.entries = entries
  }

  static async open(org: string, entries: readonly Signed[]): Promise<Liar> {
    const liar = new Liar(org, entries)
    await new Promise<void>((resolve) => liar.#server.listen(0, '127.0.0.1', resolve))
    return liar
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get streams(): number {
    return this.#streams.size
  }

  /** An event to everybody who listens. */
  push(event: string, data: unknown): void {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    for (const stream of this.#streams) stream.write(`event: ${event}\ndata: ${text}\n\n`)
  }

  silence(): void {
    this.isSilent = true
    for (const stream of this.#streams) stream.destroy()
  }

  /**
   * Until a gateway has asked for everything and drawn its conclusions. Rounds come one after the other, so when a second one begins the
   * first, which began after now, is over.
   */
  async round(): Promise<void> {
    for (let i = 0; i < 2; i += 1) {
      const before = this.#count('/api/v1/log')
      this.push('log', { seq: this.entries.length - 1 })
      await until('another round', 10_000, () => this.#count('/api/v1/log') > before || undefined)
    }
  }

  /** What an honest control plane with these statements answers. */
  answerFrom(all: readonly Signed[], from: number): LogAnswer {
    const entries = all.slice(from, from + 256).map((signed, i) => ({ seq: from + i, ...encodeSigned(signed) }))
    const last = all.at(-1)
    const head = last ? { seq: all.length - 1, hash: linkHash(last.bytes) } : null
    return { org: this.org, entries, head, next: from + 256 < all.length ? from + 256 : null }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve).closeAllConnections())
  }

  #count(path: string): number {
    return this.asked.get(path) ?? 0
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url)
    this.asked.set(url.pathname, this.#count(url.pathname) + 1)
    if (this.isSilent) return void response.writeHead(503).end()
    const policy = /^\/api\/v1\/policies\/([\w-]{43})$/.exec(url.pathname)?.[1]
    const route = policy === undefined ? this.#routes[`${request.method} ${url.pathname}`] : this.#policy(policy)
    if (!route) return void response.writeHead(404).end()
    await route(request, response, url)
  }

  readonly #routes: Readonly<Record<string, Route>> = {
    'GET /api/v1/log': (request, response, url) => {
      const from = Number(url.searchParams.get('from') ?? 0)
      const honest = this.answerFrom(this.entries, from)
      json(response, this.lies.log ? this.lies.log(honest, from, kidOf(request)) : honest)
    },
    'GET /api/v1/revocations': (_, response, url) => {
      const honest = { revocations: this.revocations.map(encodeSigned), next: null }
      json(response, this.lies.revocations ? this.lies.revocations(honest, url.searchParams.get('after')) : honest)
    },
    'POST /api/v1/revocations': async (request, response) => {
      const signed = decodeSigned((await bodyOf(request)) as JsonValue)
      this.revocations = [...this.revocations, signed]
      json(response, { hash: revocationHash(signed.bytes) })
      this.onRevocation(signed)
    },
    'GET /api/v1/receipts': (_, response) => {
      const tokens = this.lies.receipts?.(this.receipts) ?? this.receipts
      json(response, { receipts: tokens.map((jws, id) => ({ id, jws })), next: null })
    },
    'GET /api/v1/acks': (_, response) => {
      const tokens = this.lies.acks?.(this.acks) ?? this.acks
      json(response, { acks: tokens.map((jws, i) => ({ id: i + 1, jws })) })
    },
    'POST /api/v1/presence': async (request, response) => {
      this.presence.push((await bodyOf(request)) as JsonValue)
      const honest = { relays: this.relays, head: this.answerFrom(this.entries, 0).head }
      json(response, this.lies.presence ? this.lies.presence(honest) : honest)
    },
    'POST /api/v1/acks': async (request, response) => this.#take(this.acks, ((await bodyOf(request)) as { acks: string[] }).acks, response),
    'POST /api/v1/receipts': async (request, response) =>
      this.#take(this.receipts, ((await bodyOf(request)) as { receipts: string[] }).receipts, response),
    'POST /api/v1/grants/answers': async (request, response) => {
      const { answers } = (await bodyOf(request)) as { answers: { id: string; answer: string }[] }
      for (const { id, answer } of answers) this.answers.set(id, answer)
      json(response, { delivered: answers.length, late: [] })
    },
    'GET /api/v1/stream': (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n')
      this.#streams.add(response)
      response.on('close', () => this.#streams.delete(response))
    },
  }

  #policy(sha256: string): Route {
    return (_, response) => {
      const honest = this.policies.get(sha256)
      const bytes = this.lies.policy ? this.lies.policy(honest, sha256) : honest
      if (!bytes) return void response.writeHead(404).end()
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(bytes)
    }
  }

  #take(list: string[], tokens: readonly string[], response: ServerResponse): void {
    list.push(...tokens)
    json(response, { stored: tokens.length, known: 0, refused: [] })
  }
}

const kidOf = ({ headers }: IncomingMessage) => /keyid="([\w-]{43})"/.exec(String(headers['signature-input']))?.[1]

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return JSON.parse(text)
}
