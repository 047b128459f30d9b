import type { EdgeKey, RelayEvents, RelayLink } from '@postern/core'
import { openRelayLink } from '@postern/core'
import type { GatewayDeps } from '../deps.ts'

/** More would only make more ways to the same place. */
const maxRelays = 4

/** The lines to all relays that are named at the moment. */
export class RelayLinks implements AsyncDisposable {
  readonly #links = new Map<string, RelayLink>()
  readonly #open: (url: string) => RelayLink
  readonly #closing = new Set<Promise<void>>()

  /** @param events What to do with what comes over a link, which is given as a function since the link is still to be made. */
  constructor(org: string, auth: EdgeKey, events: (link: () => RelayLink) => RelayEvents, deps: GatewayDeps) {
    this.#open = (url) => {
      const link: RelayLink = openRelayLink(
        url,
        org,
        auth,
        logged(
          url,
          events(() => link),
          deps,
        ),
        deps,
      )
      return link
    }
  }

  get urls(): readonly string[] {
    return [...this.#links.keys()]
  }

  get up(): number {
    return [...this.#links.values()].filter((link) => link.isUp).length
  }

  /** Opens what is new, closes what is not named any more. Addresses that are none are left out. */
  set(urls: readonly string[]): void {
    const wanted = new Set(urls.filter(isRelayUrl).slice(0, maxRelays))
    for (const [url, link] of this.#links) {
      if (wanted.has(url)) continue
      this.#links.delete(url)
      const closing = link.close().finally(() => this.#closing.delete(closing))
      this.#closing.add(closing)
    }
    for (const url of wanted) if (!this.#links.has(url)) this.#links.set(url, this.#open(url))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.set([])
    await Promise.allSettled([...this.#closing])
  }
}

const isRelayUrl = (url: string): boolean => URL.canParse(url) && /^wss?:$/.test(new URL(url).protocol)

function logged(url: string, events: RelayEvents, { log }: GatewayDeps): RelayEvents {
  const relay = new URL(url).host
  return {
    ...events,
    onUp() {
      log.info({ relay }, 'relay link is up')
      events.onUp?.()
    },
    onDown(reason, retryInMs) {
      log.warn({ relay, code: reason.code, why: reason.message, retry_ms: retryInMs }, 'relay link is down')
      events.onDown(reason, retryInMs)
    },
  }
}
