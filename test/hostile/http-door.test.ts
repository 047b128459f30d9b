// Malformed input at the real HTTP door, from a socket to the database: a code, nothing stored, and the connection goes on where it can.
import { randomBytes } from 'node:crypto'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import type { RequestKey } from '@postern/core'
import { encodeBase64url, encodeSigned, signRequest } from '@postern/core'
import { native } from '@postern/daemon'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ControlChild, Home } from '../fixtures/processes.ts'
import { freePorts, openHome, startControl } from '../fixtures/processes.ts'
import type { Edge, RunningOrganisation } from '../fixtures/running-organisation.ts'
import { foundOrganisation } from '../fixtures/running-organisation.ts'
import { readSharedData } from '../shared-data.ts'
import { skipped } from '../skipped.ts'

let home: Home
let control: ControlChild
let organisation: RunningOrganisation
let edge: Edge<'gateway'>
beforeAll(async () => {
  home = await openHome('door')
  const [port] = (await freePorts(1)) as [number]
  control = await startControl(home, { port })
  organisation = await foundOrganisation(control, home)
  edge = await organisation.enrolKeys('gateway', '@gw')
})
afterAll(async () => {
  line.destroy()
  await control?.stop('SIGKILL')
  await home?.[Symbol.asyncDispose]()
})

/** One connection, kept: how often it had to be made shows whether a refusal closed it. */
const line = new Agent({ keepAlive: true, maxSockets: 1 })
let connections = 0
const makeConnection = line.createConnection.bind(line)
line.createConnection = ((...args: Parameters<typeof makeConnection>) => {
  connections += 1
  return makeConnection(...args)
}) as typeof line.createConnection

interface Answer {
  readonly status: number
  readonly code: string | undefined
}
function post(path: string, body: Uint8Array, { type = 'application/json', key = edge.keys.auth as RequestKey } = {}): Promise<Answer> {
  const url = `${control.url}${path}`
  const signer = { kid: key.kid, seed: key.secret.expose(), created: Math.floor(Date.now() / 1000), nonce: new Uint8Array(randomBytes(16)) }
  const headers = { ...signRequest({ method: 'POST', url, body }, signer, native), 'content-type': type, 'content-length': body.length }
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent: line, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, code: text.startsWith('{') ? JSON.parse(text).error?.code : undefined }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
const text = (value: string) => new Uint8Array(Buffer.from(value))
const head = async () => {
  const { head } = await organisation.clientOf(edge).call<{ head: { seq: number } }>('/api/v1/log?from=0')
  return head.seq
}
/** A signed statement that is in order but for its bytes. */
const entry = (bytes: Uint8Array) => JSON.stringify({ entry: { ...encodeSigned(organisation.entries[0]!), bytes: encodeBase64url(bytes) } })
const statement = () => Buffer.from(organisation.entries.at(-1)!.bytes).toString('utf8')

