import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { comparisonWords, parseAtSign, portable, verifyEnrolmentRequest } from '@postern/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { found } from '../../../../test/fixtures/organisation.ts'
import { signKey, site, x25519Key } from '../../../../test/fixtures/people.ts'
import type { PersonKey } from '../keys/person-key.ts'
import { saveProfile } from '../profile/config-file.ts'
import { createPersonEnrolment, findAsking, openNewPerson, profileNameFor, requireSameKey } from './enrol-person.ts'

const { org } = found()
const joinString = { control: 'https://console.example', org, code: 'F4KD-9TWP' }
const bob = parseAtSign('@bob')
const seal = x25519Key('@bob seal', 'seal')
const keyOf = (atsign: string): PersonKey => {
  const { publicKey, sign } = signKey(atsign)
  return { public: publicKey, where: 'memory', sign: async (namespace, bytes) => sign(namespace, bytes) }
}

let environment: { HOME: string }
beforeEach(async () => {
  environment = { HOME: await mkdtemp(join(tmpdir(), 'postern-enrol-')) }
})
afterEach(() => rm(environment.HOME, { recursive: true }))

test('a person’s request is proven by the key that they will sign with, and has words of this organisation', async () => {
  const { request, proofs, words } = await createPersonEnrolment(joinString, bob, keyOf('@bob'), seal)
  expect(verifyEnrolmentRequest(request, proofs, site, portable)).toMatchObject({
    org,
    kind: 'person',
    atsign: bob,
    keys: [keyOf('@bob').public, seal],
  })
  expect(words).toEqual(comparisonWords(org, request))
})

test('two requests have different words', async () => {
  const [first, second] = [
    await createPersonEnrolment(joinString, bob, keyOf('@bob'), seal),
    await createPersonEnrolment(joinString, bob, keyOf('@bob'), seal),
  ]
  expect(first.words).not.toEqual(second.words)
})

test('a request that waits is not taken up with another key', async () => {
  const enrolment = await createPersonEnrolment(joinString, bob, keyOf('@bob'), seal)
  expect(() => requireSameKey(enrolment, keyOf('@bob'))).not.toThrow()
  expect(() => requireSameKey(enrolment, keyOf('@mallory'))).toThrow(expect.objectContaining({ code: 'KEY_UNUSABLE' }))
})

test('a request is found again by the name it was posted for', async () => {
  await expect(findAsking(bob, environment)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  const { state, dir } = await openNewPerson(bob, org, environment)
  await dir.write('enrolment.json', '{}')
  expect(await findAsking(bob, environment)).toMatchObject({ state, dir: { path: dir.path } })
})

test('a second person of an organisation gets a profile of their own, and keeps it', async () => {
  const profile = { control: joinString.control, org, key: 'own' }
  expect(await profileNameFor('Acme', org, '@ana', environment)).toBe('acme')
  await saveProfile({ ...profile, name: 'acme', atsign: '@ana', state: '@ana' }, environment)
  expect(await profileNameFor('Acme', org, '@ana', environment)).toBe('acme')
  expect(await profileNameFor('Acme', org, '@bob', environment)).toBe('acme-bob')
  await saveProfile({ ...profile, name: 'acme-bob', atsign: '@bob', state: '@bob' }, environment)
  expect(await profileNameFor('Acme', org, '@bob', environment)).toBe('acme-bob')
})
