import type { AtSign, AuthorityAlarm, Refusal } from '@postern/core'
import type { Log, Metrics } from '@postern/daemon'
import { errnoOf } from '@postern/daemon'

export type Events = ReturnType<typeof createEvents>

/** Everything worth telling an operator: one function per event, with its line and its counter. Never arguments, results or tokens. */
export function createEvents(log: Log, metrics: Metrics) {
  const count = (name: string) => metrics.counter(name)
  const counters = {
    channels: count('channels_opened'),
    lost: count('channels_lost'),
    calls: count('calls'),
    refused: count('refused'),
    grants: count('grants'),
    dropped: count('messages_dropped'),
    alarms: count('authority_alarms'),
  }
  return {
    channelOpened(gateway: AtSign) {
      counters.channels.add()
      log.info({ gateway }, 'connected to the gateway')
    },
    channelEnded(gateway: AtSign, reason: string) {
      counters.lost.add()
      log.info({ gateway, reason }, 'channel to the gateway ended')
    },
    inTrouble({ code, why }: Refusal, retryInMs: number) {
      log.warn({ code, retryInMs }, why)
    },
    relayDown(code: string, message: string, retryInMs: number) {
      log.debug({ code, retryInMs }, message)
    },
    grantGot: () => counters.grants.add(),
    called: () => counters.calls.add(),
    refused(code: string) {
      counters.refused.add()
      log.debug({ code }, 'refused')
    },
    /** Something came that belongs to nothing here, or makes no sense. */
    dropped(what: string, bytes: number) {
      counters.dropped.add()
      log.debug({ what, bytes }, 'message dropped')
    },
    receiptRefused(code: string) {
      log.error({ code }, 'a result came without a receipt that proves it')
    },
    authorityAlarm({ kind, ...facts }: AuthorityAlarm) {
      counters.alarms.add()
      log.error({ kind, ...facts }, 'the authority log needs a look')
    },
    syncFailed(error: unknown) {
      log.warn({ code: codeOf(error) }, 'the authority log could not be fetched')
    },
    relaysUnknown(error: unknown) {
      log.debug({ code: codeOf(error) }, 'the control plane did not say where relays are')
    },
    failed(error: unknown, what: string) {
      log.error({ err: error }, what)
    },
  }
}

const codeOf = (error: unknown) => errnoOf(error) ?? 'INTERNAL'
