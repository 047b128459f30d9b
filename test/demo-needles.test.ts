import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { Haystack, Needles, needlesOf } from './demo/proc/needles.ts'

const secret = randomBytes(32)
const needles = new Needles(needlesOf('key', secret))

/** Ways in which a program may keep the secret, each with something before and after it. */
const forms: [string, (before: Buffer, after: Buffer) => Buffer | string][] = [
  ['raw', (before, after) => Buffer.concat([before, secret, after])],
  ['hex', (before, after) => Buffer.concat([before, secret, after]).toString('hex')],
  ['upper-case hex', (before, after) => Buffer.concat([before, secret, after]).toString('hex').toUpperCase()],
  ['base64', (before, after) => Buffer.concat([before, secret, after]).toString('base64')],
  ['base64url', (before, after) => Buffer.concat([before, secret, after]).toString('base64url')],
  ['UTF-16 hex', (before, after) => Buffer.from(Buffer.concat([before, secret, after]).toString('hex'), 'utf16le')],
  ['UTF-16 base64url', (before, after) => Buffer.from(Buffer.concat([before, secret, after]).toString('base64url'), 'utf16le')],
]

test.each(forms)('a secret kept as %s is found, whatever stands around it', (_, keep) => {
  for (let before = 0; before < 7; before += 1) {
    const haystack = new Haystack(needles)
    haystack.add(Buffer.from(keep(randomBytes(before), randomBytes(9)) as string))
    expect([...haystack.found].map(({ name }) => name)).toContain('key')
  }
})

test('a secret that falls on the border of two pieces is found, and one that a gap cuts is not', () => {
  const bytes = Buffer.concat([randomBytes(100), secret, randomBytes(100)])
  for (let cut = 100; cut <= 132; cut += 1) {
    const [whole, broken] = [new Haystack(needles), new Haystack(needles)]
    whole.add(bytes.subarray(0, cut))
    whole.add(bytes.subarray(cut))
    broken.add(bytes.subarray(0, cut))
    broken.gap()
    broken.add(bytes.subarray(cut))
    expect(whole.found.size).toBe(1)
    expect(broken.found.size).toBe(cut === 100 || cut === 132 ? 1 : 0)
  }
})

test('nothing is found where the secret is not', () => {
  const haystack = new Haystack(needles)
  haystack.add(randomBytes(1 << 20))
  haystack.add(Buffer.from(randomBytes(1 << 16).toString('base64url')))
  expect(haystack.found.size).toBe(0)
})

test('text is also looked for as it is', () => {
  const haystack = new Haystack(new Needles(needlesOf('words', 'correct horse battery')))
  haystack.add(Buffer.from('{"content":"correct horse battery staple"}'))
  expect([...haystack.found].map(({ form }) => form)).toEqual(['text'])
})
