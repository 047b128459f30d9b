import type { AtSign, AuthorityAlarm, AuthorityMirror, ControlClient } from '@postern/core'
import { pullLog, readAckedInTime } from '@postern/core'
import { CliError } from '../errors.ts'
import { surroundings } from '../surroundings.ts'

/**
 * Brings a mirror up to what the control plane has. A person may sign after statements that nobody applied in time (an edge waits), because
 * somebody has to: but is told.
 * @returns warnings
 * @throws {CliError} exit code 8 when what is there is not the log that we know
 */
export async function pull(mirror: AuthorityMirror, client: ControlClient): Promise<readonly string[]> {
  const { alarms, late } = await pullLog({
    ...{ mirror, client, suite: surroundings.suite },
    lookAgain: (entries) => readAckedInTime({ mirror, client, self: NO_GATEWAY, ...surroundings }, entries),
  })
  for (const alarm of alarms) refuse(alarm)
  return [...(late === undefined ? [] : [lateText(late)]), ...new Set(alarms.flatMap(warningOf))] // a second round finds the same again
}

/** A gateway does not count its own acks; whoever sits here is none. */
const NO_GATEWAY = '' as AtSign

const lateText = (seq: number): string =>
  `statement ${seq} and what follows reached this machine after the time in which edges take them up; what you sign now confirms them`

/** @throws {CliError} for everything that contradicts what this machine knows */
function refuse(alarm: AuthorityAlarm): void {
  switch (alarm.kind) {
    case 'WRONG_ORGANISATION':
      throw new CliError('WRONG_ORGANISATION', 'this is not the organisation you pinned', {
        why: 'the control plane serves another one: wrong address, another organisation, or an attack',
        fix: "compare the eight words of 'postern org show' with another administrator's; never continue without it",
        exit: 'verification',
      })
    case 'ROLLED_BACK':
      throw new CliError('LOG_ROLLED_BACK', `the control plane's log ends before statement ${alarm.seq}, which this machine has verified`, {
        why: `it ends at ${alarm.found}; both heads are kept in the state directory`,
        exit: 'verification',
      })
    case 'FORKED':
      throw forked(`at ${alarm.seq}, ${alarm.proven ? 'signed by an administrator' : 'not signed by any administrator known here'}`)
    case 'REFUSED':
      throw new CliError('LOG_REFUSED', `statement ${alarm.seq} of the log does not verify`, {
        why: alarm.code,
        fix: 'do not continue: the control plane serves what nobody entitled signed',
        exit: 'verification',
      })
    case 'HALTED':
      throw new CliError('LOG_HALTED', `statement ${alarm.seq} is of a kind that this version does not know`, {
        why: alarm.why,
        fix: 'upgrade Postern on this machine',
        exit: 'failed',
      })
    case 'WAITING':
    case 'REVOCATION_REFUSED':
      return
  }
}

const forked = (why: string) =>
  new CliError('LOG_FORKED', 'the control plane shows another log than the one that this machine has verified', {
    why,
    exit: 'verification',
  })

function warningOf(alarm: AuthorityAlarm): readonly string[] {
  if (alarm.kind === 'WAITING') return [`statement ${alarm.seq} is dated ahead of this machine's clock and is left out: check the clock`]
  if (alarm.kind === 'REVOCATION_REFUSED') return [`a revocation that the control plane serves counts for nothing here (${alarm.code})`]
  return []
}
