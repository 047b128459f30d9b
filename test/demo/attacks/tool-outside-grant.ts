import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { allowed, attack, codeOf, must } from '../attack.ts'
import { insider } from '../stage/insider.ts'

/** The agent may write notes, but this grant is for reading. */
export const toolOutsideGrant = attack({
  name: 'tool outside the grant',
  expect: 'TOOL_NOT_GRANTED',
  honest: {
    name: 'read_text_file under a grant for it',
    async run(stage) {
      const { agent, sid } = await insider(stage)
      const grant = await agent.grantFor('fs', 'read_text_file')
      allowed(await agent.call(sid, grant, 'fs', 'read_text_file', { path: stage.files.note, head: 2 }))
      return grant
    },
  },
  async run(stage, grant) {
    const { agent, sid } = await insider(stage)
    const path = join(stage.files.notes, 'planted.md')
    const reply = await agent.call(sid, grant, 'fs', 'write_file', { path, content: 'planted' })
    must(!existsSync(path), 'the file was written')
    return { code: codeOf(reply) }
  },
})
