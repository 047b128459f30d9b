import type { RpcNotification, RpcRequest, RpcResponse } from '@postern/core'
import { classify } from '@postern/core'
import { expect, test } from 'vitest'
import { Greeting } from './greeting.ts'

const request = (method: string, params = {}) => classify({ jsonrpc: '2.0', id: 'own', method, params }) as RpcRequest
const answer = (id: string | number, ok = true) =>
  classify({ jsonrpc: '2.0', id, ...(ok ? { result: {} } : { error: { code: -1, message: 'no' } }) } as never) as RpcResponse
const initialized = classify({ jsonrpc: '2.0', method: 'notifications/initialized' }) as RpcNotification
const json = (body: Uint8Array | undefined) => body && JSON.parse(Buffer.from(body).toString())
let ids = 0
const newGreeting = () => new Greeting(() => `greet:${++ids}`)

test('what was never accepted is never said again', () => {
  const greeting = newGreeting()
  expect(greeting.first()).toBeUndefined()
  greeting.noteAnswer(request('initialize'), answer('own', false))
  greeting.noteNotification(initialized, Buffer.from('{}'))
  expect([greeting.first(), greeting.isOver]).toEqual([undefined, false])
})

test('an accepted greeting is said again under an id of ours, with all that belongs to it', () => {
  const greeting = newGreeting()
  greeting.noteAnswer(request('initialize', { a: 1 }), answer('own'))
  const note = Buffer.from(JSON.stringify(initialized.json))
  expect(greeting.noteNotification(initialized, note)).toBe(true)
  greeting.noteAnswer(request('logging/setLevel', { level: 'debug' }), answer('own'))
  expect(greeting.isOver).toBe(true)
  const first = json(greeting.first())
  expect(first).toEqual({ jsonrpc: '2.0', id: first.id, method: 'initialize', params: { a: 1 } })
  expect(first.id).not.toBe('own')
  const rest = greeting.rest().map(json)
  expect(rest.map(({ method }) => method)).toEqual(['notifications/initialized', 'logging/setLevel'])
  expect([greeting.takes(answer('own')), greeting.takes(answer(first.id)), greeting.takes(answer(rest[1].id))]).toEqual([false, true, true])
  expect(greeting.takes(answer(first.id))).toBe(false)
})

test('an answer to an earlier attempt counts for nothing', () => {
  const greeting = newGreeting()
  greeting.noteAnswer(request('initialize'), answer('own'))
  const [early, late] = [json(greeting.first()), json(greeting.first())]
  expect([greeting.takes(answer(early.id)), greeting.takes(answer(late.id))]).toEqual([false, true])
})
