import { randomBytes } from 'node:crypto'
import type { AtSign, EdgeKeys, Signed, State } from '@postern/core'
import {
  createEnrolment,
  draftStatement,
  edgeKeysOf,
  encodeBase64url,
  generateEdgeSecrets,
  linkHash,
  parseAtSign,
  signDetached,
} from '@postern/core'
import { native, Secret } from '@postern/daemon'
import type { Database } from '../../../packages/control/src/db/open.ts'
import { surroundings } from '../../fixtures/running-organisation.ts'
import { allowed, attack, must } from '../attack.ts'
import { HostileAgent, TurnedAway } from '../hostile/agent.ts'
import { insider } from '../stage/insider.ts'
import { nowSeconds, readKnown, untilAlarm } from '../stage/stage.ts'
import { withTampered } from '../stage/tamper.ts'

/**
 * Whoever owns the database writes a new agent into it: into the tables that are read out of the log, and into the log itself, signed as well
 * as one can without the right key. The control plane then vouches for it to the relay.
 */
export const enrolmentInDatabase = attack({
  name: 'enrolment inserted in the database',
  expect: 'NOT_ADMITTED',
  honest: {
    name: 'an agent whose enrolment was signed',
    async run(stage) {
      const { agent, sid } = await insider(stage)
      const grant = await agent.grantFor('fs', 'read_text_file')
      allowed(await agent.call(sid, grant, 'fs', 'read_text_file', { path: stage.files.note, head: 1 }))
    },
  },
  async run(stage) {
    const { org, front, gateways, tap } = stage
    const known = await readKnown(stage)
    const mask = makeIntruder()
    const forged = forgeEnrolment(org, known.state, mask)
    const gateway = gateways.fs
    return withTampered(
      stage,
      (database) => insert(database, org, known.state.seq + 1, forged, mask),
      async () => {
        await untilAlarm(gateway, new RegExp(`"kind":"REFUSED","seq":${known.state.seq + 1}`))
        front.lie = ({ path }, answer) => (path === '/api/v1/relay/admitted' ? alsoAdmitting(answer, mask.keys.auth.kid) : undefined)
        try {
          await using _ = await HostileAgent.connect({ relayUrl: tap.url, mask, known, gateway: gateway.atsign })
          return { code: 'ALLOWED' }
        } catch (error) {
          if (!(error instanceof TurnedAway)) throw error
          must(error.by === 'gateway', `the intruder did not even reach the gateway: ${error.code}`)
          return { code: error.code, note: 'the relay let it in, the gateway did not' }
        } finally {
          front.lie = undefined
        }
      },
    )
  },
})

function alsoAdmitting(answer: unknown, kid: string): unknown {
  const { admitted, ...rest } = answer as { admitted: readonly string[] }
  return { ...rest, admitted: [...admitted, kid] }
}

interface Intruder {
  readonly atsign: AtSign
  readonly keys: EdgeKeys<'agent'>
}

function makeIntruder(): Intruder {
  const secrets = generateEdgeSecrets('agent', (n) => new Uint8Array(randomBytes(n)))
  return { atsign: parseAtSign('@intruder'), keys: edgeKeysOf('agent', secrets, (bytes) => new Secret(bytes)) }
}

/** Complete but for one thing: it is signed by a key that nobody gave the right to. */
function forgeEnrolment(org: string, state: State, { atsign, keys }: Intruder): Signed {
  const { request, proofs } = createEnrolment({ org, control: '', code: '' }, { kind: 'agent', atsign }, Object.values(keys), surroundings)
  const body = { request: encodeBase64url(request), proofs, exp: nowSeconds() + 86_400, tags: ['dev'] }
  const bytes = draftStatement(state, 'agent.enroll', body, { at: nowSeconds() })
  return { bytes, signatures: [signDetached(keys.call.secret.expose(), 'postern-statement-v1', bytes, native)] }
}

async function insert(
  { prisma }: Database,
  org: string,
  seq: number,
  { bytes, signatures }: Signed,
  { atsign, keys }: Intruder,
): Promise<void> {
  const hash = linkHash(bytes)
  const enrolment = { org, atsign, kind: 'agent', enrolment: hash, enrolledSeq: seq, admin: false, tags: ['dev'] }
  await prisma.identity.create({ data: enrolment })
  const rows = Object.values(keys).map(({ kid, public: { use, alg, key } }) => ({ org, kid, atsign, use, alg, publicKey: key, live: true }))
  await prisma.identityKey.createMany({ data: rows })
  const signed = { bytes: Uint8Array.from(bytes), signatures: signatures as never }
  await prisma.statement.create({ data: { org, seq, hash, op: 'agent.enroll', ...signed, receivedAt: new Date() } })
}
