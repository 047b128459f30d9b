import type { AtSign, AuthorityMirror, Beyond, Identity, KeyId, PublicKey, Snapshot, State } from '@postern/core'
import { access, isRevoked, keyIdOf, MAX_APPROVERS, MAX_HOLD_KEYS, permitsBeyond, standingOf } from '@postern/core'
import type { Approver, Authority, LiveAgent } from '../authorise/candidate.ts'
import { no } from '../authorise/candidate.ts'
import type { Admission } from '../link/channels.ts'
import type { Trust } from './trust.ts'

/** What the rest of the gateway asks of authority: the authoriser's questions, the channels', and those about what a name may see. */
export interface AuthorityView extends Authority, Admission {
  readonly snapshot: Snapshot
  /** Whether this gateway itself is enrolled and may act. */
  isSelfLive(now: number): boolean
  /** Whether the agent could ever be allowed to call the tool: what tools/list shows and grants are given for. */
  mayEverCall(agent: LiveAgent, server: string, tool: string): boolean
  /** Whether the policy permits the agent a thing of the server that is no tool. */
  mayUse(atsign: AtSign, server: string, wanted: Beyond, now: number): boolean
  /** Servers that the log says this gateway fronts. */
  fronts(server: string): boolean
  pinnedTools(server: string): readonly string[]
}

interface Remembered {
  readonly agent: LiveAgent
  /** Unix seconds: a lease ends then. Suspensions cannot begin without a new snapshot. */
  readonly until: number
}

/** The view of one mirror by one gateway. Answers are remembered for as long as the snapshot they came from, and never a "no". */
export function createAuthorityView(mirror: AuthorityMirror, self: AtSign, trust: Trust): AuthorityView {
  let agents = new Map<AtSign, Remembered>()
  let version = -1
  let selfUntil = 0

  const current = (): State | undefined => {
    const { snapshot } = mirror
    if (snapshot.version !== version) {
      version = snapshot.version
      agents = new Map()
      selfUntil = 0
    }
    return snapshot.state
  }
  const agent = (atsign: AtSign, now: number): LiveAgent | undefined => {
    const state = current()
    const known = agents.get(atsign)
    if (known && now < known.until) return known.agent
    const found = state && readAgent(state, mirror.snapshot, atsign, now)
    if (found) agents.set(atsign, found)
    return found?.agent
  }
  const isSelfLive = (now: number): boolean => {
    const state = current()
    if (now < selfUntil) return true
    if (!state) return false
    const standing = standingOf(state, mirror.snapshot.revocations, self, now)
    if (!standing.ok || standing.identity.kind !== 'gateway') return false
    selfUntil = standing.identity.exp ?? Number.POSITIVE_INFINITY
    return true
  }
  const pinsOf = (server: string) => {
    const pins = mirror.snapshot.state?.servers.get(server)
    return pins?.gateway === self ? pins.tools : undefined
  }
  return {
    get snapshot() {
      return mirror.snapshot
    },
    get policy() {
      return mirror.snapshot.policy
    },
    agent,
    isSelfLive,
    isGrantRevoked: (hash, now) => {
      const { state, revocations } = mirror.snapshot
      return !state || isRevoked(revocations, state, { grant: hash }, now) !== undefined
    },
    trouble(risk, now) {
      if (!isSelfLive(now)) return no('NOT_ENROLLED', 'this gateway is not enrolled, or has been revoked')
      return trust.trouble(mirror.snapshot, risk)
    },
    issueKey: (kid) => liveKey(mirror.snapshot.state, self, kid, 'issue'),
    pin: (server, tool) => pinsOf(server)?.get(tool),
    approvers: (names, now) => approversOf(mirror.snapshot, names, now),
    fronts: (server) => pinsOf(server) !== undefined,
    pinnedTools: (server) => [...(pinsOf(server)?.keys() ?? [])],
    mayEverCall({ subject, servers }, server, tool) {
      const pin = pinsOf(server)?.get(tool)
      const { policy } = mirror.snapshot
      if (!pin || !policy || (servers && !servers.includes(server))) return false
      return access(policy.document, subject, server, tool, pin.risk).effect !== 'deny'
    },
    mayUse(atsign, server, wanted, now) {
      const found = agent(atsign, now)
      const { policy } = mirror.snapshot
      if (!found || !policy || (found.servers && !found.servers.includes(server))) return false
      return permitsBeyond(policy.document, found.subject, server, wanted)
    },
    agentOfAuthKey(kid) {
      const known = mirror.snapshot.state?.keys.get(kid)
      return known?.live && known.use === 'auth' && agent(known.atsign, trust.now()) ? known.atsign : undefined
    },
    isChannelKey: (atsign, kid) => agent(atsign, trust.now())?.channelKid === kid,
  }
}

function readAgent(state: State, { revocations }: Snapshot, atsign: AtSign, now: number): Remembered | undefined {
  const standing = standingOf(state, revocations, atsign, now)
  if (!standing.ok || standing.identity.kind !== 'agent') return undefined
  const { identity } = standing
  const owner = identity.owner && state.identities.get(identity.owner)
  const until = Math.min(identity.exp ?? Number.POSITIVE_INFINITY, owner?.exp ?? Number.POSITIVE_INFINITY)
  const agent = liveAgent(identity)
  return agent && { agent, until }
}

function liveAgent(identity: Identity): LiveAgent | undefined {
  const call = identity.keys.find((key) => key.use === 'call')
  const channel = identity.keys.find((key) => key.use === 'channel')
  if (!call || !channel) return undefined
  const { atsign, tags, owner, servers, enrolment } = identity
  const subject = { atsign, tags, ...(owner === undefined ? {} : { owner }) }
  return { subject, enrolment, callKey: call, callKid: keyIdOf(call), channelKid: keyIdOf(channel), servers }
}

function liveKey(state: State | undefined, atsign: AtSign, kid: KeyId, use: PublicKey['use']): PublicKey | undefined {
  const known = state?.keys.get(kid)
  return known?.live && known.atsign === atsign && known.use === use ? known.key : undefined
}

/** Those who are live now and can open what is sealed to them; a hold has room for so many. */
function approversOf({ state, revocations }: Snapshot, names: readonly AtSign[], now: number): readonly Approver[] {
  if (!state) return []
  const found: Approver[] = []
  let count = 0
  for (const atsign of [...names].sort()) {
    const standing = standingOf(state, revocations, atsign, now)
    if (!standing.ok || standing.identity.kind !== 'person') continue
    const keys = standing.identity.keys.filter((key) => key.use === 'seal' && !isRevoked(revocations, state, { kid: keyIdOf(key) }, now))
    if (keys.length === 0 || found.length >= MAX_APPROVERS || count + keys.length > MAX_HOLD_KEYS) continue
    count += keys.length
    found.push({ atsign, keys })
  }
  return found
}
