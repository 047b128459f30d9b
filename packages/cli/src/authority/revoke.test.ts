import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ack, Signed } from '@postern/core'
import {
  addRevocation,
  decodeSigned,
  emptyRevocations,
  encodeBase64url,
  keyIdOf,
  parseAtSign,
  parseRevocation,
  portable,
  revocationHash,
  revocationsDigest,
  signAck,
} from '@postern/core'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { found, grow } from '../../../../test/fixtures/organisation.ts'
import { bytesOf, machineKey, requestOf, T0 } from '../../../../test/fixtures/people.ts'
import type { ToldControl } from '../../../../test/fixtures/told-control.ts'
import { openToldControl, openToldPerson } from '../../../../test/fixtures/told-control.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import type { SignedIn } from '../profile/person.ts'
import { enrolmentOf, revoke } from './revoke.ts'

const founded = found()
const lease = { exp: T0 + 1_000_000, tags: [] }
const withGateways = ['@gw-a', '@gw-b'].reduce(
  (branch, name) => grow(branch, 'gateway.enroll', { ...requestOf(founded.org, 'gateway', name), ...lease }),
  founded,
)
const branch = grow(withGateways, 'agent.enroll', {
  ...requestOf(founded.org, 'agent', '@bot', { owner: '@ana' }),
  ...lease,
  owner: parseAtSign('@ana'),
})
const { state } = branch

/** A gateway says that it has applied these revocations; signed by `by`. */
function ackOf(gateway: string, revocations: readonly string[], by = gateway): string {
  const { seq, head, org } = state
  const ack: Ack = {
    ...{ v: 1, org, iss: parseAtSign(gateway), kid: keyIdOf(machineKey(gateway, 'receipt').publicKey), seq, head },
    ...{ revocations: revocationsDigest(revocations, portable), at: T0 + 3600, epoch: encodeBase64url(bytesOf('epoch', 16)) },
  }
  return signAck(ack, machineKey(by, 'receipt').seed, portable)
}

interface Talk extends Context {
  readonly said: string[]
}
const contextOf = (answer: 'yes' | 'no' = 'yes'): Talk => {
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  const confirmFinal = async (name: string) => {
    say(`asked ${name}`)
    if (answer === 'no') throw new CliError('DECLINED', 'nothing was signed', { exit: 'refused' })
  }
  return { said, say, show: say, detail: () => {}, warn: say, warnings: [], confirm: async () => {}, confirmFinal } as unknown as Talk
}

let control: ToldControl
let person: Awaited<ReturnType<typeof openToldPerson>>
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: (T0 + 3600) * 1000 })
  control = await openToldControl(branch)
  person = await openToldPerson(control, branch)
})
afterEach(async () => {
  await person[Symbol.asyncDispose]()
  await control[Symbol.asyncDispose]()
  vi.useRealTimers()
})

const run = (target: string, options: { waitSeconds?: number; out?: string } = {}, context = contextOf()) => {
  const kind = target.startsWith('@gw') ? 'gateway' : 'agent'
  return revoke(context, person as unknown as SignedIn, `${kind}.revoke`, enrolmentOf(target, kind), {
    reason: 'stolen',
    waitSeconds: 5,
    ...options,
  })
}

/** Gateways apply what is handed in, and say so as `acks` makes them. */
function answering(acks: (hash: string) => readonly string[]): { handedIn: Signed[] } {
  const handedIn: Signed[] = []
  control.told.onRevocation = (signed) => {
    handedIn.push(signed)
    control.told.revocations = [signed]
    control.told.acks = acks(revocationHash(signed.bytes))
  }
  return { handedIn }
}

