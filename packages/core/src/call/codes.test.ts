import { expect, test } from 'vitest'
import { isRefusalCode, refusals } from './codes.ts'

test('refusal codes are frozen: receipts keep them for years', () => {
  expect(Object.keys(refusals)).toEqual([
    ...['FRAME_TOO_LARGE', 'MESSAGE_MALFORMED', 'CHANNEL_KEY', 'NOT_ENROLLED', 'CLOSING', 'BUSY', 'SESSION_UNKNOWN', 'SERVER_UNKNOWN'],
    ...['METHOD_NOT_PERMITTED', 'LOG_BEHIND', 'LOG_FORKED', 'LOG_HALTED', 'CLOCK_WRONG', 'STALE', 'NO_POLICY'],
    ...['ASK_MALFORMED', 'ASK_SIGNATURE', 'ASK_EXPIRED'],
    ...['GRANT_UNKNOWN', 'GRANT_MALFORMED', 'GRANT_SIGNATURE', 'GRANT_FOREIGN', 'GRANT_EPOCH', 'GRANT_POLICY', 'REVOKED'],
    ...['GRANT_EXPIRED', 'GRANT_NOT_YET'],
    ...['CALL_MALFORMED', 'CALL_SIGNATURE', 'CALL_EXPIRED', 'CALL_BINDING', 'ARGS_CHANGED', 'REPLAYED'],
    ...['TOOL_NOT_GRANTED', 'TOOL_NOT_PINNED', 'TOOL_CHANGED', 'ARGUMENT_REFUSED', 'SCHEMA_UNUSABLE'],
    ...['POLICY_DENIED', 'LIMIT_EXCEEDED', 'LIMIT_UNSUPPORTED'],
    ...['FLOW_UNSUPPORTED', 'APPROVAL_UNSUPPORTED'],
    ...['APPROVAL_IMPOSSIBLE', 'APPROVAL_PENDING', 'APPROVAL_REFUSED', 'APPROVAL_TIMED_OUT', 'APPROVAL_ENDED'],
    ...['JOURNAL_FAILED', 'SERVER_FAILED', 'OUTPUT_UNSUPPORTED', 'OUTPUT_REFUSED', 'OUTCOME_UNKNOWN'],
    ...['GATEWAY_UNREACHABLE', 'RELAY_UNREACHABLE', 'INTERNAL'],
  ])
})

test.each(Object.entries(refusals))('%s says in one sentence each what happened and what would allow it', (code, { title, fix }) => {
  expect(code).toMatch(/^[A-Z][A-Z0-9_]{0,39}$/)
  expect(title).toMatch(/^[A-Z].*\.$/)
  expect(fix).toMatch(/^[A-Z].*\.$/)
})

test('only own names are codes', () => {
  expect(isRefusalCode('REVOKED')).toBe(true)
  expect(isRefusalCode('toString')).toBe(false)
  expect(isRefusalCode('__proto__')).toBe(false)
})
