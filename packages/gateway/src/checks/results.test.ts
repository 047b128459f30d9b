import type { JsonObject, OutputMode, RpcResponse } from '@postern/core'
import { afterAll, describe, expect, test } from 'vitest'
import { CHECKS_KEY, createResultChecks } from './results.ts'
import { createSchemas } from './schemas.ts'
import { createThread } from './thread.ts'

const thread = createThread(5_000)
const checks = createResultChecks(thread, createSchemas(thread))
afterAll(() => thread[Symbol.asyncDispose]())

/** Made here, so that no literal secret stands in the source. */
const token = ['ghp', 'x7Kd92mQvT4bZr81LcYw'.repeat(2).slice(0, 36)].join('_')
const answer = (result: JsonObject): RpcResponse =>
  ({ kind: 'response', id: 1, result, json: { jsonrpc: '2.0', id: 1, result } }) as RpcResponse
const said = (text: string, more: JsonObject = {}) => answer({ content: [{ type: 'text', text }], ...more })
const resultOf = async (response: RpcResponse, mode: OutputMode = 'redact') => {
  const checked = await checks.check(response, mode)
  return 'refused' in checked ? checked : (checked.response.result as JsonObject)
}
const textOf = (result: JsonObject) => (result.content as { text: string }[])[0]?.text

describe('a result with a secret', () => {
  test('is redacted where it stands, and says so in its labels', async () => {
    const result = await resultOf(said(`export GITHUB_TOKEN=${token}\ndone`))
    expect(textOf(result as JsonObject)).toMatch(/^export GITHUB_TOKEN=\[redacted: [\w-]+\]\ndone$/)
    expect(result).toHaveProperty(['_meta', CHECKS_KEY, 'secrets'], 1)
    expect(JSON.stringify(result)).not.toContain(token)
  })
  test('is withheld when the rule says refuse, without repeating it', async () => {
    const result = await resultOf(said(`token: ${token}`), 'refuse')
    expect(result).toEqual({ refused: expect.stringContaining('secret') })
    expect(JSON.stringify(result)).not.toContain(token)
  })
  test.each([
    ['base64', (text: string) => Buffer.from(text).toString('base64')],
    ['hexadecimal', (text: string) => Buffer.from(text).toString('hex')],
    ['percent-encoding', (text: string) => encodeURIComponent(text)],
    ['a JSON text', (text: string) => JSON.stringify({ text })],
    ['zero-width characters in between', (text: string) => [...text].join('\u200b')],
  ])('is found in %s', async (_, encode) => {
    expect(await resultOf(said(encode(`password = "${token}"`)), 'refuse')).toHaveProperty('refused')
  })
  test('is found in structured content and in names of members', async () => {
    expect(await resultOf(said('see below', { structuredContent: { env: { [`token=${token}`]: 1 } } }), 'refuse')).toHaveProperty('refused')
  })
})

describe('a result without a secret', () => {
  test.each([
    'The meeting is on 2026-11-27 at 10:00, room 4.',
    'commit 9fceb02d0ae598e95dc970b74767f19372d61af8 by ana',
    'id: 550e8400-e29b-41d4-a716-446655440000',
    'GITHUB_TOKEN=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    'password: your-password-here',
    'https://example.com/path?page=2',
  ])('keeps its text: %s', async (text) => expect(textOf((await resultOf(said(text), 'refuse')) as JsonObject)).toBe(text))

  test('keeps its binary content', async () => {
    const image = { type: 'image', mimeType: 'image/png', data: Buffer.from(`password = "${token}"`).toString('base64') }
    expect((await resultOf(answer({ content: [image] }), 'refuse')) as JsonObject).toHaveProperty('content', [image])
  })
})

test('invisible characters are taken out and counted', async () => {
  const result = (await resultOf(said('to\u202etal\u{e0041}\u0007 50'))) as JsonObject
  expect(textOf(result)).toBe('total 50')
  expect(result).toHaveProperty(['_meta', CHECKS_KEY, 'hidden'], 3)
})

test.each([
  ['an IBAN', 'DE89 3704 0044 0532 0130 00', ['iban']],
  ['a payment card', '4111 1111 1111 1111', ['payment-card']],
  ['an IBAN with one digit changed', 'DE89 3704 0044 0532 0130 01', []],
  ['an order number of sixteen digits', '4111 1111 1111 1112', []],
])('%s is labelled and left', async (_, text, kinds) => {
  const result = (await resultOf(said(text))) as JsonObject
  expect(textOf(result)).toBe(text)
  expect(result).toHaveProperty(['_meta', CHECKS_KEY, 'identifiers'], kinds)
})

describe('structured content', () => {
  const output = { key: 'weather', schema: { type: 'object', properties: { celsius: { type: 'number' } }, required: ['celsius'] } }
  const check = (result: JsonObject) => checks.check(answer({ content: [], ...result }), 'redact', output)
  test('that fits passes', async () => expect(await check({ structuredContent: { celsius: 4 } })).not.toHaveProperty('refused'))
  test('that does not fit is withheld', async () =>
    expect(await check({ structuredContent: { celsius: 'cold' } })).toEqual({ refused: 'structuredContent/celsius: must be number' }))
  test('that is missing is withheld', async () => expect(await check({})).toHaveProperty('refused'))
  test('of a failed call is not asked for', async () => expect(await check({ isError: true })).not.toHaveProperty('refused'))
})
