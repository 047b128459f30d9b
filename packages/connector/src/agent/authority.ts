import type { AtSign, AuthorityAlarm, ControlClient, KeyId, KeyResolver, PeerHead, PublicKey } from '@postern/core'
import {
  AuthorityMirror,
  comparePeerHead,
  createAuthoritySync,
  createControlClient,
  decodeBase64url,
  decodeSigned,
  encodeSigned,
  FORK_EVIDENCE,
  keyIdOf,
  openAuthorityStore,
  readAckedInTime,
  reportFork,
  standingOf,
} from '@postern/core'
import { unixSeconds } from '@postern/daemon'
import type { ConnectorDeps } from '../deps.ts'
import type { Events } from '../events.ts'
import type { Trouble } from '../trouble.ts'
import { trouble } from '../trouble.ts'
import type { Agent } from './agent.ts'
import { openSharedFiles } from './shared-files.ts'

/** Where a server is, by the verified log and by nothing else. */
export interface Place {
  readonly gateway: AtSign
  /** Key id of its `auth` key, 32 bytes: its address at a relay. */
  readonly address: Uint8Array
  /** Its `channel` key, 32 bytes: whom the handshake must prove. */
  readonly channelKey: Uint8Array
}

/** The connector's own copy of the authority log, and what it wants to know of it. */
export interface AgentAuthority {
  readonly mirror: AuthorityMirror
  readonly client: ControlClient
  /** The gateway in front of a server, or why there is none for us now. */
  locate(server: string): Place | Trouble
  /** Our verified log has an enrolment of exactly our keys; whether it still counts is another matter. */
  readonly isEnrolled: boolean
  /** Live keys of an identity, for grants and receipts. */
  readonly resolve: KeyResolver
  /** Pulls what is new, once however many ask. @returns false when it failed or is incomplete. */
  refresh(): Promise<boolean>
  /**
   * Why nobody lets this agent in although our log says that they should: what has happened is fetched, and when the control plane does not
   * know our key any more either, that is said. Two hints, believed for nothing but the words that the client gets.
   */
  whyNotAdmitted(): Promise<Trouble | undefined>
  /** Whether our log can stand beside what a gateway says of its own. Fetches what we lack first. Undefined = yes. */
  judge(head: PeerHead): Promise<Trouble | undefined>
}

export async function openAuthority(agent: Agent, control: string, deps: ConnectorDeps, events: Events): Promise<AgentAuthority> {
  const store = await openAuthorityStore(await openSharedFiles(agent.directory))
  const mirror = await AuthorityMirror.open(agent.org, store, deps)
  const client = createControlClient(control, agent.keys.auth, deps)
  return new Authority(agent, mirror, client, deps, events, await store.hasEvidence(FORK_EVIDENCE))
}

class Authority implements AgentAuthority {
  readonly mirror: AuthorityMirror
  readonly client: ControlClient
  readonly #agent: Agent
  readonly #deps: ConnectorDeps
  readonly #sync: ReturnType<typeof createAuthoritySync>
  readonly #alarm: (alarm: AuthorityAlarm) => void
  readonly #onFailure: (error: unknown) => void
  #isForked: boolean
  #refreshing: Promise<boolean> | undefined
  /** Why the last pull failed; undefined after one that did not. */
  #failure: { readonly status?: number; readonly message: string } | undefined

