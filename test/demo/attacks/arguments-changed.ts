import { allowed, attack, codeOf, must } from '../attack.ts'
import { insider } from '../stage/insider.ts'

/** Between the signature and the gateway the arguments become others, which would be allowed had they been signed. */
export const argumentsChanged = attack({
  name: 'arguments changed in flight',
  expect: 'ARGS_CHANGED',
  honest: {
    name: 'the call as it was signed',
    async run(stage) {
      const { agent, sid } = await insider(stage)
      const grant = await agent.grantFor('fs', 'read_text_file')
      allowed(await agent.call(sid, grant, 'fs', 'read_text_file', { path: stage.files.note, head: 1 }))
      return grant
    },
  },
  async run(stage, grant) {
    const { agent, sid } = await insider(stage)
    const signed = { path: stage.files.note, head: 1 }
    const codes = await Promise.all(
      [{ ...signed, head: 2 }, { ...signed, path: stage.files.notes }, { head: 1 }].map(async (sent) =>
        codeOf(await agent.call(sid, grant, 'fs', 'read_text_file', signed, { sent })),
      ),
    )
    must(new Set(codes).size === 1, `not every change was found: ${codes.join(', ')}`)
    return { code: codes[0]! }
  },
})
