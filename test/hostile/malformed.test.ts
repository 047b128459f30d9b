// Malformed input inside the channel: each message gets a code or ends just its own channel, and nothing of it reaches a server.
import type { JsonObject } from '@postern/core'
import { argsDigest, encodeBase64url, utf8 } from '@postern/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { HeldGrant, TestAgent } from '../fixtures/gateway/test-agent.ts'
import { readSharedData } from '../shared-data.ts'
import { skipped } from '../skipped.ts'
import { House } from './house.ts'

let house: House
let agent: TestAgent
let grant: HeldGrant
beforeAll(async () => {
  house = await House.open()
  agent = await house.connect()
  grant = (await agent.ask([{ server: 'tools', tool: 'send_money' }])).grant!
  await agent.begin('s1', 'tools')
})
afterAll(() => house[Symbol.asyncDispose]())

const salt = new Uint8Array(16)
/** What a reader that is lenient where ours is not would take for the parameters: they are signed, so that only the form is at fault. */
const lenientParams = (body: Uint8Array): JsonObject => {
  try {
    const { params } = JSON.parse(Buffer.from(body).toString('utf8'))
    argsDigest(salt, params)
    return params
  } catch {
    return { name: 'send_money', arguments: {} }
  }
}

/** Sends a call with this body: 'RAN', or the code of the refusal. */
async function send(body: Uint8Array): Promise<string> {
  const params = lenientParams(body)
  const name = typeof params.name === 'string' && params.name !== '' ? params.name.slice(0, 100) : 'send_money'
  const tool = /^[\w.-]+$/.test(name) ? name : 'send_money'
  const claims = { a: argsDigest(salt, params), tool }
  const { header } = agent.signCall('s1', grant, 'tools', tool, {}, { claims, header: { salt: encodeBase64url(salt) } })
  agent.send('CALL', header, body)
  const answer = await agent.next(({ type }) => type === 'RESULT' || type === 'REFUSED')
  return answer.type === 'RESULT' ? 'RAN' : (answer.header as { code: string }).code
}

/** Numbers as JSON writes them: −0 is 0, for the digest too. */
const canonical = (body: Uint8Array): unknown => JSON.parse(JSON.stringify(JSON.parse(Buffer.from(body).toString('utf8'))))

interface Case {
  readonly id: string
  readonly class: string
  readonly transport: string
  readonly direction?: string
  readonly b64: string
  readonly expect: string
}
const corpus = readSharedData('hostile/cases.jsonl.gz')
if (!corpus) skipped('hostile MCP messages in the channel', 'no external data')
const cases = (corpus ?? '')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Case)
  .filter(({ transport, direction }) => transport === 'body' && direction === undefined)

/** The corpus leaves these to the pinned schema, which comes with full enforcement, or to a limit that we set elsewhere. */
const mayRun = new Set(['size-002', 'width-000', 'width-001', 'proto-002', 'proto-003', 'proto-004', 'proto-005', 'utf8-009', 'schema-001'])
const codes = /^(?:MESSAGE_MALFORMED|FRAME_TOO_LARGE|METHOD_NOT_PERMITTED|CALL_MALFORMED|CALL_BINDING|ARGS_CHANGED|TOOL_NOT_GRANTED)$/

describe.runIf(corpus)('a call of the published corpus', () => {
  test.each(cases.map((one) => [one.id, one] as const))('%s', async (id, { b64, expect: wanted }) => {
    const body = new Uint8Array(Buffer.from(b64, 'base64'))
    const before = house.received.length
    const outcome = await send(body)
    if (outcome === 'RAN') {
      expect(wanted === 'accept' || mayRun.has(id), `${id} ran`).toBe(true)
      expect(house.received.at(-1)).toEqual(canonical(body))
    } else {
      expect(wanted).not.toBe('accept')
      expect(outcome).toMatch(codes)
      expect(house.received).toHaveLength(before)
    }
  })

  test('never reaches the server as anything but what was decided on', async () => {
    expect(house.received.length).toBeGreaterThan(8)
    for (const request of house.received) expect(request).toMatchObject({ jsonrpc: '2.0', method: 'tools/call' })
  })

  test('leaves the channel as it was', async () => {
    expect(await send(utf8('{"jsonrpc":"2.0","id":"last","method":"tools/call","params":{"name":"send_money","arguments":{}}}'))).toBe(
      'RAN',
    )
  })
})

describe('what is no message of the channel', () => {
  const message = (type: number, header: string | Uint8Array, body: Uint8Array = new Uint8Array(0)) => {
    const json = typeof header === 'string' ? utf8(header) : header
    const prefix = Buffer.alloc(5)
    prefix[0] = type
    prefix.writeUInt32BE(json.length, 1)
    return Buffer.concat([prefix, json, body])
  }
  const nonsense: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['a type that does not exist', message(200, '{}')],
    ['a message that only a gateway sends', message(3, '{"rid":"x"}')],
    ['a second HELLO', message(1, JSON.stringify({ v: 1 }))],
    ['a header that is no JSON', message(4, '{')],
    ['a header with an unknown field', message(4, '{"sid":"s9","server":"tools","admin":true}')],
    ['a header with a field twice', message(4, '{"sid":"s9","sid":"s1","server":"tools"}')],
    ['a header with a byte order mark', message(4, '\ufeff{"sid":"s9","server":"tools"}')],
    ['a header with a lone surrogate', message(4, '{"sid":"s9","server":"\\ud800"}')],
    ['a header deeper than eight', message(4, `{"sid":${'['.repeat(9)}${']'.repeat(9)},"server":"tools"}`)],
    ['a header of more than 64 KiB', message(4, `{"sid":"s9","server":"${'x'.repeat(70_000)}"}`)],
    ['a header that ends after the message', Buffer.from([4, 0xff, 0xff, 0xff, 0xff, 0x7b])],
    ['a body where none belongs', message(4, '{"sid":"s9","server":"tools"}', utf8('more'))],
    ['a call of more than 2 MiB', message(7, '{}', new Uint8Array((2 << 20) + 1))],
  ]
  test.each(nonsense)('ends its channel, and no other: %s', async (_, bytes) => {
    const stranger = await house.connect('@eve')
    stranger.sendSealed(bytes)
    await stranger.ended
    const again = await house.connect('@eve')
    expect((await again.ask([{ server: 'tools', tool: 'read' }])).grant).toBeDefined()
    expect((await agent.ask([{ server: 'tools', tool: 'read' }])).grant).toBeDefined()
  })

  test.each([
    ['an ask that is no token', utf8('x'.repeat(100))],
    ['an empty ask', new Uint8Array(0)],
    ['an ask that is not UTF-8', Uint8Array.of(0xff, 0xfe, 0xfd)],
  ])('%s is answered with a code, or ends just that channel', async (_, body) => {
    const other = await house.connect('@eve')
    other.send('ASK', { rid: 'r1' }, body)
    const outcome = await Promise.race([
      other.next(({ type }) => type === 'GRANT').then(({ header }) => (header as { error?: { code: string } }).error?.code),
      other.ended.then(() => 'ended'),
    ])
    expect(['ASK_MALFORMED', 'ended']).toContain(outcome)
    expect((await agent.ask([{ server: 'tools', tool: 'read' }])).grant).toBeDefined()
  })
})
