// The CLI verifies whatever the control plane shows it: exit code 8 for what does not verify, and only real acks make something effective.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ack, Receipt, Signed } from '@postern/core'
import {
  applyStatement,
  canonicalText,
  decodeBase64url,
  draftGenesis,
  draftStatement,
  encodeBase64url,
  encodeEdgeSecrets,
  encodeRevocation,
  keyIdOf,
  organisationOf,
  parseAtSign,
  policyDigest,
  revocationHash,
  revocationsDigest,
  signAck,
  signReceipt,
  startState,
  writePin,
} from '@postern/core'
import { native, openStateDir } from '@postern/daemon'
import { stringify } from 'smol-toml'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { collectEvidence } from '../../packages/cli/src/audit/collect.ts'
import { verifyEvidence } from '../../packages/cli/src/audit/verify-evidence.ts'
import { syncAuthority } from '../../packages/cli/src/authority/authority.ts'
import type { Settings } from '../../packages/cli/src/config.ts'
import { approversOf, readPublicLog } from '../../packages/cli/src/enrolment/join.ts'
import { openSignedIn } from '../../packages/cli/src/profile/person.ts'
import type { Branch } from '../fixtures/organisation.ts'
import { append, draft, genesisBody, genesisOf, grow, signStatement } from '../fixtures/organisation.ts'
import { machineKey, recoveryKey, requestOf, seedOf, signKey } from '../fixtures/people.ts'
import type { Home } from '../fixtures/processes.ts'
import { openHome, scripts, startNode } from '../fixtures/processes.ts'
import { changed, openPolicy } from './house.ts'
import { Liar } from './liar.ts'

const seconds = () => Math.floor(Date.now() / 1000)
const MONTH = 30 * 86_400

