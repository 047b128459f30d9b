import type { Prisma } from '../db/generated/client.ts'
import type { Database } from '../db/open.ts'

/** Writes rows about grants in batches, after the answers: metadata is not worth an agent's wait. `kill -9` loses a quarter of a second. */
export interface GrantLog extends AsyncDisposable {
  add(row: Prisma.GrantRequestCreateManyInput): void
}
const EVERY_MS = 250
const MAX_WAITING = 10_000

export function createGrantLog(db: Database, onError: (error: unknown) => void): GrantLog {
  let waiting: Prisma.GrantRequestCreateManyInput[] = []
  let timer: NodeJS.Timeout | undefined
  const flush = async () => {
    timer = undefined
    const rows = waiting
    waiting = []
    if (rows.length > 0) await db.prisma.grantRequest.createMany({ data: rows, skipDuplicates: true }).catch(onError)
  }
  return {
    add(row) {
      if (waiting.length < MAX_WAITING) waiting.push(row)
      timer ??= setTimeout(() => void flush(), EVERY_MS)
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      await flush()
    },
  }
}
