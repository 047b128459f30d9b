import { until } from '../../fixtures/processes.ts'
import { allowed, attack, codeOf } from '../attack.ts'
import { contentOf } from '../hostile/agent.ts'
import { insider } from '../stage/insider.ts'
import { nowSeconds } from '../stage/stage.ts'

export const expiredGrant = attack({
  name: 'expired grant',
  expect: 'GRANT_EXPIRED',
  honest: {
    name: 'list_directory while its grant lasts (three seconds)',
    async run(stage) {
      const { agent, sid } = await insider(stage)
      const grant = await agent.grantFor('fs', 'list_directory')
      allowed(await agent.call(sid, grant, 'fs', 'list_directory', { path: stage.files.notes }))
      return grant
    },
  },
  async run(stage, grant) {
    const { agent, sid } = await insider(stage)
    const { exp } = contentOf(grant)
    await until('the grant to expire', 10_000, () => nowSeconds() >= exp || undefined)
    return { code: codeOf(await agent.call(sid, grant, 'fs', 'list_directory', { path: stage.files.notes })) }
  },
})
