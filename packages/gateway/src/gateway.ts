import type { HealthReport, Running } from '@postern/daemon'
import { createHealth, Disposers, openHealthSocket, openStateDir } from '@postern/daemon'
import { Approvals } from './approvals/approvals.ts'
import { no } from './authorise/candidate.ts'
import type { Inbox } from './authority/inbox.ts'
import { openInbox } from './authority/inbox.ts'
import { Keeper } from './authority/keeper.ts'
import { createReceiptPoster } from './calls/poster.ts'
import { Runner } from './calls/runner.ts'
import type { GatewayConfig } from './config.ts'
import type { WatchedConfig } from './config-watch.ts'
import { watchConfig } from './config-watch.ts'
import type { GatewayDeps } from './deps.ts'
import { systemDeps } from './deps.ts'
import { createDesk } from './desk.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './engine.ts'
import { createRestDoor } from './grants/rest-door.ts'
import { readIdentity } from './identity.ts'
import { Channels } from './link/channels.ts'
import { RelayLinks } from './link/relay-links.ts'
import { createPresence } from './presence.ts'
import { Sessions } from './session/sessions.ts'
import { version } from './version.ts'

export interface RunningGateway extends Running {
  health(): HealthReport
}

/** Name under which a gateway's health can be read on its machine (`readHealth` of @postern/daemon). */
export const healthName = (atsign: string): string => `gateway-${atsign}`

/**
 * Runs one gateway until it is closed. It opens no listening socket but a private Unix one for health; it dials the control plane and relays
 * and keeps doing so. It may be started before it is enrolled: it serves when its own verified copy of the log says that it is.
 * @throws {GatewayError} NOT_ENROLLED when there are no keys, STATE_CORRUPT, JOURNAL_CORRUPT
 * @throws {EdgeError} KEYS_INVALID, PIN_INVALID, STATE_CORRUPT, LOG_ROLLED_BACK
 * @throws {OperationError} KEY_FILE_MODE, STATE_DIR_UNSAFE, LOCKED, STORAGE_FAILED, ALREADY_RUNNING
 */
export async function start(config: GatewayConfig, deps: GatewayDeps = systemDeps()): Promise<RunningGateway> {
  const disposers = new Disposers()
  try {
    return await open(config, deps, disposers)
  } catch (error) {
    await disposers.dispose()
    throw error
  }
}

async function open(config: GatewayConfig, deps: GatewayDeps, disposers: Disposers): Promise<RunningGateway> {
  const state = await openStateDir('gateway', config.atsign, config.stateRoot)
  disposers.use(await state.lock())
  const identity = await readIdentity(state, config.atsign)
  let afterJump = (_seconds: number): void => {}
  const engine = await openEngine(state, identity, config, deps, disposers, (seconds) => afterJump(seconds))
  const watched = disposers.use(await watchConfig(config, () => void house.refreshTools(), deps.log))
  const house = connect(engine, config, watched, deps)
  disposers.add(() => house.close())
  const inbox = disposers.use(await openInbox(state, (bytes) => house.keeper.revoke(bytes), deps.log))
  afterJump = house.afterJump
  const health = createHealth('gateway', () => house.health())
  disposers.use(await openHealthSocket(health, healthName(config.atsign), socketPlaces(config)))
  disposers.use(house.run(inbox))
  return {
    ready: `gateway ${config.atsign} · ${Object.keys(config.servers).length} servers · log at ${engine.mirror.snapshot.state?.seq ?? 'nothing yet'}`,
    health: () => health.report(),
    close: () => disposers.dispose(),
  }
}

const socketPlaces = ({ runtimeRoot, stateRoot, path }: GatewayConfig) => ({ runtime: runtimeRoot, state: stateRoot, config: path })

const secondMs = 1_000
const reportMs = 15_000
/** Grants live for a minute: people see them while they do. */
const grantsMs = 2_000
const maxSyncSeconds = 60
/** Calls that run when the gateway is told to stop may finish within this time. */
const drainMs = 3_000
/** What is still to be said to the control plane is in the journal too, so nobody waits long for an answer. */
const farewellMs = 1_500

