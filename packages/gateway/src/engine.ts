import type { AuthorityMirror, ControlClient } from '@postern/core'
import { createControlClient, FORK_EVIDENCE, AuthorityMirror as Mirror, openAuthorityStore } from '@postern/core'
import type { Disposers, StateDir } from '@postern/daemon'
import { HeldCalls } from './approvals/held-calls.ts'
import type { Authoriser } from './authorise/authorise.ts'
import { createAuthoriser } from './authorise/authorise.ts'
import type { Rates } from './authorise/rates.ts'
import { createRates } from './authorise/rates.ts'
import { createGrantUses } from './authorise/uses.ts'
import type { Calls } from './authorise/world.ts'
import type { Trust } from './authority/trust.ts'
import { createTrust } from './authority/trust.ts'
import type { AuthorityView } from './authority/view.ts'
import { createAuthorityView } from './authority/view.ts'
import { CallLog } from './calls/call-log.ts'
import type { ReceiptWriter } from './calls/receipts.ts'
import { createReceiptWriter } from './calls/receipts.ts'
import type { Checks } from './checks/checks.ts'
import { openChecks } from './checks/checks.ts'
import type { ClockGuard } from './clock-guard.ts'
import { openClockGuard } from './clock-guard.ts'
import type { GatewayConfig } from './config.ts'
import type { GatewayDeps } from './deps.ts'
import type { Epoch } from './epoch.ts'
import { openEpoch } from './epoch.ts'
import type { GrantsOut } from './grants/grants-out.ts'
import { createGrantsOut } from './grants/grants-out.ts'
import type { Issuer } from './grants/issue.ts'
import { createIssuer } from './grants/issue.ts'
import type { Identity } from './identity.ts'

/** What a gateway knows and decides with: everything that is on its own disk or follows from it. It reaches nobody. */
export interface Engine {
  readonly identity: Identity
  readonly epoch: Epoch
  readonly guard: ClockGuard
  readonly mirror: AuthorityMirror
  readonly trust: Trust
  readonly view: AuthorityView
  readonly rates: Rates
  readonly receipts: ReceiptWriter
  readonly calls: CallLog
  readonly held: HeldCalls
  readonly authoriser: Authoriser
  readonly issuer: Issuer
  readonly grantsOut: GrantsOut
  readonly checks: Checks
  readonly client: ControlClient
}

const mebibyte = 1 << 20
/** What calls that wait for a person may take in all. */
const heldBytes = 64 * mebibyte

/** @param onJump The clock jumped: everything that relied on it is void. */
export async function openEngine(
  state: StateDir,
  identity: Identity,
  config: GatewayConfig,
  deps: GatewayDeps,
  disposers: Disposers,
  onJump: (seconds: number) => void,
): Promise<Engine> {
  const { suite, random, clock } = deps
  const { atsign: self, pin, keys } = identity
  const org = pin.org
  const opened = await openEpoch(state, random)
  const epoch = () => opened.value
  const guard = await openClockGuard(state, deps, onJump)
  const mirror = await openMirror(org, state, deps, disposers)
  const isForked = await mirror.store.hasEvidence(FORK_EVIDENCE)
  const trust = createTrust({ clock, guard, isEpochDurable: () => opened.isDurable, isForked })
  const view = createAuthorityView(mirror, self, trust)
  const rates = createRates()
  const receipts = createReceiptWriter({ org, self, key: keys.receipt, epoch, suite })
  const calls = disposers.use(await openCalls(state, identity, config, deps, { rates, receipts, now: guard.now() }))
  const uses = createGrantUses()
  const { held_calls: max, held_calls_per_agent: maxPerAgent } = config.limits
  const held = new HeldCalls({ max, maxPerAgent, maxBytes: heldBytes })
  const known: Calls = {
    find: (agent, id) => calls.find(agent, id) ?? held.find(agent, id),
    askedForInput: (agent, cth) => calls.askedForInput(agent, cth),
  }
  const world = { self: { atsign: self, org }, suite, epoch, authority: view, uses, rates, calls: known }
  const grantsOut = createGrantsOut({ epoch, authority: view, uses })
  return {
    ...{ identity, epoch: opened, guard, mirror, trust, view, rates, receipts, calls, held },
    authoriser: createAuthoriser(world),
    issuer: createIssuer({ org, self, key: keys.issue, epoch, view, suite, random, onIssued: grantsOut.add }),
    grantsOut,
    checks: disposers.use(openChecks()),
    client: createControlClient(config.control ?? pin.control, keys.auth, deps),
  }
}

async function openMirror(org: string, state: StateDir, deps: GatewayDeps, disposers: Disposers): Promise<AuthorityMirror> {
  const store = await openAuthorityStore(state)
  disposers.add(() => store.close())
  return Mirror.open(org, store, {
    ...deps,
    onUnreadablePolicy: (policy, code) =>
      deps.log.error({ policy, code }, 'ALARM: the signed policy cannot be read, so nothing is allowed'),
  })
}

async function openCalls(
  state: StateDir,
  { journalKey }: Identity,
  { journal }: GatewayConfig,
  { suite, random, log }: GatewayDeps,
  known: { rates: Rates; receipts: ReceiptWriter; now: number },
): Promise<CallLog> {
  return CallLog.open(await state.folder('journal'), {
    ...known,
    ...{ key: journalKey.expose(), cipher: suite, random },
    segmentBytes: journal.segment_megabytes * mebibyte,
    retainBytes: journal.megabytes * mebibyte,
    onLost: (receipts) => log.error({ receipts }, 'ALARM: receipts were dropped before the control plane took them'),
    onTorn: (segment, bytes) => log.warn({ segment, bytes }, 'the journal had a torn end, which was cut off'),
  })
}
