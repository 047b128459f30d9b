import { allowed, attack, codeOf } from '../attack.ts'
import { insider } from '../stage/insider.ts'
import { approach } from '../stage/stage.ts'

/** A stolen grant is no use: it is bound to the key of the agent to which it was given. */
export const foreignGrant = attack({
  name: "another agent's grant",
  expect: 'GRANT_FOREIGN',
  honest: {
    name: 'the grant in the hands of its owner',
    async run(stage) {
      const { agent, sid } = await insider(stage)
      const grant = await agent.grantFor('fs', 'write_file')
      allowed(await agent.call(sid, grant, 'fs', 'write_file', { path: `${stage.files.notes}/mine.md`, content: 'mine' }))
      return grant
    },
  },
  async run(stage, grant) {
    await using thief = await approach(stage, stage.gateways.fs, { mask: stage.agents.other })
    const sid = await thief.open('fs')
    return { code: codeOf(await thief.call(sid, grant, 'fs', 'write_file', { path: `${stage.files.notes}/mine.md`, content: 'stolen' })) }
  },
})