/** Puts the parts together that talk: to servers below, to agents over relays, to the control plane. */
function connect(engine: Engine, config: GatewayConfig, watched: WatchedConfig, deps: GatewayDeps) {
  const { log, suite, random, clock } = deps
  const { identity, mirror, trust, view, receipts, calls, held, authoriser, issuer, client, guard, grantsOut } = engine
  const { atsign: self, pin, keys } = identity
  const parts = {
    ...{ org: pin.org, self, view, suite, random, log, client, epoch: () => engine.epoch.value },
    ...{ now: () => guard.now(), monotonic: () => clock.monotonic() },
  }
  const below = { ...parts, config: () => watched.file, environment: config.environment, open: deps.openUpstream(log) }
  const sessions = new Sessions({
    ...below,
    onCancelled: (session, id) => approvals.cancel(session, id),
    onGone: (session) => approvals.leave(session),
  })
  const approvals = new Approvals({ ...parts, receiptKey: keys.receipt, held, authoriser })
  const runner = new Runner({ ...parts, authoriser, calls, receipts, approvals, held, checks: engine.checks })
  const door = createRestDoor({ ...parts, key: keys.seal, issuer })
  const presence = createPresence({ ...below, version, grantsOut, onRelays: (urls) => links.set(watched.file.relays ?? urls) })
  const keeper = new Keeper({
    ...parts,
    mirror,
    trust,
    deps,
    receiptKey: keys.receipt,
    onAsk: door.onAsk,
    onDecision: (data) => void approvals.onDecision(data),
    onConnected: () => {
      void presence.report()
      void approvals.reconcile()
    },
  })
  const desk = createDesk({ ...parts, keeper, sessions, runner, issuer, mirror })
  const limits = { maxPerAgent: config.limits.channels_per_agent }
  const channels = new Channels({ ...parts, ...limits, key: keys.channel, admission: view, events: desk, deps })
  const links = new RelayLinks(pin.org, keys.auth, (link) => channels.eventsFor(link), deps)
  const poster = createReceiptPoster(calls, client, log)

  mirror.onChange(() => {
    approvals.recheck() // first: whoever waits is told why, before its channel ends
    channels.endInadmissible()
    sessions.closeInadmissible()
  })
  const refreshTools = async () => {
    await presence.probe()
    await presence.report()
  }
  let reportedChanges = 0
  const reportGrants = () => {
    if (grantsOut.changes === reportedChanges) return
    reportedChanges = grantsOut.changes
    void presence.report()
  }
  return {
    keeper,
    refreshTools,
    afterJump(seconds: number): void {
      log.error({ seconds }, 'ALARM: the clock jumped; a new epoch begins')
      trust.forget()
      approvals.endAll('the clock of the gateway jumped')
      engine.epoch.renew().catch((err) => log.error({ err }, 'the new epoch could not be written'))
      channels.endAll('CLOCK_JUMPED')
      void keeper.sync()
    },
    run(inbox: Inbox): Disposable {
      if (watched.file.relays) links.set(watched.file.relays)
      keeper.follow()
      void inbox.sweep()
      void presence.report().then(refreshTools)
      const timers = [
        deps.every(secondMs, () => {
          const now = guard.now()
          guard.tick()
          keeper.tick(Math.min(maxSyncSeconds, (view.policy?.document.staleSeconds.effects ?? maxSyncSeconds) / 3))
          sessions.sweep()
          approvals.tick()
          channels.endInadmissible() // leases end without a statement
          channels.sweep((channel) => sessions.isBusy(channel))
          calls.sweep(now)
          engine.rates.sweep(now)
          void poster.post()
        }),
        deps.every(grantsMs, reportGrants),
        deps.every(reportMs, () => {
          void presence.report()
          void inbox.sweep()
        }),
      ]
      return { [Symbol.dispose]: () => timers.forEach((timer) => timer[Symbol.dispose]()) }
    },
    health: (): HealthReport => ({
      ...healthOf(engine, guard.now()),
      ...{ connected: keeper.isConnected, relays: links.urls.length, relays_up: links.up },
      ...{ channels: channels.count, sessions: sessions.count, calls_running: sessions.running, calls_held: held.size },
    }),
    async close(): Promise<void> {
      approvals.endAll('the gateway stops')
      await sessions.drain(drainMs)
      channels.endAll('STOPPING')
      await sessions.closeAll()
      await links[Symbol.asyncDispose]()
      await within(farewellMs, Promise.all([poster.post(), approvals.settle()]))
      await within(farewellMs, keeper[Symbol.asyncDispose]())
    },
  }
}

async function within(ms: number, done: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, ms)
  await Promise.race([done, late.promise])
  clearTimeout(timer)
}

function healthOf({ identity, mirror, view, trust, calls }: Engine, now: number): HealthReport {
  const { state, revocations, policy } = mirror.snapshot
  const isPolicyMissing = state?.policy !== undefined && policy === undefined
  const trouble = view.trouble(undefined, now) ?? (isPolicyMissing ? no('NO_POLICY', 'the policy that was signed is not here') : undefined)
  return {
    status: trouble ? 'degraded' : 'ok',
    ...(trouble ? { code: trouble.code, why: trouble.why } : {}),
    ...{ atsign: identity.atsign, org: identity.pin.org, seq: state?.seq, head: state?.head, policy: policy?.digest },
    ...{ revocations: revocations.held.size, synced_seconds_ago: trust.age(), receipts_waiting: calls.pendingCount },
  }
}
