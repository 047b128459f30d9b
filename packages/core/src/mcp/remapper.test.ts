import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../bytes/json.ts'
import type { RequestId, RpcNotification, RpcRequest, RpcResponse } from './message.ts'
import { classify } from './message.ts'
import type { Remapper } from './remapper.ts'
import { createRemapper } from './remapper.ts'

const request = (id: RequestId, params: JsonObject = {}, method = 'tools/call') =>
  classify({ jsonrpc: '2.0', id, method, params }) as RpcRequest
const response = (id: RequestId, result: JsonObject = {}) => classify({ jsonrpc: '2.0', id, result }) as RpcResponse
const notification = (method: string, params: JsonObject) => classify({ jsonrpc: '2.0', method, params }) as RpcNotification
const progress = (progressToken: RequestId) => notification('notifications/progress', { progressToken, progress: 1 })
const cancelled = (requestId: RequestId) => notification('notifications/cancelled', { requestId, reason: 'x' })

function send<C>(remapper: Remapper<C>, client: C, message: RpcRequest): number {
  const sent = remapper.toServer(client, message)
  if (!sent.ok) throw new Error(sent.code)
  return sent.message.id as number
}

describe('a request and its answer', () => {
  test.each([1, '1', 0, '', -7, 'x'])('the id %j comes back as it was', (id) => {
    const remapper = createRemapper<string>()
    const line = send(remapper, 'a', request(id))
    expect(remapper.toClient(response(line, { ok: true }))).toEqual({
      ok: true,
      client: 'a',
      message: { jsonrpc: '2.0', id, result: { ok: true } },
    })
    expect(remapper.pending).toBe(0)
  })

  test('1 and "1" are two requests of one client', () => {
    const remapper = createRemapper<string>()
    const [number, text] = [send(remapper, 'a', request(1)), send(remapper, 'a', request('1'))]
    expect(remapper.toClient(response(text))).toMatchObject({ message: { id: '1' } })
    expect(remapper.toClient(response(number))).toMatchObject({ message: { id: 1 } })
  })

  test('everything but the ids passes unchanged', () => {
    const remapper = createRemapper<string>()
    const params = { name: 't', arguments: { x: [1] }, vendor: {}, _meta: { progressToken: 'p', traceparent: 't' } }
    const sent = remapper.toServer('a', request(5, params))
    expect(sent).toEqual({
      ok: true,
      message: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...params, _meta: { progressToken: 1, traceparent: 't' } } },
    })
  })

  test('an answer counts once, and only with the id that was sent', () => {
    const remapper = createRemapper<string>()
    const line = send(remapper, 'a', request(9))
    expect(remapper.toClient(response(9))).toEqual({ ok: false, code: 'UNKNOWN_ID' })
    expect(remapper.toClient(response(`${line}`))).toEqual({ ok: false, code: 'UNKNOWN_ID' })
    expect(remapper.toClient(response(line)).ok).toBe(true)
    expect(remapper.toClient(response(line))).toEqual({ ok: false, code: 'UNKNOWN_ID' })
  })

  test('a client cannot have one id open twice, but may use it again', () => {
    const remapper = createRemapper<string>()
    const first = send(remapper, 'a', request(1))
    expect(remapper.toServer('a', request(1))).toEqual({ ok: false, code: 'DUPLICATE_ID' })
    expect(remapper.toServer('b', request(1)).ok).toBe(true)
    remapper.toClient(response(first))
    expect(send(remapper, 'a', request(1))).not.toBe(first)
  })

  test('open requests are bounded, for each client and in all', () => {
    const remapper = createRemapper<string>({ maxPending: 5, maxPerClient: 3 })
    for (const id of [1, 2, 3]) send(remapper, 'a', request(id))
    expect(remapper.toServer('a', request(4))).toEqual({ ok: false, code: 'TOO_MANY' })
    for (const id of [1, 2]) send(remapper, 'b', request(id))
    expect(remapper.toServer('c', request(1))).toEqual({ ok: false, code: 'TOO_MANY' })
  })
})

