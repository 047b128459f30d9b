import { randomBytes } from 'node:crypto'
import type { KeyId } from '@postern/core'
import { ed25519PublicKey, encodeBase64url, keyIdOf, signGrant, tokenHash } from '@postern/core'
import { native } from '@postern/daemon'
import { allowed, attack, codeOf, must } from '../attack.ts'
import { contentOf } from '../hostile/agent.ts'
import { insider } from '../stage/insider.ts'

/** The control plane knows everything that stands in a grant. It lacks the gateway's key, and signs with one of its own. */
export const mintedGrant = attack({
  name: 'grant minted by the control plane',
  expect: 'GRANT_SIGNATURE',
  honest: {
    name: 'the grant that the gateway signed',
    async run(stage) {
      const { agent, sid } = await insider(stage)
      const grant = await agent.grantFor('fs', 'read_text_file')
      allowed(await agent.call(sid, grant, 'fs', 'read_text_file', { path: stage.files.note, head: 1 }))
      return contentOf(grant)
    },
  },
  async run(stage, honest) {
    const { agent, sid } = await insider(stage)
    const seed = new Uint8Array(randomBytes(32))
    const itsOwn = keyIdOf({ use: 'issue', alg: 'ed25519', key: encodeBase64url(ed25519PublicKey(seed)) })
    const present = async (kid: KeyId) => {
      const token = signGrant({ ...honest, kid, jti: encodeBase64url(new Uint8Array(randomBytes(16))) }, seed, native)
      return codeOf(await agent.call(sid, { token, hash: tokenHash(token) }, 'fs', 'read_text_file', { path: stage.files.note, head: 1 }))
    }
    const [named, claimed] = [await present(itsOwn), await present(honest.kid)]
    must(named === claimed, `naming its own key: ${named}, naming the gateway's: ${claimed}`)
    return { code: named }
  },
})
