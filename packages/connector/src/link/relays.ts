import type { ControlClient, EdgeKey, Packet, RelayAddress, RelayLink } from '@postern/core'
import { openRelayLink } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import type { ConnectorDeps } from '../deps.ts'

const FILE = 'relays.json'
const isRelay = (url: unknown): url is string => typeof url === 'string' && url.length < 512 && /^wss?:\/\//.test(url) && URL.canParse(url)

/** Where relays are: a hint of the control plane, kept for the next start. A wrong one is denial of service and nothing more. */
export interface RelayBook {
  /** What is known without asking; empty before the first answer. */
  readonly known: readonly string[]
  /** Says that we are here, and for which client, and learns where relays are. @throws what the network throws */
  ask(): Promise<readonly string[]>
  /** From now on the control plane is told of this client, for people to look at. */
  visit(client: PresentClient): void
}

/** An MCP client by its own word. */
export interface PresentClient {
  readonly server: string
  readonly name: string
  readonly version: string
  /** How many tools it was listed. */
  readonly tools?: number
}

export interface RelayBookParts {
  /** From the configuration: then nobody is asked. */
  readonly fixed: readonly string[] | undefined
  readonly client: ControlClient
  readonly directory: StateDir
  readonly version: string
}

export async function openRelayBook({ fixed, client, directory, version }: RelayBookParts): Promise<RelayBook> {
  let known = fixed ?? (await readKnown(directory))
  let present: PresentClient | undefined
  return {
    get known() {
      return known
    },
    async ask() {
      const { relays } = await client.call<{ relays?: unknown }>('/api/v1/presence', {
        json: { version, ...(present ? { client: present } : {}) },
      })
      if (fixed) return fixed
      const told = Array.isArray(relays) ? relays.filter(isRelay).slice(0, 4) : []
      if (told.length > 0 && told.join() !== known.join()) {
        known = told
        await directory.write(FILE, `${JSON.stringify({ v: 1, relays: told })}\n`)
      }
      return known
    },
    visit(visitor) {
      present = visitor
    },
  }
}

async function readKnown(directory: StateDir): Promise<readonly string[]> {
  try {
    const bytes = await directory.read(FILE)
    const { relays } = JSON.parse(Buffer.from(bytes ?? '{}').toString())
    return Array.isArray(relays) ? relays.filter(isRelay).slice(0, 4) : []
  } catch {
    return [] // a hint that cannot be read is asked for again
  }
}

export interface DialEvents {
  onPacket(from: RelayAddress, packet: Packet): void
  onGone(who: RelayAddress): void
  /** Everything that was said over this link is over. */
  onDown(reason: { readonly code: string; readonly message: string }, retryInMs: number): void
}

/** One link, to one relay at a time: the next one is tried when one cannot be reached. */
export class Dialler {
  readonly #org: string
  readonly #auth: EdgeKey
  readonly #deps: ConnectorDeps
  readonly #events: DialEvents
  #link: RelayLink | undefined
  #waiting: { resolve: (link: RelayLink) => void; reject: (error: Error) => void }[] = []
  #turn = 0

  constructor(org: string, auth: EdgeKey, deps: ConnectorDeps, events: DialEvents) {
    this.#org = org
    this.#auth = auth
    this.#deps = deps
    this.#events = events
  }

  get link(): RelayLink | undefined {
    return this.#link?.isUp ? this.#link : undefined
  }

  /** The link, once the relay has let us in. Rejects when this attempt fails; the next call goes on, with the next relay if there is one. */
  up(urls: readonly string[]): Promise<RelayLink> {
    if (this.link) return Promise.resolve(this.link)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      if (!this.#link || (!this.#link.isUp && !urls.includes(this.#link.url))) this.#dial(urls)
    })
  }

  async close(): Promise<void> {
    this.#settle(({ reject }) => reject(new Error('closing')))
    await this.#link?.close()
    this.#link = undefined
  }

  #dial(urls: readonly string[]): void {
    const url = urls[this.#turn % urls.length]
    if (url === undefined) return this.#settle(({ reject }) => reject(new Error('no relay is known')))
    void this.#link?.close()
    const link = openRelayLink(
      url,
      this.#org,
      this.#auth,
      {
        onUp: () => this.#settle(({ resolve }) => resolve(link)),
        onPacket: (from, packet) => this.#events.onPacket(from, packet),
        onGone: (who) => this.#events.onGone(who),
        onDown: (reason, retryInMs) => {
          if (link !== this.#link) return
          if (urls.length > 1) this.#drop(link)
          this.#events.onDown(reason, retryInMs)
          this.#settle(({ reject }) => reject(new Error(reason.message)))
        },
      },
      this.#deps,
    )
    this.#link = link
  }

  /** With several relays the link is not left to come back by itself: the next one is dialled instead. */
  #drop(link: RelayLink): void {
    this.#turn += 1
    this.#link = undefined
    void link.close()
  }

  #settle(how: (waiting: { resolve: (link: RelayLink) => void; reject: (error: Error) => void }) => void): void {
    for (const waiting of this.#waiting.splice(0)) how(waiting)
  }
}
