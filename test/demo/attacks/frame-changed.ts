import { PACKET_HEADER_BYTES, SEND_HEADER_BYTES } from '@postern/core'
import { allowed, attack, must } from '../attack.ts'
import { TurnedAway } from '../hostile/agent.ts'
import { approach } from '../stage/stage.ts'

/** The relay turns one bit of what it carries. It cannot know what it hits; the channel ends and nothing of it counts. */
export const frameChanged = attack({
  name: 'one bit turned by the relay',
  expect: 'BROKEN',
  honest: {
    name: 'the same call through a relay that leaves it alone',
    async run(stage) {
      await using agent = await approach(stage, stage.gateways.fs)
      const [sid, grant] = [await agent.open('fs'), await agent.grantFor('fs', 'read_text_file')]
      allowed(await agent.call(sid, grant, 'fs', 'read_text_file', { path: stage.files.note, head: 1 }))
    },
  },
  async run(stage) {
    await using agent = await approach(stage, stage.gateways.fs)
    const [sid, grant] = [await agent.open('fs'), await agent.grantFor('fs', 'read_text_file')]
    const gateway = Buffer.from(stage.gateways.fs.keys.auth.kid, 'base64url')
    let turned = false
    stage.tap.meddle = ({ from, bytes }) => {
      const isCall = from === 'peer' && bytes.length > 600 && bytes.subarray(1, 33).equals(gateway) // nothing else to it is as long
      if (turned || !isCall) return [bytes]
      turned = true
      const changed = Buffer.from(bytes)
      changed[SEND_HEADER_BYTES + PACKET_HEADER_BYTES + 40]! ^= 1
      return [changed]
    }
    try {
      await agent.call(sid, grant, 'fs', 'read_text_file', { path: stage.files.note, head: 1 })
      return { code: 'ALLOWED' }
    } catch (error) {
      if (!(error instanceof TurnedAway)) throw error
      must(turned, 'no frame was changed')
      return { code: error.code }
    } finally {
      stage.tap.meddle = undefined
    }
  },
})