describe('progress, cancellation, subscriptions', () => {
  test.each([7, '7', 0, ''])('the token %j comes back as it was, to its client only', (token) => {
    const remapper = createRemapper<string>()
    const a = send(remapper, 'a', request(1, { _meta: { progressToken: token } }))
    send(remapper, 'b', request(1, { _meta: { progressToken: token } }))
    const delivered = remapper.toClient(progress(a))
    expect(delivered).toEqual({
      ok: true,
      client: 'a',
      message: { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: token, progress: 1 } },
    })
  })

  test('progress that nobody asked for, or after the answer, reaches nobody', () => {
    const remapper = createRemapper<string>()
    const line = send(remapper, 'a', request(1))
    expect(remapper.toClient(progress(line)).ok).toBe(false)
    const asked = send(remapper, 'a', request(2, { _meta: { progressToken: 'x' } }))
    expect(remapper.toClient(progress('x')).ok).toBe(false)
    remapper.toClient(response(asked))
    expect(remapper.toClient(progress(asked)).ok).toBe(false)
  })

  test('a client cancels its own request, under the id on the line; a late answer reaches nobody', () => {
    const remapper = createRemapper<string>()
    const a = send(remapper, 'a', request(1))
    const b = send(remapper, 'b', request(1))
    expect(remapper.toServer('a', cancelled(1))).toMatchObject({ ok: true, message: { params: { requestId: a, reason: 'x' } } })
    expect(remapper.toClient(response(a))).toEqual({ ok: false, code: 'UNKNOWN_ID' })
    expect(remapper.toClient(response(b))).toMatchObject({ client: 'b' })
  })

  test('a client cannot cancel what is not its own, under any id', () => {
    const remapper = createRemapper<string>()
    const b = send(remapper, 'b', request('mine'))
    for (const id of [b, 'mine', `${b}`]) expect(remapper.toServer('a', cancelled(id))).toEqual({ ok: false, code: 'UNKNOWN_ID' })
    expect(remapper.toServer('a', notification('notifications/cancelled', {}))).toEqual({ ok: false, code: 'UNKNOWN_ID' })
    expect(remapper.pending).toBe(1)
  })

  test('notifications of a subscription reach its client under its own id', () => {
    const key = 'io.modelcontextprotocol/subscriptionId'
    const remapper = createRemapper<string>()
    const line = send(remapper, 'a', request('sub', {}, 'subscriptions/listen'))
    const sent = notification('notifications/tools/list_changed', { _meta: { [key]: line, other: 1 } })
    expect(remapper.toClient(sent)).toMatchObject({ ok: true, client: 'a', message: { params: { _meta: { [key]: 'sub', other: 1 } } } })
    expect(remapper.toClient(notification('notifications/tools/list_changed', { _meta: { [key]: 'sub' } })).ok).toBe(false)
    expect(remapper.toClient(cancelled(line))).toMatchObject({ client: 'a', message: { params: { requestId: 'sub' } } })
    expect(remapper.toClient(sent).ok).toBe(false)
  })

  test('other notifications of a client pass, those of a server belong to no client', () => {
    const remapper = createRemapper<string>()
    const initialized = notification('notifications/initialized', {})
    expect(remapper.toServer('a', initialized)).toEqual({ ok: true, message: initialized.json })
    expect(remapper.toClient(notification('notifications/message', { data: 1 }))).toEqual({ ok: false, code: 'UNKNOWN_ID' })
  })
})

describe('questions of the server', () => {
  test('only the client that was asked may answer, and once', () => {
    const remapper = createRemapper<string>()
    expect(remapper.askClient('a', request(1, {}, 'sampling/createMessage')).ok).toBe(true)
    expect(remapper.toServer('b', response(1))).toEqual({ ok: false, code: 'UNKNOWN_ID' })
    expect(remapper.toServer('a', response('1'))).toEqual({ ok: false, code: 'UNKNOWN_ID' })
    expect(remapper.toServer('a', response(1, { x: 1 }))).toEqual({ ok: true, message: { jsonrpc: '2.0', id: 1, result: { x: 1 } } })
    expect(remapper.toServer('a', response(1))).toEqual({ ok: false, code: 'UNKNOWN_ID' })
  })
  test('are bounded, distinct, and can be taken back', () => {
    const remapper = createRemapper<string>({ maxPending: 1 })
    remapper.askClient('a', request('q'))
    expect(remapper.askClient('b', request('q'))).toEqual({ ok: false, code: 'DUPLICATE_ID' })
    expect(remapper.askClient('b', request('r'))).toEqual({ ok: false, code: 'TOO_MANY' })
    expect(remapper.toClient(cancelled('q'))).toMatchObject({ ok: true, client: 'a' })
    expect(remapper.toServer('a', response('q')).ok).toBe(false)
  })
})

