// What a person approved is what runs: any arguments, however odd or large, and any change to them afterwards.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { approvalBranch, approvalNow, heldCall } from '../../../../test/fixtures/approval-cases.ts'
import { signKey } from '../../../../test/fixtures/people.ts'
import { outcome } from '../../../../test/read-vectors.ts'
import { canonicalText } from '../bytes/canonical.ts'
import type { JsonObject, JsonValue } from '../bytes/json.ts'
import { parseStrictJson } from '../bytes/json.ts'
import { portable as suite } from '../key/portable.ts'
import { argsDigest } from '../mcp/digest.ts'
import { emptyRevocations } from '../statement/revocation-set.ts'
import { encodeApproval, verifyApproval } from './approval.ts'
import { showArguments } from './show-arguments.ts'

const LIMITS = { maxBytes: 1 << 20, maxDepth: 64 }
const salt = new Uint8Array(16).fill(7)
const isJson = (text: string) => outcome(() => parseStrictJson(text, LIMITS)) === 'ok'
const context = { approvers: ['@ben' as never], revocations: emptyRevocations(), now: approvalNow, suite }

const odd = fc.constantFrom(
  '\u202e',
  '\u200b',
  '\u2066',
  '\ufeff',
  '\u{e0041}',
  '\u0000',
  '<U+202E>',
  '\\u202e',
  'e\u0301',
  '\u00e9',
  '\n',
  '"',
  '\\',
)
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.array(odd, { maxLength: 6 }).map((parts) => parts.join('')),
)
const huge = fc.nat(20_000).map((n) => 'x'.repeat(n))
const leaf = fc.oneof(text, fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null))
const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('value'), { maxLength: 4 }), fc.dictionary(text, tie('value'), { maxKeys: 4 })),
}))
const args = fc
  .oneof({ weight: 20, arbitrary: fc.dictionary(text, value, { maxKeys: 5 }) }, { weight: 1, arbitrary: huge.map((found) => ({ found })) })
  .map((found) => JSON.stringify(found))
  .filter(isJson)
  .map((json) => JSON.parse(json) as JsonObject)

const paramsOf = (found: JsonValue) => ({ name: 'refund', arguments: found })
const heldWith = (found: JsonValue) => ({ ...heldCall, a: argsDigest(salt, paramsOf(found), suite) })
const approved = (found: JsonObject) => {
  const bytes = encodeApproval({ ...heldWith(found), decision: 'approve', at: approvalNow })
  return { bytes, signatures: [signKey('@ben').sign('postern-approval-v1', bytes)] }
}

test('an approval counts for exactly the arguments that were approved', () => {
  fc.assert(
    fc.property(args, (found) => {
      expect(verifyApproval(approved(found), heldWith(JSON.parse(canonicalText(found))), approvalBranch.state, context).by).toBe('@ben')
    }),
    { numRuns: 60 },
  )
})

test('any one byte of the arguments changed after the approval, and it counts for nothing', () => {
  let changedOnes = 0
  fc.assert(
    fc.property(args, fc.nat(), fc.integer({ min: 1, max: 255 }), (found, where, mask) => {
      const canonical = canonicalText(found)
      const bytes = new TextEncoder().encode(canonical)
      bytes[where % bytes.length]! ^= mask
      const changed = new TextDecoder().decode(bytes)
      fc.pre(isJson(changed) && canonicalText(JSON.parse(changed)) !== canonical)
      changedOnes += 1
      const held = heldWith(JSON.parse(changed))
      expect(held.a).not.toBe(heldWith(found).a)
      const signed = { bytes: encodeApproval({ ...heldWith(found), decision: 'approve', at: approvalNow }), signatures: [] }
      expect(outcome(() => verifyApproval(signed, held, approvalBranch.state, context))).toBe('WRONG_CALL')
    }),
    { numRuns: 1_200 },
  )
  expect(changedOnes).toBeGreaterThanOrEqual(1_000)
})

test('two argument objects that differ never look the same to a person', () => {
  const look = (found: JsonObject) => JSON.stringify(showArguments(found).map(({ name, text }) => [name, text]))
  fc.assert(
    fc.property(args, args, (a, b) => {
      expect(look(a) === look(b)).toBe(canonicalText(a) === canonicalText(b))
    }),
    { numRuns: 1_000 },
  )
})
