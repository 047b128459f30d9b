import type { Database } from '../../../packages/control/src/db/open.ts'
import { allowed, attack, codeOf, must } from '../attack.ts'
import type { Stage } from '../stage/stage.ts'
import { approach, isServing, post, readKnown, signAsAdmin, untilAlarm, untilHealth } from '../stage/stage.ts'
import { withTampered } from '../stage/tamper.ts'

const SERVER = 'memory'
const TOOL = 'create_relations'
const RELATION = { relations: [{ from: 'tour', to: 'agent', relationType: 'shown to' }] }

/**
 * The administrator takes a tool away; whoever owns the database takes that statement out again. A gateway that has seen it stays where it is,
 * also after a restart, and says that somebody rolled the log back.
 */
export const logRolledBack = attack({
  name: 'log rolled back',
  expect: 'ROLLED_BACK',
  honest: {
    name: `${TOOL}, before it is taken away`,
    async run(stage) {
      await using agent = await approach(stage, stage.gateways.memory)
      const [sid, grant] = [await agent.open(SERVER), await agent.grantFor(SERVER, TOOL)]
      allowed(await agent.call(sid, grant, SERVER, TOOL, RELATION))
    },
  },
  async run(stage) {
    const { memory } = stage.gateways
    const before = await readKnown(stage)
    await post(stage, await pinAs(stage, 'destructive'))
    const known = await readKnown(stage)
    const { seq } = known.state
    await untilHealth(memory, 'has the statement', (report) => report.seq === seq)
    const outcome = await withTampered(
      stage,
      (database) => forget(database, seq),
      async () => {
        const [, kind] = await untilAlarm(memory, /"kind":"(ROLLED_BACK)"/)
        await using agent = await approach(stage, memory, { known: before })
        must(codeOf(await agent.ask(SERVER, TOOL)) === 'POLICY_DENIED', 'the tool came back')
        await memory.child.stop()
        await memory.start()
        await untilAlarm(memory, /"kind":"ROLLED_BACK"/)
        const report = await untilHealth(memory, 'runs again', () => true)
        must(report.seq === seq, `after a restart it is back at ${report.seq}`)
        return { code: kind!, note: `the tool stays refused, POLICY_DENIED; after a restart too: ${report.code}` }
      },
    )
    await post(stage, await pinAs(stage, 'write'))
    await untilHealth(memory, 'serves again', (report) => isServing(report) && report.seq === seq + 1)
    return outcome
  },
})

/** The policy allows tools that write; no rule speaks of those that destroy. */
async function pinAs(stage: Stage, risk: 'write' | 'destructive') {
  const { state } = await readKnown(stage)
  const { gateway, tools } = state.servers.get(SERVER)!
  const { digest } = tools.get(TOOL)!
  return signAsAdmin(stage, state, 'server.pin', { gateway, server: SERVER, set: [{ name: TOOL, digest, risk }], unset: [] })
}

const forget = async ({ prisma }: Database, seq: number): Promise<void> => void (await prisma.statement.deleteMany({ where: { seq } }))
