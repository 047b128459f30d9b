import { expect, test } from 'vitest'
import { VERIFY_CODES, VerifyError } from './errors.ts'

// Programs match on these. Append new ones here; a code that is renamed or removed breaks somebody.
const PINNED = `
  MALFORMED TOO_LARGE TOO_DEEP DUPLICATE_NAME NOT_CANONICAL UNSAFE_TEXT UNKNOWN_FIELD
  BAD_ATSIGN BAD_KEY UNKNOWN_KEY WRONG_KEY_USE BAD_SIGNATURE WRONG_NAMESPACE BAD_CLIENT_DATA WRONG_RP_ID USER_NOT_VERIFIED
  UNKNOWN_VERSION WRONG_ORG NOT_YET_VALID EXPIRED
  BAD_PREV BAD_SEQ THRESHOLD_NOT_MET
`
  .trim()
  .split(/\s+/)

test('published codes stay', () => {
  expect(VERIFY_CODES).toEqual(expect.arrayContaining(PINNED))
})

test('a code is one word in capitals and stands once', () => {
  expect(new Set(VERIFY_CODES).size).toBe(VERIFY_CODES.length)
  for (const code of VERIFY_CODES) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
})

test('an error keeps its code and its cause', () => {
  const cause = new Error('inner')
  const error = new VerifyError('MALFORMED', 'not JSON', { cause })
  expect(error).toMatchObject({ name: 'VerifyError', code: 'MALFORMED', message: 'not JSON', cause })
})
