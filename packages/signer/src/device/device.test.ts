import { openAuthorityStore, parseAtSign } from '@postern/core'
import { expect, test } from 'vitest'
import { found } from '../../../../test/fixtures/organisation.ts'
import { filesIn } from './files.ts'
import { createMemory } from './memory.ts'
import { createSealSeeds } from './seal-seeds.ts'
import type { Store } from './store.ts'

function memoryStore(): Store {
  const kept = new Map<string, unknown>()
  return {
    get: async (key) => kept.get(key) as never,
    set: async (key, value) => void kept.set(key, value),
    delete: async (key) => void kept.delete(key),
    keys: async () => [...kept.keys()],
  }
}
const control = 'https://console.example'

test('the log that was kept is the one that comes back, and a record cut short is not', async () => {
  const store = memoryStore()
  const { org, entries, state } = found()
  const log = await openAuthorityStore(filesIn(store, org))
  await log.appendEntries(entries, { seq: 0, head: state.head })
  const file = (await store.get<Uint8Array>(`log/${org}/log.jsonl`))!
  await store.set(`log/${org}/log.jsonl`, new Uint8Array([...file, 0x7b, 0x22]))
  const again = await openAuthorityStore(filesIn(store, org))
  expect(again.entries.map(({ bytes }) => bytes)).toEqual(entries.map(({ bytes }) => bytes))
  expect(again.head).toEqual({ seq: 0, head: state.head })
})

test('one organisation’s log is not another’s', async () => {
  const store = memoryStore()
  await filesIn(store, 'a').write('log.jsonl', 'x')
  expect(await filesIn(store, 'b').read('log.jsonl')).toBeUndefined()
})

test('a control plane is pinned to the organisation that was met there, until a person forgets it', async () => {
  const memory = createMemory(memoryStore())
  await memory.remember({ org: 'a', name: 'acme', control, compared: true, me: parseAtSign('@ana') })
  expect(await memory.pinOf(control)).toBe('a')
  await memory.remember({ org: 'a', name: 'acme', control, compared: true })
  expect((await memory.known('a'))?.me).toBe('@ana')
  await memory.forget(control, 'a')
  expect([await memory.pinOf(control), await memory.known('a')]).toEqual([undefined, undefined])
})

test('what was signed for one place in the log is remembered, each once', async () => {
  const memory = createMemory(memoryStore())
  for (const hash of ['x', 'y', 'x']) await memory.recordSigned('a', 7, hash)
  expect(await memory.signedAt('a', 7)).toEqual(['x', 'y'])
  expect(await memory.signedAt('a', 8)).toEqual([])
  expect(await memory.signedAt('b', 7)).toEqual([])
})

test('a seal seed is kept under a key that cannot be exported, and not as it is', async () => {
  const store = memoryStore()
  const seeds = createSealSeeds(store)
  const seed = Uint8Array.from({ length: 32 }, (_, i) => i)
  await seeds.keep('kid' as never, seed)
  expect(await seeds.find(['other', 'kid'])).toEqual({ kid: 'kid', seed })
  expect(await seeds.find(['other'])).toBeUndefined()
  const key = (await store.get<CryptoKey>('seal/wrapping-key'))!
  await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow()
  const { bytes } = (await store.get<{ bytes: ArrayBuffer }>('seal/kid'))!
  expect(Buffer.from(bytes).includes(Buffer.from(seed))).toBe(false)
})