describe('a revocation', () => {
  test('is effective when every gateway says, under its own key, that it holds exactly this set', async () => {
    const { handedIn } = answering((hash) => [ackOf('@gw-a', [hash]), ackOf('@gw-b', [hash])])
    const report = await run('@bot')
    expect(report).toMatchObject({
      schema: 'agent.revoke',
      exit: 'done',
      data: { effective: true, gateways: 2, applied: ['@gw-a', '@gw-b'], missing: [] },
    })
    expect(report.lines?.[0]).toMatch(/^✓ signed · effective on 2 of 2 gateways, \d+ ms$/)
    const [signed] = handedIn
    expect(addRevocation(emptyRevocations(), signed!, state, portable).held.size).toBe(1)
    expect(parseRevocation(signed!.bytes)).toMatchObject({
      reason: 'stolen',
      target: { kind: 'enrolment', id: state.identities.get(parseAtSign('@bot'))!.enrolment },
    })
  })

  test('is shown in words, and asked about by a name that --yes does not give', async () => {
    answering(() => [])
    const context = contextOf()
    await run('@bot', { waitSeconds: 0 }, context)
    expect(context.said.join('\n')).toContain('of @bot, for ever: it cannot be undone')
    expect(context.said.at(-1)).toBe('asked revoke-is-final')
  })

  test('is neither signed nor sent after a no', async () => {
    const { handedIn } = answering(() => [])
    await expect(run('@bot', {}, contextOf('no'))).rejects.toMatchObject({ code: 'DECLINED' })
    expect(handedIn).toEqual([])
  })

  test('of a name that is not in the log is not found, and nothing is signed', async () => {
    const { handedIn } = answering(() => [])
    await expect(run('@ghost')).rejects.toMatchObject({ code: 'NOT_FOUND', exit: 'notFound' })
    expect(handedIn).toEqual([])
  })

  test('of a gateway is not waited for at that gateway', async () => {
    answering((hash) => [ackOf('@gw-b', [hash])])
    expect(await run('@gw-a')).toMatchObject({ data: { effective: true, gateways: 1, applied: ['@gw-b'] } })
  })

  test('becomes effective when the last gateway’s ack comes later', async () => {
    answering((hash) => {
      setImmediate(() => {
        control.told.acks = [ackOf('@gw-a', [hash]), ackOf('@gw-b', [hash])]
        control.push('ack', {})
      })
      return [ackOf('@gw-a', [hash])]
    })
    expect(await run('@bot')).toMatchObject({ exit: 'done', data: { effective: true } })
  })
})

describe('NOT EFFECTIVE is said, with exit code 6 and the second path, when', () => {
  test.each<[string, (hash: string) => readonly string[]]>([
    ['a gateway says nothing', (hash) => [ackOf('@gw-a', [hash])]],
    ['an ack is signed by another gateway’s key', (hash) => [ackOf('@gw-a', [hash]), ackOf('@gw-b', [hash], '@gw-a')]],
    ['an ack is of the set before', (hash) => [ackOf('@gw-a', [hash]), ackOf('@gw-b', [])]],
    ['an ack is of more than anybody signed', (hash) => [ackOf('@gw-a', [hash]), ackOf('@gw-b', [hash, state.head])]],
    ['one gateway’s ack is shown twice', (hash) => [ackOf('@gw-a', [hash]), ackOf('@gw-a', [hash])]],
    ['an ack does not read', (hash) => [ackOf('@gw-a', [hash]), 'ack']],
  ])('%s', async (_, acks) => {
    answering(acks)
    const report = await run('@bot', { waitSeconds: 0, out: join(person.dir.path, 'end.json') })
    expect(report).toMatchObject({ exit: 'pending', data: { effective: false, applied: ['@gw-a'], missing: ['@gw-b'] } })
    expect(report.lines?.[0]).toMatch(/^! signed · NOT EFFECTIVE on @gw-b · effective on 1 of 2 gateways after \d+ ms$/)
    expect(report.hints?.[0]).toContain('postern gateway apply')
  })
})

test('--out keeps the signed revocation in a file that only its owner reads', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-revoke-'))
  const out = join(directory, 'end.json')
  const { handedIn } = answering((hash) => [ackOf('@gw-a', [hash]), ackOf('@gw-b', [hash])])
  await run('@bot', { out })
  expect(decodeSigned(JSON.parse(await readFile(out, 'utf8')))).toEqual(handedIn[0])
  expect((await stat(out)).mode & 0o777).toBe(0o600)
  await rm(directory, { recursive: true })
})
