import { allowed, attack, codeOf } from '../attack.ts'
import { openConnector } from '../stage/connector.ts'
import { readKnown, revoke } from '../stage/stage.ts'

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
    const signedMs = revoke(stage, { kind: 'enrolment', id: enrolment })
    for (let ran = 0; ; ran += 1) {
      const reply = await client.call('read_graph', {})
      if (reply.code === 'OK') continue
      const ms = performance.now() - (await signedMs)
      return { code: codeOf(reply), note: `${Math.round(ms)} ms from signature to refusal`, ran }
    }
  },
})
