import { Worker } from 'node:worker_threads'
import type { ThreadResult, ThreadTask } from './checks-thread.ts'

/** Tasks that wait. One more is answered with `busy`: nothing is let through unseen, and nothing piles up. */
const MAX_WAITING = 256
/** What starting the thread may take on top, on a busy machine. */
const START_MS = 10_000

export type Answer = ThreadResult & { readonly busy?: true }
/** Never rejects: what cannot be done is `failed`. */
export interface Thread extends AsyncDisposable {
  ask(task: ThreadTask): Promise<Answer>
}

/** One task at a time, so that the time limit is the task's own. Started when it is first needed; does not keep the process alive. */
export function createThread(limitMs: number): Thread {
  let worker: Worker | undefined
  let last = 0
  let tail: Promise<unknown> = Promise.resolve()
  let waiting = 0

  const stop = async () => {
    const ended = worker
    worker = undefined
    await ended?.terminate()
  }
  const perform = async (task: ThreadTask): Promise<Answer> => {
    const isCold = worker === undefined
    worker ??= start()
    last += 1
    const answer = await within(worker, last, task, limitMs + (isCold ? START_MS : 0))
    if (answer) return answer
    await stop()
    return { failed: `the check takes longer than ${limitMs} ms, or more memory than it may have` }
  }
  return {
    ask(task) {
      if (waiting >= MAX_WAITING) return Promise.resolve({ busy: true, failed: 'too much waits to be checked' })
      waiting += 1
      const mine = tail.then(() => perform(task)).finally(() => (waiting -= 1))
      tail = mine
      return mine
    },
    [Symbol.asyncDispose]: stop,
  }
}

function start(): Worker {
  const worker = new Worker(new URL('./checks-thread.ts', import.meta.url), { env: {}, resourceLimits: { maxOldGenerationSizeMb: 256 } })
  worker.unref()
  return worker
}

/** Undefined when the thread does not answer in time, or ends. */
async function within(worker: Worker, id: number, task: ThreadTask, ms: number): Promise<Answer | undefined> {
  const answer = Promise.withResolvers<Answer | undefined>()
  const onMessage = ({ id: of, ...result }: { id: number } & ThreadResult) => of === id && answer.resolve(result)
  const onEnd = () => answer.resolve(undefined)
  const timer = setTimeout(onEnd, ms)
  worker.on('message', onMessage).on('error', onEnd).on('exit', onEnd)
  worker.postMessage({ id, task })
  try {
    return await answer.promise
  } finally {
    clearTimeout(timer)
    worker.off('message', onMessage).off('error', onEnd).off('exit', onEnd)
  }
}
