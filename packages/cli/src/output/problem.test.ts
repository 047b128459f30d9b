import { EdgeError, VerifyError } from '@postern/core'
import { OperationError } from '@postern/daemon'
import { expect, test } from 'vitest'
import { readSettings } from '../config.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { problemOf, renderProblem, renderProblemJson } from './problem.ts'
import { createStyle } from './style.ts'

const settings = readSettings({}, 1, { stdin: false, stdout: false, stderr: false, columns: undefined }, {})
const exitCode = (error: unknown) => EXIT[problemOf(error).exit]

test.each([
  [1, new Error('a defect')],
  [2, new CliError('USAGE', 'wrong', { exit: 'usage' })],
  [3, new OperationError('NOT_FOUND', 'no such code', { status: 404 })],
  [4, new OperationError('UNAUTHENTICATED', 'no session', { status: 401 })],
  [5, new OperationError('NOT_PERMITTED', 'not an administrator', { status: 403 })],
  [6, new EdgeError('ENROLMENT_EXPIRED', 'not decided in time')],
  [7, new EdgeError('ENROLMENT_REFUSED', 'it was refused')],
  [8, new VerifyError('BAD_SIGNATURE', 'not signed')],
  [8, new EdgeError('LOG_ROLLED_BACK', 'shorter than before')],
  [9, new OperationError('CONFLICT', 'taken', { status: 409 })],
  [10, new CliError('CHECKS_FAILED', 'one test fails', { exit: 'checksFailed' })],
  [75, new OperationError('UNREACHABLE', 'nobody answers', { retryable: true })],
  [130, new CliError('INTERRUPTED', 'Ctrl-C', { exit: 'interrupted' })],
])('exit code %i has its errors: %s', (code, error) => {
  expect(exitCode(error)).toBe(code)
})

test('a server that refuses what we sent is no failed verification', () => {
  expect(exitCode(new OperationError('BAD_SIGNATURE', 'says the server', { status: 400 }))).toBe(1)
})

test('a code of a newer server is a plain failure', () => {
  expect(exitCode(new OperationError('SOMETHING_NEW', 'from the future'))).toBe(1)
})

test('an error says what, why, how to go on, and what to quote', () => {
  const error = new OperationError('UNAUTHENTICATED', 'key abc is not enrolled', { status: 401, requestId: 'req-1' })
  expect(renderProblem(problemOf(error), error, settings, createStyle(settings))).toBe(
    'error: key abc is not enrolled\n  fix: postern login\n  ref: UNAUTHENTICATED · req-1\n',
  )
})

test('a server cannot write its own lines into the terminal', () => {
  const error = new OperationError('NOT_FOUND', 'gone\u001b[2J', { fix: 'rm -rf\u202e /' })
  const text = renderProblem(problemOf(error), error, settings, createStyle(settings))
  expect(text).toContain('gone<U+001B>[2J')
  expect(text).toContain('rm -rf<U+202E> /')
})

test('a stack is shown with --debug only', () => {
  const error = new TypeError('undefined is not a function')
  const plain = renderProblem(problemOf(error), error, settings, createStyle(settings))
  expect(plain).toContain('fix: run it again with --debug')
  expect(plain).not.toContain('problem.test')
  expect(renderProblem(problemOf(error), error, { ...settings, debug: true }, createStyle(settings))).toContain('problem.test')
})

test('programs get the same as a document, with the exit code', () => {
  const error = new CliError('DENIED', 'no', { exit: 'notPermitted', why: 'rule', fix: 'ask' })
  expect(JSON.parse(renderProblemJson(problemOf(error)))).toEqual({
    schema: 'postern.error',
    v: 1,
    error: { code: 'DENIED', message: 'no', why: 'rule', fix: 'ask', request_id: null, exit: 5 },
  })
})

test('every code has one exit code, and they are frozen', () => {
  expect(EXIT).toEqual({
    ...{ done: 0, failed: 1, usage: 2, notFound: 3, signIn: 4, notPermitted: 5, pending: 6, refused: 7 },
    ...{ verification: 8, conflict: 9, checksFailed: 10, unreachable: 75, interrupted: 130 },
  })
})
