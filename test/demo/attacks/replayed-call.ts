import { allowed, attack, codeOf, must } from '../attack.ts'
import { insider } from '../stage/insider.ts'
import { approach } from '../stage/stage.ts'

/** The same signed bytes again: on the channel for which they were signed, and on another one. */
export const replayedCall = attack({
  name: 'replayed call',
  expect: 'REPLAYED',
  honest: {
    name: 'the call, the first time',
    async run(stage) {
      const { agent, sid } = await insider(stage)
      const grant = await agent.grantFor('fs', 'read_text_file')
      const call = agent.signCall(sid, grant, 'fs', 'read_text_file', { path: stage.files.note, head: 1 })
      allowed(await agent.sendCall(call))
      return call
    },
  },
  async run(stage, call) {
    const { agent } = await insider(stage)
    const code = codeOf(await agent.sendCall(call))
    await using second = await approach(stage, stage.gateways.fs)
    const elsewhere = await second.sendCall({ ...call, header: { ...call.header, sid: await second.open('fs') } })
    must(codeOf(elsewhere) === 'CALL_BINDING', `on another channel: ${codeOf(elsewhere)}`)
    return { code, note: 'on another channel: CALL_BINDING' }
  },
})
