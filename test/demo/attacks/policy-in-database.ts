import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { State } from '@postern/core'
import { canonicalText, linkHash, policyDigest, utf8 } from '@postern/core'
import type { Database } from '../../../packages/control/src/db/open.ts'
import { allowed, attack, codeOf, must } from '../attack.ts'
import type { Gateway, Stage } from '../stage/stage.ts'
import { approach, isServing, putInForce, readKnown, untilHealth } from '../stage/stage.ts'
import { withTampered } from '../stage/tamper.ts'

/**
 * Whoever owns the database replaces the signed policy by one that allows everything: the document, and the statement that names it. A gateway
 * that runs keeps what it verified; one that has lost its copy takes none.
 */
export const policyInDatabase = attack({
  name: 'policy edited in the database',
  expect: 'POLICY_DENIED',
  honest: {
    name: 'move_file, while an administrator has signed that very policy',
    async run(stage) {
      const { gateways, files, policy } = stage
      await putInForce(stage, ALLOWS_ALL)
      await using agent = await approach(stage, gateways.fs)
      const [sid, grant] = [await agent.open('fs'), await agent.grantFor('fs', 'move_file')]
      const [source, destination] = [join(files.notes, 'draft.md'), join(files.notes, 'final.md')]
      await writeFile(source, 'moved by the tour\n')
      allowed(await agent.call(sid, grant, 'fs', 'move_file', { source, destination }))
      await putInForce(stage, policy)
    },
  },
  async run(stage) {
    const known = await readKnown(stage)
    const { state } = known
    const { sha256, seq } = state.policy!
    const { fs, memory } = stage.gateways
    const code = await withTampered(
      stage,
      (database) => openUp(database, sha256, seq),
      async () => {
        await stage.front.untilAsked(
          `${fs.atsign} to read the log`,
          ({ path, kid }) => path.startsWith('/api/v1/log') && kid === fs.keys.auth.kid,
        )
        await startWithoutPolicy(stage, memory, state)
        await using agent = await approach(stage, fs, { known })
        return codeOf(await agent.ask('fs', 'move_file'))
      },
    )
    await untilHealth(memory, 'has the signed policy', (report) => isServing(report) && report.policy === sha256)
    return { code, note: 'nor does a gateway that fetches it anew take it' }
  },
})

const ALLOWS_ALL = utf8('{"v":1,"name":"main","rules":[{"id":"all","who":["*"],"servers":["*"],"tools":["*"],"effect":"allow"}]}')

async function openUp({ prisma }: Database, sha256: string, seq: number): Promise<void> {
  await prisma.policyDocument.updateMany({ where: { sha256 }, data: { bytes: Uint8Array.from(ALLOWS_ALL) } })
  const [statement] = await prisma.statement.findMany({ where: { seq } })
  const changed = JSON.parse(Buffer.from(statement!.bytes).toString())
  changed.body.sha256 = policyDigest(ALLOWS_ALL) // handed in before, so the database has it under its own digest too
  const edited = new TextEncoder().encode(canonicalText(changed))
  await prisma.statement.updateMany({ where: { seq }, data: { bytes: edited, hash: linkHash(edited) } })
}

/** A disk that has lost the document: what the control plane now calls the policy is not what was signed. */
async function startWithoutPolicy(stage: Stage, gateway: Gateway, { seq, policy: signed }: State): Promise<void> {
  await gateway.child.stop()
  await rm(join(gateway.stateDir, `policy-${signed!.sha256}.json`))
  const asked = stage.front.untilAsked(`${gateway.atsign} to fetch the policy`, ({ path }) => path.startsWith('/api/v1/policies/'))
  await gateway.start()
  await asked
  const { policy } = await untilHealth(gateway, 'runs', (report) => report.seq === seq)
  must(policy === undefined, `it took ${policy}`)
}
