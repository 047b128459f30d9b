// Enrolment: the words are made at both ends, from what each holds. A control plane in between cannot make them agree.
import { comparisonWords, createEnrolment, organisationWords, parseEnrolmentRequest } from '@postern/core'
import { native, systemClock } from '@postern/daemon'
import { describe, expect, test } from 'vitest'
import { found } from '../fixtures/organisation.ts'
import { bytesOf, machineKey, x25519Key } from '../fixtures/people.ts'

const [ours, substitute] = [found().org, found({ name: 'Substitute' }).org]
const keys = ['@bot', '@evil'].map((name) => [
  ...(['call', 'auth'] as const).map((use) => {
    const { publicKey, seed } = machineKey(name, use)
    return { public: publicKey, secret: { expose: () => seed } }
  }),
  { public: x25519Key(`${name} channel 1`, 'channel'), secret: { expose: () => bytesOf(`${name} channel 1`, 32) } },
])
const surroundings = (nonce: string) => ({ clock: systemClock, random: (n: number) => bytesOf(nonce, n), suite: native })
const enrol = (org: string, own = keys[0]!, nonce = 'nonce') =>
  createEnrolment(
    { org, control: 'http://control.test', code: 'F4KD-9TWP' },
    { kind: 'agent', atsign: '@bot' as never },
    own,
    surroundings(nonce),
  )

test('both screens show the same six words when both hold the same organisation and the same request', () => {
  const { words, request } = enrol(ours)
  expect(words).toHaveLength(6)
  expect(comparisonWords(ours, request)).toEqual(words)
})

describe('the words differ when the control plane', () => {
  test('gave the edge another organisation than the administrator has', () => {
    const { words, request } = enrol(substitute)
    expect(comparisonWords(ours, request)).not.toEqual(words)
    expect(parseEnrolmentRequest(request).org).toBe(substitute)
  })
  test('shows the administrator the same request with keys of its own', () => {
    expect(comparisonWords(ours, enrol(ours, keys[1]).request)).not.toEqual(enrol(ours).words)
  })
  test('shows an earlier request of the same machine', () => {
    expect(enrol(ours, keys[0], 'first').words).not.toEqual(enrol(ours, keys[0], 'second').words)
  })
  test('changes one bit of it', () => {
    const { request, words } = enrol(ours)
    const bits = Array.from({ length: 64 }, (_, i) => request.map((byte, at) => (at === i * 5 ? byte ^ (1 << (i % 8)) : byte)))
    for (const changed of bits) expect(comparisonWords(ours, changed)).not.toEqual(words)
  })
})

test('66 bits stand between a substituted request and the same words: no two of many requests share even three of them', () => {
  const requests = Array.from({ length: 300 }, (_, i) => enrol(ours, keys[0], `nonce ${i}`).words.slice(0, 3).join(' '))
  expect(new Set(requests).size).toBe(300)
})

test('the eight words of an organisation are those of its genesis, whatever it calls itself', () => {
  expect(organisationWords(ours)).toHaveLength(8)
  expect(organisationWords(ours)).not.toEqual(organisationWords(substitute))
})
