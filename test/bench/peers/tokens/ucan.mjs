// A UCAN 1.0 delegation for one command with a policy on its arguments, and an invocation of it, signed by the agent (iso-ucan).
import { MemoryDriver } from 'iso-kv/drivers/memory.js'
import { EdDSASigner } from 'iso-signatures/signers/eddsa.js'
import { verifier } from 'iso-signatures/verifiers/eddsa.js'
import { Resolver } from 'iso-signatures/verifiers/resolver.js'
import { Capability } from 'iso-ucan/capability'
import { Delegation } from 'iso-ucan/delegation'
import { Invocation } from 'iso-ucan/invocation'
import { Store } from 'iso-ucan/store'
import { z } from 'zod'

export async function prepare(count) {
  const [gateway, agent] = [await EdDSASigner.generate(), await EdDSASigner.generate()]
  const store = new Store(new MemoryDriver())
  const verifierResolver = new Resolver({ ...verifier })
  const read = Capability.from({ schema: z.object({ path: z.string() }), cmd: '/fs/read_text_file' })
  const exp = Math.floor(Date.now() / 1000) + 300
  const common = { store, verifierResolver, exp }
  const pol = [['like', '.path', '/notes/*']]
  const delegation = await read.delegate({ ...common, iss: gateway, aud: agent.did, sub: gateway.did, pol })
  const invoke = () => read.invoke({ ...common, iss: agent, sub: gateway.did, args: { path: '/notes/today.md' } })
  const invocations = []
  for (let i = 0; i < count; i++) invocations.push((await invoke()).bytes)
  const seen = new Set()

  return async (i) => {
    const bytes = invocations[i]
    const invocation = await Invocation.from({
      bytes,
      audience: gateway,
      verifierResolver,
      resolveProof: () => Delegation.from({ bytes: delegation.bytes, verifierResolver }),
    })
    const id = invocation.cid.toString()
    if (seen.has(id)) throw new Error('replayed')
    seen.add(id)
  }
}
