import type { Home } from '../fixtures/processes.ts'
import { until } from '../fixtures/processes.ts'
import type { Attack, Outcome } from './attack.ts'
import { allowed, must } from './attack.ts'
import { acts } from './attacks.ts'
import type { Report, Result } from './report.ts'
import { UnexpectedCode } from './report.ts'
import { dismissInsider } from './stage/insider.ts'
import { postern } from './stage/machines.ts'
import { setUp } from './stage/set-up.ts'
import type { Stage } from './stage/stage.ts'
import { countRuns } from './stage/stage.ts'

/** Sets everything up, makes the calls that should work, and then every attack. */
export async function tour(home: Home, report: Report, disposers: AsyncDisposableStack): Promise<Stage> {
  const stage = await setUp(home, report, disposers)
  disposers.defer(() => dismissInsider(stage))
  report.section('Calls as they are meant')
  await honestCalls(stage, report)
  for (const { title, attacks } of acts) {
    report.section(title)
    for (const attack of attacks) await perform(attack, stage, report)
  }
  report.section('And afterwards')
  await call(stage, report, 'read_text_file, as if nothing had happened', () => readNote(stage))
  return stage
}

async function honestCalls(stage: Stage, report: Report): Promise<void> {
  const { client, files } = stage
  await report.step('done', 'the client sees the tools that the policy lets it call, and no others', async () => {
    const tools = await client.tools()
    must(tools.includes('read_text_file') && !tools.includes('move_file'), `it sees ${tools.join(', ')}`)
    return { note: tools.join(', ') }
  })
  await call(stage, report, 'read_text_file', () => readNote(stage))
  await call(stage, report, 'write_file', async () => {
    allowed(await client.call('write_file', { path: `${files.notes}/tour.md`, content: 'The tour was here.\n' }))
  })
  await call(stage, report, 'create_directory, which waits until @ana has read its arguments and approved exactly this', async () => {
    const made = client.call('create_directory', { path: `${files.notes}/tour` })
    await postern(stage.machines.ana, 'approve', await heldCall(stage), '--accept=approve')
    allowed(await made)
  })
}

/** The id of the call that waits for @ana. */
const heldCall = ({ machines }: Stage): Promise<string> =>
  until('the call to wait for @ana', 30_000, async () => {
    const inbox = await postern<readonly { readonly id: string; readonly kind: string }[]>(machines.ana, 'inbox')
    return inbox.find(({ kind }) => kind === 'call')?.id
  })

async function readNote({ client, files }: Stage): Promise<void> {
  must(allowed(await client.call('read_text_file', { path: files.note, head: 2 })).text.includes('line 2'), 'it is another text')
}

/** A call that must reach its server. @returns what `run` returned, or undefined when it failed */
async function call<P>(stage: Stage, report: Report, name: string, run: () => Promise<P>): Promise<{ value: P } | undefined> {
  let made: { value: P } | undefined
  await report.step('allowed', name, async () => {
    const before = countRuns(stage)
    made = { value: await run() }
    must(countRuns(stage) > before, 'it did not reach the server')
    return {}
  })
  return made
}

async function perform(attack: Attack, stage: Stage, report: Report): Promise<void> {
  const { honest } = attack
  const prepared = honest ? await call(stage, report, honest.name, () => honest.run(stage)) : { value: undefined }
  if (prepared) await report.step('refused', attack.name, () => attempt(attack, stage, prepared.value))
}

/** Refused means: with the one right code, and nothing ran. */
async function attempt(attack: Attack, stage: Stage, prepared: unknown): Promise<Result> {
  const before = countRuns(stage)
  const outcome: Outcome = await attack.run(stage, prepared)
  if ('skipped' in outcome) return outcome
  const { ran = 0, ...result } = outcome
  const { code, note } = result
  if (code !== attack.expect) throw new UnexpectedCode(attack.expect, code, note)
  const more = countRuns(stage) - before - ran
  must(more === 0, `it was refused with ${code}, but ${more} calls reached a server`)
  return result
}
