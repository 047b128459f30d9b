import type { ControlClient } from '@postern/core'
import type { Log } from '@postern/daemon'

/** What the control plane is told of a held call, as its API has it. */
export interface Stage {
  readonly id: string
  readonly status: 'waiting' | 'approved' | 'refused' | 'timed_out' | 'ended' | 'executed'
  readonly by?: string
  readonly code?: string
  readonly outcome?: string
  readonly ms?: number
}

interface Hold {
  readonly id: string
  readonly body: unknown
  /** The control plane will never take it. */
  readonly onRefused: (code: string) => void
  /** There is no use in it any more. */
  readonly isOver: () => boolean
}

/** Tells the control plane of held calls, in order, and again until it has heard. */
export interface Outbox {
  hold(hold: Hold): void
  stage(stage: Stage): void
  /** Tries again what could not be told, and resolves when there is nothing more that can. Never rejects. */
  send(): Promise<void>
}

const maxWaiting = 2_048
const maxStages = 64

/** The code of an answer that will not be another one; undefined for what passes. */
function refusalIn(error: unknown): string | undefined {
  const { status, code = 'INTERNAL' } = error as { status?: number; code?: string }
  return status !== undefined && status >= 400 && status < 500 ? code : undefined
}

export function createOutbox(client: ControlClient, log: Log): Outbox {
  const waiting: ({ readonly hold: Hold } | { readonly stage: Stage })[] = []
  let running: Promise<void> | undefined

  const holdFirst = async (hold: Hold): Promise<void> => {
    if (!hold.isOver()) {
      try {
        await client.call('/api/v1/approvals', { json: hold.body })
      } catch (error) {
        const code = refusalIn(error)
        if (code === undefined) throw error
        if (code !== 'REPLAYED') hold.onRefused(code) // that one it has: its answer was lost
      }
    }
    waiting.shift()
  }
  const stagesFirst = async (): Promise<void> => {
    const end = waiting.findIndex((one) => 'hold' in one)
    const stages = waiting
      .slice(0, Math.min(maxStages, end < 0 ? waiting.length : end))
      .flatMap((one) => ('stage' in one ? [one.stage] : []))
    try {
      await client.call('/api/v1/approvals/stages', { json: { stages } })
    } catch (error) {
      const code = refusalIn(error)
      if (code === undefined || code === 'TOO_MANY') throw error
      log.error({ code, stages: stages.length }, 'the control plane does not take what became of held calls') // it must not keep the rest back
    }
    waiting.splice(0, stages.length)
  }
  const sendAll = async () => {
    for (let first = waiting[0]; first; first = waiting[0]) await ('hold' in first ? holdFirst(first.hold) : stagesFirst())
  }
  const send = (): Promise<void> => {
    running ??= sendAll()
      .catch((error) => log.debug({ code: (error as { code?: string }).code }, 'held calls could not be told'))
      .finally(() => {
        running = undefined
      })
    return running
  }
  const add = (one: (typeof waiting)[number]) => {
    if (waiting.length >= maxWaiting) waiting.shift() // it learns the rest when it hears what is held
    waiting.push(one)
    void send()
  }
  return { hold: (hold) => add({ hold }), stage: (stage) => add({ stage }), send }
}
