import type { Log, Metrics } from '@postern/daemon'

/** What happens at a relay, once as a log line and once as a counter. Frames are never logged, nor whom they are for. */
export interface Events {
  joined(): void
  left(): void
  refused(code: string): void
  forwarded(bytes: number): void
  shed(): void
  admissionFailed(error: unknown): void
}

export function createEvents(log: Log, metrics: Metrics): Events {
  const count = (name: string) => metrics.counter(`relay_${name}_total`)
  const [joins, departures, refusals, frames, bytes, sheds, failures] = [
    count('joins'),
    count('departures'),
    count('refusals'),
    count('frames'),
    count('bytes'),
    count('sheds'),
    count('admission_failures'),
  ]
  return {
    joined: () => joins.add(),
    left: () => departures.add(),
    refused(code) {
      refusals.add()
      log.debug({ code }, 'refused a peer')
    },
    forwarded(size) {
      frames.add()
      bytes.add(size)
    },
    shed() {
      sheds.add()
      log.warn('closed a peer that did not read')
    },
    admissionFailed(error) {
      failures.add()
      log.warn({ err: error }, 'cannot ask the control plane whom to admit')
    },
  }
}
