import type { Signed, State } from '@postern/core'
import { encodeCanonical, encodeSigned, linkHash } from '@postern/core'
import { allowed, attack, codeOf, must } from '../attack.ts'
import type { Stage } from '../stage/stage.ts'
import { approach, isServing, nowSeconds, post, readKnown, signBytes, untilAlarm, untilHealth } from '../stage/stage.ts'

const SERVER = 'memory'
const TOOL = 'read_graph'

/**
 * A statement of a kind that this version does not know, really signed by the administrator. What it means cannot be known, so nothing after it
 * can be applied: skipping it would be deciding that it does not matter.
 */
export const unknownStatement = attack({
  name: 'unknown statement kind',
  expect: 'LOG_HALTED',
  honest: {
    name: `${TOOL}, while every statement is understood`,
    async run(stage) {
      await using agent = await approach(stage, stage.gateways.memory)
      const [sid, grant] = [await agent.open(SERVER), await agent.grantFor(SERVER, TOOL)]
      allowed(await agent.call(sid, grant, SERVER, TOOL, {}))
    },
  },
  async run(stage) {
    const { front, gateways } = stage
    const { memory } = gateways
    const known = await readKnown(stage)
    const strange = signStrange(stage, known.state)
    const { code } = await post(stage, strange).then(
      () => ({ code: 'OK' }),
      (error: { code: string }) => error,
    )
    must(code === 'UNKNOWN_OP', `the control plane took it: ${code}`)
    front.lie = ({ path, kid }, answer) =>
      path.startsWith('/api/v1/log?') && kid === memory.keys.auth.kid ? append(answer, known.state.seq + 1, strange) : undefined
    try {
      await memory.child.stop()
      await memory.start()
      await untilAlarm(memory, /"kind":"HALTED"/)
      await untilHealth(memory, 'is connected', (report) => Number(report.relays_up) > 0)
      await using agent = await approach(stage, memory, { known })
      return { code: codeOf(await agent.ask(SERVER, TOOL)), note: 'the honest control plane refuses to store it: UNKNOWN_OP' }
    } finally {
      front.lie = undefined
      await memory.child.stop()
      await memory.start()
      await untilHealth(memory, 'serves again', isServing)
    }
  },
})

function signStrange(stage: Stage, { seq, org, head, at: last }: State): Signed {
  const at = Math.max(nowSeconds(), last)
  const bytes = encodeCanonical({
    v: 1,
    op: 'agent.promote',
    seq: seq + 1,
    at,
    nva: at + 3600,
    org,
    prev: head,
    rev: [],
    body: { atsign: '@other' },
  })
  return signBytes(stage, bytes)
}

function append(answer: unknown, seq: number, statement: Signed): unknown {
  const { entries, ...rest } = answer as { entries: readonly unknown[] }
  const head = { seq, hash: linkHash(statement.bytes) }
  return { ...rest, head, entries: [...entries, { seq, ...encodeSigned(statement) }] }
}