const malformed: [string, string, () => string | Uint8Array][] = [
  ['nothing', 'MALFORMED', () => ''],
  ['no JSON', 'MALFORMED', () => '{'],
  ['a byte order mark', 'MALFORMED', () => '\ufeff{}'],
  ['UTF-16', 'MALFORMED', () => new Uint8Array(Buffer.from('{}', 'utf16le'))],
  ['invalid UTF-8', 'MALFORMED', () => Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
  ['a lone surrogate', 'MALFORMED', () => '{"entry":"\\ud800"}'],
  ['a name twice', 'DUPLICATE_NAME', () => '{"entry":1,"entry":2}'],
  ['a name twice, once escaped', 'DUPLICATE_NAME', () => '{"entry":1,"\\u0065ntry":2}'],
  ['an unknown field', 'UNKNOWN_FIELD', () => '{"entry":{"bytes":"","signatures":[]},"admin":true}'],
  ['nesting of 100,000', 'TOO_DEEP', () => '['.repeat(30_000)],
  ['a prototype', 'MALFORMED', () => '{"__proto__":{"admin":true}}'],
  ['a number beyond doubles', 'MALFORMED', () => '{"entry":1e400}'],
  ['a statement with a space', 'NOT_CANONICAL', () => entry(text(statement().replace('{', '{ ')))],
  ['a statement with a byte order mark', 'MALFORMED', () => entry(text(`\ufeff${statement()}`))],
  ['a statement with a name twice', 'DUPLICATE_NAME', () => entry(text(statement().replace('"at":', '"at":1,"at":')))],
  ['a statement with an unknown field', 'UNKNOWN_FIELD', () => entry(text(statement().replace('{"at":', '{"admin":true,"at":')))],
  ['a statement deeper than eight', 'TOO_DEEP', () => entry(text(`{"at":${'['.repeat(9)}${']'.repeat(9)}}`))],
  ['a statement of more than 16 KiB', 'MALFORMED', () => entry(text(`{"at":"${'x'.repeat(17_000)}"}`))],
]

describe('a body with', () => {
  test.each(malformed)('%s gets %s, nothing is stored, and the connection stays', async (_, code, make) => {
    const before = await head()
    const body = make()
    const bytes = typeof body === 'string' ? text(body) : body
    await post('/api/v1/acks', text('{}'))
    const made = connections
    const answer = await post('/api/v1/log', bytes)
    expect(answer).toMatchObject({ status: 400, code })
    expect((await post('/api/v1/acks', text('{}'))).code).toBe('MALFORMED')
    expect(connections).toBe(made)
    expect(await head()).toBe(before)
  })
})

describe('a body that is too large', () => {
  test('is refused by what it announces', async () => {
    expect(await post('/api/v1/sessions', new Uint8Array(1 << 20))).toMatchObject({ status: 413, code: 'TOO_LARGE' })
  })

  test('and that does not say so is refused while it comes, and not read to its end', { timeout: 30_000 }, async () => {
    const { hostname, port, host } = new URL(control.url)
    const sent = await new Promise<{ bytes: number; answer: string }>((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port) })
      let [bytes, answer] = [0, '']
      const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
      const more = () => {
        while (bytes < 512 << 20 && !socket.destroyed && socket.writable) {
          bytes += 0x10000
          if (!socket.write(chunk)) return
        }
      }
      socket.setEncoding('utf8').on('data', (part: string) => {
        answer += part
        socket.destroy()
      })
      socket
        .on('drain', more)
        .on('error', () => {})
        .on('close', () => resolve({ bytes, answer }))
      socket.setTimeout(20_000, () => reject(new Error('no answer')))
      socket.write(
        `POST /api/v1/sessions HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
      )
      more()
    })
    expect(sent.answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(sent.bytes).toBeLessThan(64 << 20)
    expect((await fetch(`${control.url}/api/health`)).status).toBe(200)
  })
})

const corpus = readSharedData('hostile/jsontestsuite.jsonl.gz')
if (!corpus) skipped('JSONTestSuite at the HTTP door', 'no external data')
test.runIf(corpus)(
  'every text of JSONTestSuite gets a code, and the one connection lives through all of them',
  { timeout: 60_000 },
  async () => {
    const lines = corpus!
      .split('\n')
      .filter(Boolean)
      .map((one) => JSON.parse(one) as { file: string; b64: string; expect: string })
    const before = await head()
    const made = connections
    for (const { file, b64, expect: wanted } of lines) {
      const answer = await post('/api/v1/acks', new Uint8Array(Buffer.from(b64, 'base64')))
      expect([400, 413], file).toContain(answer.status)
      expect(answer.code, file).toMatch(/^(?:MALFORMED|DUPLICATE_NAME|TOO_DEEP|TOO_LARGE|UNKNOWN_FIELD|UNSAFE_TEXT)$/)
      if (wanted === 'reject') expect(answer.code, file).toMatch(/^(?:MALFORMED|TOO_DEEP|TOO_LARGE)$/)
    }
    expect(lines.length).toBeGreaterThan(300)
    expect(connections - made).toBeLessThanOrEqual(1)
    expect(await head()).toBe(before)
  },
)
