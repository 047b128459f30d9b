import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { gather } from './gather.ts'

function createSink() {
  const calls: string[][] = []
  const text = (chunk: Buffer) => chunk.toString()
  const stream = new Writable({
    write: (chunk, _, done) => {
      calls.push([text(chunk)])
      done()
    },
    writev: (chunks, done) => {
      calls.push(chunks.map(({ chunk }) => text(chunk)))
      done()
    },
  })
  const send = (what: string) => {
    gather(stream)
    stream.write(what)
  }
  return { calls, send, stream }
}

test('what is written in one turn goes out together, in order, at its end', async () => {
  const { calls, send } = createSink()
  for (const what of ['a', 'b', 'c']) send(what)
  expect(calls).toEqual([])
  await new Promise(process.nextTick)
  expect(calls).toEqual([['a', 'b', 'c']])
})

test('a large amount does not wait for the end of the turn', () => {
  const { calls, send } = createSink()
  for (let i = 0; i < 3; i++) send('x'.repeat(40_000))
  expect(calls).toEqual([['x'.repeat(40_000), 'x'.repeat(40_000)]])
})

test('the next turn begins anew', async () => {
  const { calls, send } = createSink()
  send('a')
  await new Promise(setImmediate)
  send('b')
  await new Promise(setImmediate)
  expect(calls).toEqual([['a'], ['b']])
})

test('promises that a write wakes in the same turn write with it', async () => {
  const { calls, send } = createSink()
  send('a')
  void Promise.resolve().then(() => send('b'))
  await new Promise(setImmediate)
  expect(calls.flat()).toEqual(['a', 'b'])
})

test('a stream that is ended in the turn still gets everything', async () => {
  const { calls, send, stream } = createSink()
  send('a')
  stream.end('b')
  await new Promise((resolve) => stream.on('finish', resolve))
  expect(calls.flat()).toEqual(['a', 'b'])
})

test('a stream that is destroyed in the turn is left alone', async () => {
  const { calls, send, stream } = createSink()
  send('a')
  stream.destroy()
  await new Promise(setImmediate)
  expect(calls).toEqual([])
})
