import type { ControlClient } from '@postern/core'
import type { Log } from '@postern/daemon'
import type { CallLog } from './call-log.ts'

const maxAtOnce = 200

interface IngestAnswer {
  readonly refused: readonly { readonly index: number; readonly code: string }[]
}

/** Brings receipts to the control plane, in order and in batches. What it has is told by the journal, so a restart goes on where it was. */
export interface ReceiptPoster {
  /** Posts what is pending, if it is not doing so already. Never rejects. */
  post(): Promise<void>
}

export function createReceiptPoster(calls: CallLog, client: ControlClient, log: Log): ReceiptPoster {
  let running: Promise<void> | undefined

  const postAll = async () => {
    for (let batch = calls.pendingReceipts(maxAtOnce); batch.length > 0; batch = calls.pendingReceipts(maxAtOnce)) {
      const json = { receipts: batch.map(({ receipt }) => receipt) }
      const { refused = [] } = (await client.call<IngestAnswer>('/api/v1/receipts', { json })) ?? {}
      // A receipt that it will never take must not keep the others back. It stays in the journal.
      if (refused.length > 0) log.error({ refused: refused.length, code: refused[0]?.code }, 'the control plane refuses receipts')
      calls.posted(batch)
    }
  }
  return {
    post() {
      running ??= postAll()
        .catch((error) => log.debug({ code: (error as { code?: string }).code }, 'receipts could not be posted'))
        .finally(() => {
          running = undefined
        })
      return running
    },
  }
}
