import { VerifyError } from '@postern/core'
import { OperationError } from '@postern/daemon'
import { describe, expect, test } from 'vitest'
import { ControlError, isDatabaseDown, refusalOf } from './errors.ts'

test('an unexpected error says nothing about itself', () => {
  const refusal = refusalOf(new Error('password=hunter2'))
  expect(refusal).toMatchObject({ status: 500, code: 'INTERNAL' })
  expect(JSON.stringify(refusal)).not.toContain('hunter2')
})

test('core’s refusals keep core’s code', () => {
  expect(refusalOf(new VerifyError('BAD_SIGNATURE', 'm'))).toMatchObject({ status: 400, code: 'BAD_SIGNATURE' })
  expect(refusalOf(new VerifyError('TOO_LARGE', 'm'))).toMatchObject({ status: 413 })
})

test('our own carry a fix and details', () => {
  const error = new ControlError('CONFLICT', 'm', { fix: 'f', details: { head: 1 } })
  expect(refusalOf(error)).toEqual({ status: 409, code: 'CONFLICT', message: 'm', fix: 'f', details: { head: 1 } })
  expect(refusalOf(new OperationError('DATABASE_IN_USE', 'm'))).toMatchObject({ status: 503, code: 'DATABASE_IN_USE' })
  expect(refusalOf(new OperationError('UNREACHABLE', 'm'))).toMatchObject({ status: 500 })
})

describe('a database without a connection is recognised', () => {
  const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED' })
  const cases: [string, unknown][] = [
    ['from a socket', refused],
    ['from several addresses', new AggregateError([refused])],
    ['behind causes', new Error('outer', { cause: new Error('middle', { cause: refused }) })],
    ['from the server as it stops', Object.assign(new Error('x'), { code: '57P01' })],
    ['from Prisma', Object.assign(new Error('x'), { code: 'P1001' })],
    ['from the pool', new Error('timeout exceeded when trying to connect')],
    ['from a connection that broke', new Error('Connection terminated unexpectedly')],
  ]
  test.each(cases)('%s', (_, error) => expect(isDatabaseDown(error)).toBe(true))
  test('and nothing else is taken for it', () => {
    for (const error of [new Error('x'), Object.assign(new Error('x'), { code: 'P2002' }), undefined, 'ECONNREFUSED', null]) {
      expect(isDatabaseDown(error)).toBe(false)
    }
  })
})
