import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '../../../packages/control/src/db/open.ts'
import { openDatabase } from '../../../packages/control/src/db/open.ts'
import { root } from '../../fixtures/processes.ts'
import type { Stage } from './stage.ts'

/**
 * What a thief of the database does: stops the control plane, changes rows, starts it again on what is there now. What edges ask meanwhile
 * waits at the front, as behind any load balancer. Afterwards the honest database is back.
 */
export async function withTampered<T>(stage: Stage, edit: (database: Database) => Promise<void>, work: () => Promise<T>): Promise<T> {
  const { control } = stage
  const honest = `${control.directory}.honest`
  await restartedOn(stage, async () => {
    await cp(control.directory, honest, { recursive: true })
    await using database = await openDatabase(`pglite:${control.directory}`, { migrations: join(root, 'prisma/migrations') })
    await edit(database)
  })
  try {
    return await work()
  } finally {
    await restartedOn(stage, async () => {
      await rm(control.directory, { recursive: true })
      await cp(honest, control.directory, { recursive: true })
      await rm(honest, { recursive: true })
    })
  }
}

async function restartedOn({ control, front }: Stage, change: () => Promise<void>): Promise<void> {
  using _ = front.hold()
  await control.child.stop()
  await change()
  await control.start()
}
