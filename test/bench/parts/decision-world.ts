// A gateway's decision without a gateway: the real authoriser over a real, verified organisation in memory, and calls signed for it.
import type { AuthorityMirror, Call, Grant, Suite } from '@postern/core'
import {
  argsDigest,
  emptyRevocations,
  encodeBase64url,
  keyIdOf,
  parseAtSign,
  parsePolicy,
  policyDigest,
  signCall,
  signGrant,
  tokenHash,
  utf8,
} from '@postern/core'
import type { CallInput, World } from '@postern/gateway'
import { createAuthoriser, createGrantUses, createRates } from '@postern/gateway'
import { createAuthorityView } from '../../../packages/gateway/src/authority/view.ts'
import { found, grow } from '../../fixtures/organisation.ts'
import { bytesOf, keysOf, machineKey, requestOf, seedOf, T0 } from '../../fixtures/people.ts'

const [gateway, agent] = [parseAtSign('@gw'), parseAtSign('@bot')]
const server = 'fs'
const tool = 'read_text_file'
const now = T0 + 1000
const epoch = encodeBase64url(bytesOf('epoch', 16))
const binding = encodeBase64url(seedOf('channel'))
const digest = encodeBase64url(seedOf('definition of the tool'))
const policy = utf8(
  JSON.stringify({
    v: 1,
    name: 'bench',
    rules: [
      { id: 'read-notes', who: [agent], servers: [server], tools: [tool], when: { path: { prefix: '/notes' } }, effect: 'allow' },
      { id: 'others', who: ['tag:dev'], servers: ['git'], tools: ['risk:read'], effect: 'allow' },
    ],
  }),
)

/** Calls for one world, ready to be decided. */
export interface Prepared {
  readonly world: World
  readonly inputs: readonly CallInput[]
  /** Unix seconds. */
  readonly now: number
}

export function createDecisions(suite: Suite) {
  const { org, state } = organisation()
  const snapshot = {
    version: 1,
    state,
    revocations: emptyRevocations(),
    policy: { digest: policyDigest(policy), document: parsePolicy(policy) },
    missing: [],
  }
  const view = () => createAuthorityView({ snapshot } as unknown as AuthorityMirror, gateway, fresh)
  const worldOf = (): World => ({
    self: { atsign: gateway, org },
    suite,
    epoch: () => epoch,
    authority: view(),
    uses: createGrantUses(),
    rates: createRates(),
    calls: { find: () => undefined, askedForInput: () => undefined },
  })
  const issueKey = machineKey(gateway, 'issue')
  const callKey = machineKey(agent, 'call')
  const [issueKid, callKid] = [keyIdOf(issueKey.publicKey), keyIdOf(callKey.publicKey)]
  const channelKid = keyIdOf(keysOf('agent', agent).others[0]!)

  const grant = (i: number): string =>
    signGrant(
      {
        ...{ v: 1, org, iss: gateway, kid: issueKid, aud: gateway, epoch, sub: agent, log: { seq: state.seq, head: state.head } },
        ...{ pol: snapshot.policy.digest, cnf: { jkt: callKid }, jti: encodeBase64url(bytesOf(`grant ${i}`, 16)), nbf: now, exp: now + 60 },
        authorization_details: [{ type: 'mcp_tool', server, tool, args: [{ arg: 'path', is: { prefix: '/notes' } }], schema: digest }],
      } as Grant,
      issueKey.seed,
      suite,
    )
  const body = (i: number) => {
    const params = { name: tool, arguments: { path: `/notes/day-${i}.md` } }
    return { params, bytes: utf8(JSON.stringify({ jsonrpc: '2.0', id: i, method: 'tools/call', params })) }
  }
  const input = (i: number, n: number, token: string, gth: string, isKnown: boolean): CallInput => {
    const { params, bytes } = body(i)
    const salt = bytesOf(`salt ${i}`, 16)
    const call: Call = {
      ...{ v: 1, org, iss: agent, kid: callKid, gth, tool, server, a: argsDigest(salt, params, suite), n, cb: binding },
      ...{ id: encodeBase64url(bytesOf(`id ${i}`, 16)), iat: now },
    }
    return {
      channel: { agent, key: channelKid, binding },
      session: { server, offered: new Map([[tool, digest]]), fit: { fits: true } },
      header: {
        salt: encodeBase64url(salt),
        call: signCall(call, callKey.seed, suite),
        gth,
        ...(isKnown ? {} : { grant: token }),
      },
      body: bytes,
    }
  }
  const warmInputs = (count: number): Prepared => {
    const world = worldOf()
    const token = grant(0)
    const gth = tokenHash(token, suite)
    createAuthoriser(world).decide(input(0, 1, token, gth, false), now)
    return { world, now, inputs: Array.from({ length: count }, (_, i) => input(i + 1, i + 2, token, gth, true)) }
  }
  const coldInputs = (count: number): Prepared => {
    const world = worldOf()
    const inputs = Array.from({ length: count }, (_, i) => {
      const token = grant(i)
      return input(i, 1, token, tokenHash(token, suite), false)
    })
    return { world, now, inputs }
  }
  const deciding = (prepare: (count: number) => Prepared) => (count: number) => {
    const { world, inputs } = prepare(count)
    const authoriser = createAuthoriser(world)
    return (i: number) => {
      const verdict = authoriser.decide(inputs[i]!, now)
      if (verdict.effect !== 'run') throw new Error(`the bench's own call was refused: ${JSON.stringify(verdict)}`)
    }
  }
  const [sample] = coldInputs(1).inputs
  return {
    cold: deciding(coldInputs),
    warm: deciding(warmInputs),
    coldInputs,
    warmInputs,
    grantChars: sample!.header.grant!.length,
    callChars: sample!.header.call.length,
  }
}

/** What the view asks of trust, for a gateway that is up to date. */
const fresh = { trouble: () => undefined, now: () => now } as unknown as Parameters<typeof createAuthorityView>[2]

function organisation() {
  const branch = found()
  const lease = { exp: T0 + 31_536_000 / 4 }
  const withGateway = grow(branch, 'gateway.enroll', { ...requestOf(branch.org, 'gateway', gateway), ...lease, tags: [] })
  const withAgent = grow(withGateway, 'agent.enroll', { ...requestOf(branch.org, 'agent', agent), ...lease, tags: ['dev'] })
  const pinned = grow(withAgent, 'server.pin', { gateway, server, set: [{ name: tool, digest, risk: 'read' }], unset: [] })
  return grow(pinned, 'policy.set', { sha256: policyDigest(policy), name: 'bench' })
}
