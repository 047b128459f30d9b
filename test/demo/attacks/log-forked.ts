import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Signed, State } from '@postern/core'
import { encodeSigned, FORK_EVIDENCE } from '@postern/core'
import { allowed, attack, codeOf } from '../attack.ts'
import { TurnedAway } from '../hostile/agent.ts'
import type { Gateway, Stage } from '../stage/stage.ts'
import { approach, isServing, post, readKnown, signAsAdmin, untilAlarm, untilHealth } from '../stage/stage.ts'

const SERVER = 'memory'
const TOOL = 'search_nodes'

/**
 * Two statements for one place in the log, both really signed by the administrator's key. Everybody is shown one, then one gateway is shown the
 * other. It holds two signatures that contradict each other: it stops, and keeps them for a person.
 */
export const logForked = attack({
  name: 'log forked',
  expect: 'LOG_FORKED',
  honest: {
    name: `${TOOL}, while there is one log`,
    async run(stage) {
      await using agent = await approach(stage, stage.gateways.memory)
      const [sid, grant] = [await agent.open(SERVER), await agent.grantFor(SERVER, TOOL)]
      allowed(await agent.call(sid, grant, SERVER, TOOL, { query: 'tour' }))
    },
  },
  async run(stage) {
    const { front, gateways } = stage
    const { memory } = gateways
    const { state } = await readKnown(stage)
    const [shown, other] = [pin(stage, state, 'external'), pin(stage, state, 'write')]
    await post(stage, shown)
    await untilHealth(memory, 'has the statement', ({ seq }) => seq === state.seq + 1)
    front.lie = ({ path, kid }, answer) =>
      path.startsWith('/api/v1/log?') && kid === memory.keys.auth.kid ? exchange(answer, state.seq + 1, other) : undefined
    try {
      front.hangUp()
      await untilAlarm(memory, /"kind":"FORKED","seq":\d+,"proven":true/)
      return { code: await tryIt(stage, memory) }
    } finally {
      front.lie = undefined
      await lookedAt(stage, memory)
    }
  },
})

const pin = (stage: Stage, state: State, risk: 'external' | 'write'): Signed => {
  const { gateway, tools } = state.servers.get(SERVER)!
  const [name, { digest }] = [...tools].find(([, tool]) => tool.risk === 'destructive')!
  return signAsAdmin(stage, state, 'server.pin', { gateway, server: SERVER, set: [{ name, digest, risk }], unset: [] })
}

function exchange(answer: unknown, seq: number, statement: Signed): unknown {
  const { entries, ...rest } = answer as { entries: readonly { seq: number }[] }
  return { ...rest, entries: entries.map((entry) => (entry.seq === seq ? { seq, ...encodeSigned(statement) } : entry)) }
}

/** By a channel that is made now: heads are compared first. */
async function tryIt(stage: Stage, gateway: Gateway): Promise<string> {
  await using agent = await approach(stage, gateway)
  try {
    return codeOf(await agent.ask(SERVER, TOOL))
  } catch (error) {
    if (error instanceof TurnedAway) return error.code
    throw error
  }
}

/** What the person does who looked at both statements and knows which one counts. */
async function lookedAt(stage: Stage, gateway: Gateway): Promise<void> {
  await gateway.child.stop()
  await rm(join(gateway.stateDir, `evidence-${FORK_EVIDENCE}.json`), { force: true })
  await gateway.start()
  await untilHealth(gateway, 'serves again', isServing)
}
