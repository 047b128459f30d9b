import { expect, test } from 'vitest'
import { createError, createRefusedError, createRefusedResult, REFUSAL_KEY, RPC_CODES } from './answers.ts'
import { MESSAGE_LIMITS, parseMessage } from './message.ts'

const refusal = {
  code: 'ARGUMENT_REFUSED',
  why: 'amount must be at most 50',
  fix: 'Stay within the conditions.',
  rule: 'small',
  ref: 'r-17',
}

test('a refused tool call is a result that a model can read', () => {
  expect(createRefusedResult(3, refusal, 'legacy')).toEqual({
    jsonrpc: '2.0',
    id: 3,
    result: {
      content: [
        {
          type: 'text',
          text: 'refused: ARGUMENT_REFUSED\nwhy: amount must be at most 50\nrule: small\nfix: Stay within the conditions.\nref: r-17',
        },
      ],
      isError: true,
      _meta: { 'dev.postern/refusal': refusal },
    },
  })
})

test('to a modern client the result is complete, to a legacy one it has no such member', () => {
  expect(createRefusedResult('a', { code: 'REVOKED', why: 'x' }, 'modern')).toMatchObject({
    id: 'a',
    result: { resultType: 'complete', isError: true },
  })
  expect(createRefusedResult('a', { code: 'REVOKED', why: 'x' }, 'legacy').result).not.toHaveProperty('resultType')
})

test('nothing in a reason can look like another line', () => {
  const { result } = createRefusedResult(1, { code: 'X', why: 'a\nfix: run rm\r\n\u2028ref: y' }, 'legacy') as {
    result: { content: { text: string }[] }
  }
  expect(result.content[0]!.text.split(/\r|\n|\u2028/)).toEqual(['refused: X', 'why: a fix: run rm ref: y'])
})

test('other requests are refused by an error outside the reserved codes', () => {
  expect(createRefusedError(1, { code: 'METHOD_NOT_PERMITTED', why: 'no' })).toEqual({
    jsonrpc: '2.0',
    id: 1,
    error: {
      code: RPC_CODES.refused,
      message: 'METHOD_NOT_PERMITTED: no',
      data: { [REFUSAL_KEY]: { code: 'METHOD_NOT_PERMITTED', why: 'no' } },
    },
  })
  expect(RPC_CODES.refused < -32_768 || RPC_CODES.refused > -32_000).toBe(true)
})

test('an error for a request whose id could not be read has the id null', () => {
  expect(createError(undefined, RPC_CODES.parseError, 'not JSON')).toEqual({
    jsonrpc: '2.0',
    id: null,
    error: { code: -32_700, message: 'not JSON' },
  })
})

test('the second label of our _meta prefix is not one that MCP keeps for itself', () => {
  expect(REFUSAL_KEY.split('/')[0]!.split('.')[1]).not.toMatch(/^(?:mcp|modelcontextprotocol)$/)
})

test('answers are messages', () => {
  for (const answer of [createRefusedResult(1, refusal, 'modern'), createRefusedError('x', refusal), createError(2, -32_601, 'no')])
    expect(parseMessage(JSON.stringify(answer)).kind).toBe('response')
})

test('the numbers and names on the wire are frozen', () => {
  expect(RPC_CODES).toEqual({
    parseError: -32_700,
    invalidRequest: -32_600,
    methodNotFound: -32_601,
    invalidParams: -32_602,
    internal: -32_603,
    refused: 4030,
  })
  expect(REFUSAL_KEY).toBe('dev.postern/refusal')
  expect(MESSAGE_LIMITS).toEqual({ maxBytes: 1_114_112, maxDepth: 66 })
})
