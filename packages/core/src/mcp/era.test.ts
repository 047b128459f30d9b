import { expect, test } from 'vitest'
import { readVectors } from '../../../../test/read-vectors.ts'
import type { JsonObject } from '../bytes/json.ts'
import { createListTools, envelopeOf, eraOf, protocolVersionOf } from './era.ts'
import { classify } from './message.ts'

test.each(readVectors<{ message: JsonObject }>('mcp/eras.json'))('$name → $expect', ({ message, expect: wanted }) => {
  expect(eraOf(classify(message))).toBe(wanted)
})

const envelope = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
  'io.modelcontextprotocol/clientInfo': { name: 'x', version: '1' },
}
const request = (meta: JsonObject) => classify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { _meta: meta } })

test('a request in place of a modern client carries its envelope, and nothing else of its _meta', () => {
  expect(envelopeOf(request({ ...envelope, progressToken: 5, traceparent: 'x', 'vendor.example/y': 1 }))).toEqual(envelope)
  expect(createListTools(7, envelope, 'next')).toEqual({
    jsonrpc: '2.0',
    id: 7,
    method: 'tools/list',
    params: { cursor: 'next', _meta: envelope },
  })
  expect(eraOf(classify(createListTools(7, envelope)))).toBe('modern')
})

test('in place of a legacy client it carries none', () => {
  const legacy = request({ ...envelope, 'io.modelcontextprotocol/protocolVersion': '2025-11-25' })
  expect(envelopeOf(legacy)).toEqual({})
  expect(createListTools('a', {})).toEqual({ jsonrpc: '2.0', id: 'a', method: 'tools/list' })
  expect(createListTools('a', {}, 'c')).toEqual({ jsonrpc: '2.0', id: 'a', method: 'tools/list', params: { cursor: 'c' } })
})

test('the version is what the client states, or nothing', () => {
  expect(protocolVersionOf(request(envelope))).toBe('2026-07-28')
  expect(protocolVersionOf(request({}))).toBeUndefined()
  expect(protocolVersionOf(classify({ jsonrpc: '2.0', id: 1, result: { _meta: envelope } }))).toBeUndefined()
})
