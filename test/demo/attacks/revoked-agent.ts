import { allowed, attack, codeOf, must } from '../attack.ts'
import { openConnector } from '../stage/connector.ts'
import { countRuns, readKnown, revoke } from '../stage/stage.ts'

/** Calls that were on their way when the channel ended: nobody knows, so nobody says that they were refused. */
const IN_BETWEEN = new Set(['OK', 'OUTCOME_UNKNOWN'])

/** An agent calls as fast as it can while somebody signs its revocation. Measured: from that signature to the first call that is refused. */
export const revokedAgent = attack({
  name: 'revoked agent',
  expect: 'REVOKED',
  honest: {
    name: 'the agent, before it is revoked',
    async run(stage) {
      const client = await openConnector(stage.machines.dev, stage.agents.other.atsign, 'memory')
      allowed(await client.call('read_graph', {}))
      return client
    },
  },
  async run(stage, client) {
    await using _ = client
    const { state } = await readKnown(stage)
    const { enrolment } = state.identities.get(stage.agents.other.atsign)!
    const before = countRuns(stage)
    const signed = revoke(stage, { kind: 'enrolment', id: enrolment })
    let reply = await client.call('read_graph', {})
    while (IN_BETWEEN.has(reply.code)) reply = await client.call('read_graph', {})
    const [ms, ran] = [Math.round(performance.now() - (await signed)), countRuns(stage) - before]
    must(codeOf(await client.call('read_graph', {})) === codeOf(reply), 'the next call met something else')
    return { code: codeOf(reply), note: 'measured from signature to refusal', ms, ran }
  },
})
