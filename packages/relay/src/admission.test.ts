import { expect, test } from 'vitest'
import { keyOf, openFakeAdmission } from '../../../test/fixtures/relay-peer.ts'
import { Admission } from './admission.ts'

const [ana, bob, other] = [keyOf(1, 1), keyOf(2, 1), keyOf(1, 2)]

async function open() {
  const control = await openFakeAdmission()
  const clock = { now: 0 }
  const failures: unknown[] = []
  const admission = new Admission({ controlUrl: control.url, now: () => clock.now, onFailure: (error) => failures.push(error) })
  const ask = ({ orgText, kidText }: typeof ana) => admission.ask(orgText, kidText)
  return { control, clock, failures, admission, ask, [Symbol.asyncDispose]: control[Symbol.asyncDispose] }
}

test('questions of one moment are one request per organisation, whoever asks them', async () => {
  await using it = await open()
  it.control.admitted.set(ana.kidText, ana.orgText)
  expect(await Promise.all([it.ask(ana), it.ask(ana), it.ask(bob), it.ask(other)])).toEqual(['admitted', 'admitted', 'refused', 'refused'])
  expect(it.control.asked.map(({ ids }) => ids.length).sort()).toEqual([1, 2])
})

test('yes is kept for a minute, no for two seconds', async () => {
  await using it = await open()
  it.control.admitted.set(ana.kidText, ana.orgText)
  await Promise.all([it.ask(ana), it.ask(bob)])
  it.control.admitted.delete(ana.kidText)
  it.control.admitted.set(bob.kidText, bob.orgText)
  it.clock.now = 1999
  expect(await Promise.all([it.ask(ana), it.ask(bob)])).toEqual(['admitted', 'refused'])
  it.clock.now = 2000
  expect(await it.ask(bob)).toBe('admitted')
  it.clock.now = 60_000
  expect(await it.ask(ana)).toBe('refused')
})

test('no answer is neither yes nor no, and is not kept', async () => {
  await using it = await open()
  it.control.admitted.set(ana.kidText, ana.orgText)
  it.control.isDown = true
  expect(await it.ask(ana)).toBe('unknown')
  expect(it.admission.isFailing).toBe(true)
  expect(it.failures).toHaveLength(1)
  it.control.isDown = false
  expect(await it.ask(ana)).toBe('admitted')
  expect(it.admission.isFailing).toBe(false)
})

test('more than 256 ids go in several requests', async () => {
  await using it = await open()
  await Promise.all(Array.from({ length: 300 }, (_, i) => it.admission.ask(ana.orgText, `id${i}`)))
  expect(it.control.asked.map(({ ids }) => ids.length)).toEqual([256, 44])
})

test('closing leaves nobody waiting', async () => {
  await using it = await open()
  const waiting = it.ask(ana)
  it.admission.close()
  expect(await waiting).toBe('unknown')
})

test('an organisation with admitted members is asked about before those that strangers make up', async () => {
  await using it = await open()
  it.control.admitted.set(ana.kidText, ana.orgText)
  it.control.admitted.set(bob.kidText, bob.orgText)
  await it.ask(ana)
  it.control.asked.length = 0
  const strangers = Array.from({ length: 30 }, (_, i) => it.ask(keyOf(9, 100 + i)))
  expect(await it.ask(bob)).toBe('admitted')
  expect(it.control.asked.length).toBeLessThanOrEqual(8)
  expect(it.control.asked.map(({ org }) => org)).toContain(bob.orgText)
  expect(new Set(await Promise.all(strangers))).toEqual(new Set(['refused']))
})
