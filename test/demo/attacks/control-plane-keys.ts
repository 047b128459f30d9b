import { attack, must } from '../attack.ts'
import { searchFiles, searchMemory } from '../proc/memory.ts'
import type { Needle } from '../proc/needles.ts'
import { Needles, needlesOf } from '../proc/needles.ts'
import { familyOf, noProc } from '../proc/processes.ts'
import { publicHalves } from '../stage/secrets.ts'
import type { Stage } from '../stage/stage.ts'

/** Searches the control plane's database and memory for every private key in play. The public halves must be there: they are in the log. */
export const controlPlaneKeys = attack({
  name: 'private keys in the database and memory of the control plane',
  expect: 'NO_KEY_FOUND',
  async run(stage) {
    const skipped = noProc()
    if (skipped) return { skipped }
    const found: Needle[] = []
    const searched = { bytes: 0 }
    const needles = new Needles(needlesFor(stage))
    const database = searchFiles(stage.control.directory, needles)
    for (const pid of familyOf(stage.control.child.pid)) {
      const memory = await searchMemory(pid, needles).catch((error: NodeJS.ErrnoException) => error)
      if (memory instanceof Error) return { skipped: `the memory of the control plane may not be read here: ${memory.code}` }
      found.push(...memory.found)
      searched.bytes += memory.bytes
    }
    checkSearch('memory', stage, found)
    checkSearch('database', stage, [...database.found])
    const leaked = [...found, ...database.found].filter(({ name }) => stage.secrets.has(name))
    const note = leaked.map(({ name, form }) => `${name} as ${form}`).join(', ')
    const mib = (bytes: number) => Math.round(bytes / (1 << 20))
    return {
      code: leaked.length > 0 ? 'ALLOWED' : 'NO_KEY_FOUND',
      note: note || `${stage.secrets.size} keys in ${mib(searched.bytes)} MiB of memory and ${mib(database.bytes)} MiB of files`,
    }
  },
})

const needlesFor = (stage: Stage) => [
  ...[...stage.secrets].flatMap(([name, secret]) => needlesOf(name, secret)),
  ...[...publicHalves(stage)].flatMap(([name, key]) => needlesOf(name, key)),
]

/** A search that finds nothing proves something only if it finds what is there. */
function checkSearch(where: string, stage: Stage, found: readonly Needle[]): void {
  const names = new Set(found.map(({ name }) => name))
  const missed = [...publicHalves(stage).keys()].filter((name) => !names.has(name))
  must(missed.length === 0, `the search of the ${where} does not find what is there: ${missed.join(', ')}`)
}
