import { expect, test } from 'vitest'
import { readRelayConfig } from './config.ts'

test('without any variable the relay listens on loopback, port 3002, and asks the local control plane', () => {
  expect(readRelayConfig({})).toEqual({
    port: 3002,
    host: '127.0.0.1',
    names: [],
    controlUrl: 'http://localhost:3000',
    maxQueueBytes: 1_048_576,
    maxPeers: 20_000,
    idleSeconds: 45,
  })
})

test('names are a list, compared in lower case', () => {
  expect(readRelayConfig({ POSTERN_RELAY_NAMES: 'Relay.example.com, relay.example.com:8443' }).names).toEqual([
    'relay.example.com',
    'relay.example.com:8443',
  ])
})

test('every wrong variable is named at once, and one that does not exist too', () => {
  const wrong = { POSTERN_RELAY_PORT: '70000', POSTERN_RELAY_CONTROL_URL: 'ftp://x', POSTERN_RELAY_PROT: '1' }
  expect(() => readRelayConfig(wrong)).toThrow(/POSTERN_RELAY_PORT.*POSTERN_RELAY_CONTROL_URL.*POSTERN_RELAY_PROT/s)
})