  constructor(agent: Agent, mirror: AuthorityMirror, client: ControlClient, deps: ConnectorDeps, events: Events, isForked: boolean) {
    this.#agent = agent
    this.mirror = mirror
    this.client = client
    this.#deps = deps
    this.#isForked = isForked
    this.#alarm = (alarm) => {
      if (alarm.kind === 'FORKED' && alarm.proven) this.#isForked = true
      events.authorityAlarm(alarm)
    }
    this.#sync = createAuthoritySync({
      ...{ mirror, client, suite: deps.suite, wantsPolicy: false, alarm: this.#alarm },
      lookAgain: (entries) => readAckedInTime({ mirror, client, self: agent.atsign, ...deps }, entries),
    })
    this.#onFailure = events.syncFailed
  }

  locate(server: string): Place | Trouble {
    return this.#obstacle() ?? this.#placeOf(server)
  }

  get isEnrolled(): boolean {
    const { atsign, keys } = this.#agent
    const known = this.mirror.snapshot.state?.identities.get(atsign)
    return known?.keys.some((key) => keyIdOf(key) === keys.call.kid) === true
  }

  resolve: KeyResolver = (iss, kid, use) => liveKey(this.mirror, iss, kid, use)

  refresh(): Promise<boolean> {
    this.#refreshing ??= this.#pull().finally(() => {
      this.#refreshing = undefined
    })
    return this.#refreshing
  }

  async whyNotAdmitted(): Promise<Trouble | undefined> {
    await this.refresh()
    const obstacle = this.#obstacle()
    if (obstacle || !isTurnedAway(this.#failure)) return obstacle
    return trouble('REVOKED', 'it is admitted nowhere, and the control plane does not know its key any more')
  }

  async judge(head: PeerHead): Promise<Trouble | undefined> {
    const { suite } = this.#deps
    let verdict = comparePeerHead(this.mirror, head, suite)
    if (verdict.kind === 'ahead') {
      await this.refresh()
      verdict = comparePeerHead(this.mirror, head, suite)
    }
    if (verdict.kind === 'same') return this.#obstacle()
    if (verdict.kind === 'forked') {
      await reportFork({ mirror: this.mirror, suite, alarm: this.#alarm }, head.log.seq, decodeSigned(head.head))
      return trouble('LOG_FORKED')
    }
    if (verdict.kind === 'ahead')
      return trouble('LOG_BEHIND', `the gateway has statement ${head.log.seq}, which the control plane does not give us`)
    return trouble('GATEWAY_UNREACHABLE', 'what it says about the authority log does not add up')
  }

  async #pull(): Promise<boolean> {
    try {
      const isComplete = await this.#sync.run()
      this.#failure = undefined
      return isComplete
    } catch (error) {
      const { message } = error as Error
      if (message !== this.#failure?.message) this.#onFailure(error) // once, however often it is tried
      this.#failure = error as Error
      return false
    }
  }

  /** Why this agent can do nothing at all now. */
  #obstacle(): Trouble | undefined {
    const { state, revocations, missing } = this.mirror.snapshot
    if (this.#isForked) return trouble('LOG_FORKED')
    if (!state) return trouble('NOT_ENROLLED', this.#whyNothing())
    if (missing.length > 0) return trouble('LOG_BEHIND', `${missing.length} revocations that the log names have not arrived`)
    const { atsign, keys } = this.#agent
    const standing = standingOf(state, revocations, atsign, unixSeconds(this.#deps.clock))
    if (!standing.ok) return standing.reason === 'REVOKED' ? trouble('REVOKED') : trouble('NOT_ENROLLED', whyNot[standing.reason](atsign))
    const isOurs = standing.identity.keys.some((key) => keyIdOf(key) === keys.call.kid)
    return isOurs ? undefined : trouble('NOT_ENROLLED', `${atsign} is enrolled with other keys than those on this machine`)
  }

  #whyNothing(): string {
    if (!this.#failure) return 'nothing of the authority log has arrived yet'
    if (isTurnedAway(this.#failure)) return whyNot.NOT_ENROLLED(this.#agent.atsign)
    return `the authority log cannot be fetched: ${this.#failure.message}`
  }

  #placeOf(server: string): Place | Trouble {
    const { state, revocations } = this.mirror.snapshot
    const pin = state?.servers.get(server)
    if (!state || !pin) return trouble('SERVER_UNKNOWN', `no gateway stands in front of ${server} in the authority log`)
    const standing = standingOf(state, revocations, pin.gateway, unixSeconds(this.#deps.clock))
    if (!standing.ok) return trouble('GATEWAY_UNREACHABLE', `${pin.gateway} is ${standing.reason.toLowerCase().replaceAll('_', ' ')}`)
    const [auth, channel] = (['auth', 'channel'] as const).map((use) => standing.identity.keys.find((key) => key.use === use))
    if (!auth || !channel) return trouble('GATEWAY_UNREACHABLE', `${pin.gateway} has no channel key`)
    return { gateway: pin.gateway, address: decodeBase64url(keyIdOf(auth)), channelKey: decodeBase64url(channel.key) }
  }
}

const isTurnedAway = (failure: { readonly status?: number } | undefined): boolean => failure?.status === 401 || failure?.status === 403

const whyNot = {
  NOT_ENROLLED: (atsign: string) => `${atsign} waits to be enrolled: an administrator compares the words and signs, see postern pending`,
  EXPIRED: (atsign: string) => `the enrolment of ${atsign} has run out`,
  OWNER_GONE: (atsign: string) => `the owner of ${atsign} is not enrolled any more`,
}

function liveKey(mirror: AuthorityMirror, atsign: AtSign, kid: KeyId, use: PublicKey['use']): PublicKey | undefined {
  const known = mirror.snapshot.state?.keys.get(kid)
  return known?.live && known.atsign === atsign && known.use === use ? known.key : undefined
}

/** What we tell a gateway about our log, in the first message of a channel. */
export function headOf({ mirror }: Pick<AgentAuthority, 'mirror'>) {
  const { state } = mirror.snapshot
  const head = mirror.headStatement
  if (!state || !head) throw new TypeError('there is no log to speak of')
  return { log: { seq: state.seq, head: state.head }, head: encodeSigned(head), revocations: mirror.revocationsDigest().digest }
}
