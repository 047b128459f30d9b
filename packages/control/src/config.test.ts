import { expect, test } from 'vitest'
import { readControlConfig } from './config.ts'

test('without any variable, the control plane runs on this machine alone', () => {
  const config = readControlConfig({})
  expect(config).toMatchObject({
    databaseUrl: 'pglite:./.data/pg',
    publicUrl: ['http://localhost:3000'],
    relayUrls: ['ws://localhost:3002/relay'],
    signerOrigins: ['http://localhost:3001'],
  })
  expect(config.genesisSecretHash).toBeUndefined()
})

test('several public origins are separated by commas', () => {
  const { publicUrl } = readControlConfig({ POSTERN_PUBLIC_URL: 'https://postern.example, http://localhost:3000' })
  expect(publicUrl).toEqual(['https://postern.example', 'http://localhost:3000'])
})

test('all problems are reported together, with the names of the variables and without their values', () => {
  const read = () =>
    readControlConfig({
      DATABASE_URL: 'mysql://root:hunter2@db',
      POSTERN_PUBLIC_URL: 'https://postern.example/path',
      POSTERN_RELAY_URLS: 'http://relay',
      POSTERN_SIGNER_ORIGINS: 'https://sign.example/page',
      POSTERN_GENESIS_SECRET_HASH: 'hunter2',
    })
  const names = ['DATABASE_URL', 'POSTERN_PUBLIC_URL', 'POSTERN_RELAY_URLS', 'POSTERN_SIGNER_ORIGINS', 'POSTERN_GENESIS_SECRET_HASH']
  for (const name of names) expect(read).toThrow(name)
  expect(read).not.toThrow('hunter2')
})

test('variables of other processes are left alone', () => {
  expect(() => readControlConfig({ POSTERN_STATE: '/x', POSTERN_NO_SPINNER: '1' })).not.toThrow()
})