test('a client that has left gets nothing more, and its open requests are named for cancelling', () => {
  const remapper = createRemapper<string>()
  const lines = [send(remapper, 'a', request(1)), send(remapper, 'a', request(2))]
  const other = send(remapper, 'b', request(1))
  remapper.askClient('a', request('q'))
  expect(remapper.forget('a')).toEqual(lines)
  expect(remapper.forget('a')).toEqual([])
  for (const line of lines) expect(remapper.toClient(response(line)).ok).toBe(false)
  expect(remapper.toServer('a', response('q')).ok).toBe(false)
  expect(remapper.toClient(response(other))).toMatchObject({ client: 'b' })
})

type Step = {
  readonly client: 0 | 1
  readonly id: RequestId
  readonly act: 'ask' | 'answer' | 'progress' | 'cancel' | 'leave' | 'question' | 'reply'
  readonly pick: number
}
const step: fc.Arbitrary<Step> = fc.record({
  client: fc.constantFrom(0 as const, 1 as const),
  id: fc.constantFrom<RequestId>(0, 1, '1', 'x'),
  act: fc.constantFrom('ask', 'ask', 'ask', 'answer', 'answer', 'progress', 'cancel', 'leave', 'question', 'reply'),
  pick: fc.nat(),
})

/** Plays the steps with a server that answers in any order and marks each answer with the client it was asked by. */
function play(steps: readonly Step[]): { delivered: number } {
  const remapper = createRemapper<number>()
  const open: { line: number; client: number; id: RequestId }[] = []
  const questions = new Map<RequestId, number>()
  let delivered = 0
  const isOpen = (client: number, id: RequestId) => open.findIndex((entry) => entry.client === client && entry.id === id)
  for (const { client, id, act, pick } of steps) {
    const entry = open[pick % Math.max(1, open.length)]
    if (act === 'ask') {
      const sent = remapper.toServer(client, request(id, { secret: client, _meta: { progressToken: id } }))
      expect(sent.ok).toBe(isOpen(client, id) === -1)
      if (sent.ok) open.push({ line: sent.message.id as number, client, id })
    } else if (act === 'answer' && entry) {
      open.splice(open.indexOf(entry), 1)
      const got = remapper.toClient(response(entry.line, { secret: entry.client }))
      expect(got).toEqual({ ok: true, client: entry.client, message: { jsonrpc: '2.0', id: entry.id, result: { secret: entry.client } } })
      delivered++
    } else if (act === 'progress' && entry) {
      expect(remapper.toClient(progress(entry.line))).toMatchObject({
        ok: true,
        client: entry.client,
        message: { params: { progressToken: entry.id } },
      })
    } else if (act === 'cancel') {
      const at = isOpen(client, id)
      expect(remapper.toServer(client, cancelled(id)).ok).toBe(at !== -1)
      const [gone] = at === -1 ? [] : open.splice(at, 1)
      if (gone) expect(remapper.toClient(response(gone.line))).toEqual({ ok: false, code: 'UNKNOWN_ID' })
    } else if (act === 'leave') {
      const mine = open.filter((other) => other.client === client)
      expect(remapper.forget(client)).toEqual(mine.map(({ line }) => line))
      for (const gone of mine) open.splice(open.indexOf(gone), 1)
      for (const [question, asked] of questions) if (asked === client) questions.delete(question)
    } else if (act === 'question') {
      expect(remapper.askClient(client, request(id)).ok).toBe(!questions.has(id))
      if (!questions.has(id)) questions.set(id, client)
    } else if (act === 'reply') {
      expect(remapper.toServer(client, response(id)).ok).toBe(questions.get(id) === client)
      if (questions.get(id) === client) questions.delete(id)
    }
    expect(remapper.pending).toBe(open.length)
  }
  return { delivered }
}

test('over 10,000 interleavings two clients with equal ids never see what is not theirs', () => {
  let delivered = 0
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => {
      delivered += play(steps).delivered
    }),
    { numRuns: 10_000 },
  )
  expect(delivered).toBeGreaterThan(10_000)
})
