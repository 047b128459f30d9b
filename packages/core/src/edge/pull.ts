import type { AuthorityAlarm, SyncOptions } from './authority-sync.ts'
import { createAuthoritySync, FORK_EVIDENCE } from './authority-sync.ts'

/** What a person should know before signing on top of what was pulled. */
export interface Pulled {
  /** Everything found on the way but `late`: most of it is a reason to sign nothing. */
  readonly alarms: readonly AuthorityAlarm[]
  /** This statement, and what follows it, reached this machine after the time in which edges take them up. */
  readonly late?: number
}

/**
 * Brings the mirror of a person's own machine up to what the control plane has. People may sign after statements that nobody applied in
 * time (an edge waits), because somebody has to: but are told. Does NOT decide what an alarm means: see the caller.
 * @returns a fork that was proven earlier as an alarm, without asking anybody
 * @throws what the network throws
 */
export async function pullLog(options: Omit<SyncOptions, 'alarm' | 'wantsPolicy'>): Promise<Pulled> {
  const { mirror, lookAgain = async () => () => false } = options
  if (await mirror.store.hasEvidence(FORK_EVIDENCE)) {
    return { alarms: [{ kind: 'FORKED', seq: mirror.snapshot.state?.seq ?? 0, proven: true }] }
  }
  const alarms: AuthorityAlarm[] = []
  let acceptsLate = false
  const sync = createAuthoritySync({
    ...options,
    ...{ wantsPolicy: false, alarm: (alarm: AuthorityAlarm) => alarms.push(alarm) },
    lookAgain: async (entries) => (acceptsLate ? () => true : lookAgain(entries)),
  })
  await sync.run()
  const late = alarms.filter((alarm) => alarm.kind === 'WAITING').find(({ why }) => why === 'PAST_NOT_AFTER')
  if (!late) return { alarms }
  acceptsLate = true
  alarms.splice(0)
  await sync.run()
  return { alarms, late: late.seq }
}