let home: Home
let liar: Liar
let branch: Branch
beforeEach(async () => {
  home = await openHome('hostile-cli')
  branch = foundNow()
  liar = await Liar.open(branch.org, branch.entries)
  liar.policies.set(policyDigest(openPolicy), openPolicy)
  liar.receipts.push(receipt(1), receipt(2), receipt(3))
  liar.acks.push(ack())
  await writeProfile()
})
afterEach(async () => {
  await liar[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

/** The CLI has no clock but the machine's: an organisation of this hour. */
function foundNow(): Branch {
  const at = seconds() - 3600
  const bytes = draftGenesis(genesisBody(), { at })
  const genesis = signStatement(bytes, [signKey('@ana'), recoveryKey()])
  const org = organisationOf(bytes)
  const founded = { org, entries: [genesis], state: startState(genesis, org, native) }
  const withGateway = grow(founded, 'gateway.enroll', lease(org, 'gateway', '@gw'))
  const withAgent = grow(withGateway, 'agent.enroll', lease(org, 'agent', '@eve'))
  return grow(withAgent, 'policy.set', { sha256: policyDigest(openPolicy), name: 'open' })
}
const lease = (org: string, kind: 'gateway' | 'agent', atsign: string) => ({
  ...requestOf(org, kind, atsign, { exp: seconds() + 3600 }),
  exp: seconds() + MONTH,
  tags: [],
})

async function writeProfile(): Promise<void> {
  const profile = { control: liar.url, org: branch.org, atsign: '@ana', state: '@ana', key: 'own' }
  await mkdir(home.config, { recursive: true, mode: 0o700 })
  await writeFile(join(home.config, 'config.toml'), stringify({ profile: 'acme', profiles: { acme: profile } }))
  const dir = await openStateDir('person', '@ana', home.state)
  await writePin(dir, { org: branch.org, control: liar.url })
  await dir.write('sign.json', encodeEdgeSecrets(new Map([['sign', signKey('@ana').seed]])))
  await dir.write('session.json', JSON.stringify({ v: 1, seed: encodeBase64url(seedOf('session')), expires: seconds() + 3600 }))
}

const gateway = machineKey('@gw', 'receipt')
const claims = (by = gateway) => ({ v: 1, org: branch.org, iss: parseAtSign('@gw'), kid: keyIdOf(by.publicKey) }) as const
const epoch = encodeBase64url(new Uint8Array(16))
function receipt(rseq: number, change: Partial<Receipt> = {}, by = gateway): string {
  const call = { agent: parseAtSign('@eve'), server: 'tools', tool: 'write', decision: 'allow', code: 'OK', status: 'ok' } as const
  const times = { t0: seconds() - 60, t1: seconds() - 60 }
  return signReceipt({ ...claims(by), epoch, ...call, ...times, pol: policyDigest(openPolicy), rseq, ...change }, by.seed, native)
}
function ack(change: Partial<Ack> = {}, by = gateway): string {
  const { seq, head } = branch.state
  const revocations = revocationsDigest(liar?.revocations.map(({ bytes }) => revocationHash(bytes)) ?? [], native)
  return signAck({ ...claims(by), seq, head, revocations, at: seconds(), epoch, ...change }, by.seed, native)
}
/** Signed by a key that the log does not name. */
const stranger = machineKey('@mallory', 'receipt')
const edited = (token: string, change: object) => {
  const [header, payload, signature] = token.split('.')
  const claims = { ...JSON.parse(Buffer.from(payload!, 'base64url').toString()), ...change }
  return [header, Buffer.from(canonicalText(claims)).toString('base64url'), signature].join('.')
}

/** The program itself. */
async function cli(...args: string[]) {
  const child = startNode('cli', scripts.cli, [...args, '--json'], { env: home.env, speaks: true })
  let output = ''
  child.process.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk
  })
  const exit = await child.exit
  return { exit, said: JSON.parse(output || '{}') as { error?: { code: string }; data?: { verified?: boolean; effective?: boolean } } }
}
/** What its commands are made of: the same without starting a process each time. */
const person = () => openSignedIn({ profile: undefined, environment: home.env } as Settings)
const sync = async () => {
  const { dir, profile, client } = await person()
  return syncAuthority(dir, profile.org, client)
}
/** The checks that fail, with what they say. */
async function audit(): Promise<readonly (readonly [string, string])[]> {
  const evidence = await collectEvidence(await person())
  const checks = verifyEvidence(branch.org, evidence, seconds())
  return checks.filter(({ status }) => status === 'failed').map(({ id, detail }) => [id, detail] as const)
}

test('what honest edges signed is verified', async () => {
  expect(await audit()).toEqual([])
  expect(await cli('audit', 'verify')).toMatchObject({ exit: 0, said: { data: { verified: true } } })
})

describe('a control plane that shows', () => {
  const log: [string, string, () => readonly Signed[]][] = [
    ['a shorter log', 'LOG_ROLLED_BACK', () => branch.entries.slice(0, 2)],
    ['no log', 'LOG_ROLLED_BACK', () => []],
    ['a forged enrolment', 'LOG_REFUSED', () => [...branch.entries, enrolling([signKey('@mallory')])]],
    ['another statement in place of the last one', 'LOG_FORKED', () => [...branch.entries.slice(0, -1), another()]],
    ['the same, signed by nobody', 'LOG_FORKED', () => [...branch.entries.slice(0, -1), { ...another(), signatures: [] }]],
  ]
  const enrolling = (by: Parameters<typeof signStatement>[1]) =>
    draft(branch, 'agent.enroll', lease(branch.org, 'agent', '@mallory'), { by })
  const another = () => {
    const before = { ...branch, entries: branch.entries.slice(0, -1), state: stateAfter(branch.entries.slice(0, -1)) }
    return draft(before, 'agent.enroll', lease(branch.org, 'agent', '@other'))
  }
  const stateAfter = ([genesis, ...rest]: readonly Signed[]) =>
    rest.reduce((state, signed) => applyStatement(state, signed, native), startState(genesis!, branch.org, native))

  test.each(log)('%s: %s', async (_, code, show) => {
    await sync()
    liar.entries = show()
    await expect(sync()).rejects.toMatchObject({ code, exit: 'verification' })
    liar.entries = branch.entries
    if (code === 'LOG_FORKED') return
    expect((await sync()).state.head).toBe(branch.state.head)
  })

  test('another genesis, before anything was verified here: LOG_REFUSED', async () => {
    liar.entries = [genesisOf({ name: 'Substitute', admins: ['@mallory'] })]
    await expect(sync()).rejects.toMatchObject({ code: 'LOG_REFUSED', exit: 'verification' })
  })

  test('another organisation: WRONG_ORGANISATION', async () => {
    liar.lies.log = (honest) => ({ ...honest, org: organisationOf(genesisOf({ name: 'Other' }).bytes) })
    await expect(sync()).rejects.toMatchObject({ code: 'WRONG_ORGANISATION', exit: 'verification' })
  })

  test('any of these ends every command with exit code 8', async () => {
    expect((await cli('org', 'show')).exit).toBe(0)
    liar.entries = branch.entries.slice(0, 2)
    for (const command of ['show', 'verify']) {
      const run = await cli(command === 'show' ? 'org' : 'audit', command)
      expect(run).toMatchObject({ exit: 8, said: { error: { code: 'LOG_ROLLED_BACK' } } })
    }
  })

  test.each([
    ['the same page again and again', (from: number) => ({ entries: from === 0 ? 'all' : 'genesis', next: from + 1 })],
    ['pages without entries', (from: number) => ({ entries: 'none', next: from + 1 })],
  ])('%s to a machine that is not enrolled yet comes to an end', async (_, lie) => {
    liar.lies.log = (honest, from) => {
      const { entries, next } = lie(from)
      const shown = { all: honest.entries, genesis: liar.answerFrom(branch.entries, 0).entries, none: [] }[entries]
      return { ...honest, entries: shown, next }
    }
    await expect(readPublicLog({ control: liar.url, org: branch.org, code: 'F4KD-9TWP' })).rejects.toMatchObject({ name: 'VerifyError' })
  })

  test('an enrolment as approved that the log does not have: exit code 8', async () => {
    const join = { control: liar.url, org: branch.org, code: 'F4KD-9TWP' }
    const log = await readPublicLog(join)
    const request = decodeBase64url(requestOf(branch.org, 'agent', '@new', { exp: seconds() + 3600 }).request)
    expect(() => approversOf(log, { atsign: parseAtSign('@new'), request })).toThrow(expect.objectContaining({ exit: 'verification' }))
    const other = decodeBase64url(requestOf(branch.org, 'agent', '@eve', { exp: seconds() + 3600, generation: 2 }).request)
    expect(() => approversOf(log, { atsign: parseAtSign('@eve'), request: other })).toThrow(
      expect.objectContaining({ exit: 'verification' }),
    )
    const real = decodeBase64url(requestOf(branch.org, 'agent', '@eve', { exp: seconds() + 3600 }).request)
    expect(approversOf(log, { atsign: parseAtSign('@eve'), request: real })).toEqual(['@ana'])
  })

  test('a statement of a later version signs nothing on top of it: LOG_HALTED', async () => {
    const bytes = changed(draft(branch, 'release', { target: { kind: 'grant', id: branch.org } }), { op: 'format.upgrade', body: { v: 2 } })
    liar.entries = [...branch.entries, signStatement(bytes, [signKey('@ana')])]
    await expect(sync()).rejects.toMatchObject({ code: 'LOG_HALTED', exit: 'failed' })
  })

  const tokens: [string, string, RegExp, () => void][] = [
    ['a receipt that a stranger signed', 'receipts', /UNKNOWN_KEY/, () => tell('receipts', (all) => [...all, receipt(4, {}, stranger)])],
    ['a receipt under the real key’s name', 'receipts', /BAD_SIGNATURE/, () => tell('receipts', (all) => [...all, forgedReceipt()])],
    [
      'an edited receipt',
      'receipts',
      /BAD_SIGNATURE/,
      () => tell('receipts', ([first, ...rest]) => [edited(first!, { code: 'REVOKED' }), ...rest]),
    ],
    ['a receipt left out', 'gaps', /receipt 2 of @gw is missing/, () => tell('receipts', (all) => all.filter((_, i) => i !== 1))],
    ['two receipts with one number', 'receipts', /exists twice/, () => tell('receipts', (all) => [...all, receipt(2, { tool: 'read' })])],
    [
      'a receipt for a policy that nobody signed',
      'receipts',
      /policy that nobody signed/,
      () => tell('receipts', (all) => [...all, receipt(4, { pol: branch.org })]),
    ],
    ['an ack that a stranger signed', 'acks', /UNKNOWN_KEY/, () => tell('acks', () => [ack({}, stranger)])],
    ['an edited ack', 'acks', /BAD_SIGNATURE/, () => tell('acks', ([first]) => [edited(first!, { seq: 1 })])],
    [
      'less log than a gateway has acknowledged',
      'acks',
      /holds statements back/,
      () => tell('acks', () => [ack({ seq: branch.state.seq + 1 })]),
    ],
    ['another log than a gateway has acknowledged', 'acks', /two logs/, () => tell('acks', () => [ack({ head: branch.org })])],
    [
      'fewer revocations than a gateway has acknowledged',
      'acks',
      /applied 1 revocations/,
      () => tell('acks', () => [ack({ revocations: { count: 1, digest: branch.org } })]),
    ],
    [
      'an edited policy',
      'policies',
      /another one/,
      () =>
        liar.policies.set(
          policyDigest(openPolicy),
          openPolicy.map((byte, i) => (i === 9 ? byte ^ 1 : byte)),
        ),
    ],
    ['no policy', 'policies', /is missing/, () => liar.policies.clear()],
  ]
  const tell = (what: 'receipts' | 'acks', lie: (honest: readonly string[]) => readonly string[]) => {
    liar.lies[what] = lie
  }
  /** The claims name the gateway's key, and another one signed. */
  const forgedReceipt = () => {
    const [header, payload] = receipt(4).split('.')
    return [header, payload, receipt(4, {}, stranger).split('.')[2]].join('.')
  }

  test.each(tokens)('%s: audit verify fails at %s', async (_, check, detail, lie) => {
    lie()
    expect(await audit()).toContainEqual([check, expect.stringMatching(detail)])
  })

  test('any of these ends audit verify with exit code 8', async () => {
    tell('receipts', (all) => [...all, receipt(4, {}, stranger)])
    expect(await cli('audit', 'verify')).toMatchObject({ exit: 8, said: { data: { verified: false } } })
  })

  test('a log without a revocation that it names: audit verify fails', async () => {
    const bytes = encodeRevocation({ org: branch.org, target: { kind: 'grant', id: branch.org }, reason: 'x', at: seconds() })
    const rev = [revocationHash(bytes)]
    const statement = draftStatement(branch.state, 'release', { target: { kind: 'grant', id: branch.org } }, { at: seconds(), rev })
    branch = append(branch, signStatement(statement, [signKey('@ana')]))
    liar.entries = branch.entries
    expect(await audit()).toEqual([['revocations', expect.stringContaining(rev[0]!)]])
  })
})

describe('a revocation is effective', () => {
  const revoke = () => cli('agent', 'revoke', '@eve', '--accept', 'revoke-is-final', '--wait', '1')

  test('when the gateway has acknowledged it', async () => {
    liar.onRevocation = () => {
      liar.acks.splice(0, 1, ack())
      liar.push('ack', {})
    }
    expect(await revoke()).toMatchObject({ exit: 0, said: { data: { effective: true } } })
  })

  test('not by acks of before, forged, edited or invented: NOT EFFECTIVE, exit code 6', async () => {
    liar.lies.acks = (honest) => [...honest, ack({}, stranger), edited(honest[0]!, JSON.parse(payloadOf(ack()))), 'effective']
    expect(await revoke()).toMatchObject({ exit: 6, said: { data: { effective: false } } })
  })
  const payloadOf = (token: string) => Buffer.from(token.split('.')[1]!, 'base64url').toString()
})
