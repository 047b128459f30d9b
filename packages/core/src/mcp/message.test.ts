import { expect, test } from 'vitest'
import { outcome, readVectors } from '../../../../test/read-vectors.ts'
import { readSharedData } from '../../../../test/shared-data.ts'
import { skipped } from '../../../../test/skipped.ts'
import { utf8 } from '../bytes/bytes.ts'
import type { JsonObject, JsonValue } from '../bytes/json.ts'
import type { RpcRequest } from './message.ts'
import { parseMessage } from './message.ts'
import { readToolCall } from './tool-call.ts'

test.each(readVectors<{ text: string; id?: string | number; method?: string }>('mcp/messages.json'))(
  '$name → $expect',
  ({ text, expect: wanted, id, method }) => {
    for (const source of [text, utf8(text)]) {
      const got = outcome(() => parseMessage(source))
      expect(got === 'ok' ? parseMessage(source).kind : got).toBe(wanted)
      if (got === 'ok')
        expect(parseMessage(source)).toMatchObject({
          ...(id === undefined ? {} : { id }),
          ...(method ? { method } : {}),
          json: JSON.parse(text),
        })
    }
  },
)

test.each(readVectors<{ params: JsonObject; tool?: string; arguments?: JsonValue }>('mcp/tool-calls.json'))(
  '$name → $expect',
  ({ params, expect: wanted, tool, arguments: args }) => {
    const request = parseMessage(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })) as RpcRequest
    expect(outcome(() => readToolCall(request))).toBe(wanted)
    if (wanted === 'ok') expect(readToolCall(request)).toMatchObject({ name: tool, arguments: args })
  },
)

test('what a client answers to input_required is read with the call', () => {
  const params = { name: 't', inputResponses: { a: 1 }, requestState: 's' }
  const request = parseMessage(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params })) as RpcRequest
  expect(readToolCall(request)).toEqual({ name: 't', arguments: {}, inputResponses: { a: 1 }, requestState: 's' })
})

test('a message is at most as large as the caller says', () => {
  const text = `{"jsonrpc":"2.0","method":"a","params":{"x":"${'y'.repeat(1000)}"}}`
  expect(outcome(() => parseMessage(text, { maxBytes: 1000, maxDepth: 5 }))).toBe('TOO_LARGE')
  expect(outcome(() => parseMessage(text, { maxBytes: 2000, maxDepth: 1 }))).toBe('TOO_DEEP')
  expect(outcome(() => parseMessage(text, { maxBytes: 2000, maxDepth: 2 }))).toBe('ok')
})

test('no truncation of a message is a message', () => {
  const text = '{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"t","arguments":{"n":[1,2]}}}'
  for (let i = 0; i < text.length; i++) expect(outcome(() => parseMessage(text.slice(0, i)))).toBe('MALFORMED')
})

// The published hostile corpus: what this layer must refuse, and what it leaves to a later step, with the reason.
const LATER: Record<string, string> = {
  'size-002': 'arguments may be 1 MiB',
  'width-000': 'bounded by size only',
  'width-001': 'bounded by size only',
  'proto-002': 'the name is harmless here; the pinned schema decides',
  'proto-003': 'the name is harmless here; the pinned schema decides',
  'proto-004': 'the name is harmless here; the pinned schema decides',
  'proto-005': 'the name is harmless here; the pinned schema decides',
  'utf8-009': 'U+0000 is legal JSON text; conditions and the schema decide',
  'response-000': 'the remapper knows what was asked',
  'response-002': 'the remapper knows what was asked',
}
const HERE = ['benign', 'size', 'depth', 'width', 'proto', 'dupkey', 'casekey', 'number', 'id', 'utf8', 'control', 'shape', 'response']
interface Case {
  id: string
  class: string
  transport: string
  b64: string
  expect: string
}
const corpus = readSharedData('hostile/cases.jsonl.gz')
if (!corpus) skipped('hostile MCP messages', 'no external data')
const cases = (corpus ?? '')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line) as Case)
  .filter((entry) => entry.transport === 'body' && HERE.includes(entry.class))

test.runIf(corpus)('the hostile corpus gets the documented verdict', () => {
  const wrong = cases.filter((entry) => {
    const got = outcome(() => {
      const message = parseMessage(Buffer.from(entry.b64, 'base64'))
      if (message.kind === 'request' && message.method === 'tools/call') readToolCall(message)
    })
    return (got === 'ok') !== (entry.expect === 'accept' || entry.id in LATER)
  })
  expect(wrong.map(({ id }) => id)).toEqual([])
  expect(cases.length).toBeGreaterThan(80)
})
