// Peers of a relay in a process of their own, so that neither the relay nor the bench pays for them. Speaks in lines on stdout.
//   idle <url> <count>                          connects that many peers, says "up", waits for the end
//   receive <url> <number>                      one peer; says "ready", then "<bytes> <frames> <ms>" for what came before an end mark
//   send <url> <number> <to> <bytes> <seconds>  one peer that sends frames to another as fast as it is let, then the end mark
// A url that does not begin with ws: is a port on which "receive" listens itself: two ends without a relay between them.
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeFrame, encodeFrame } from '@postern/core/frame'
import WebSocket, { WebSocketServer } from 'ws'
import { keyOf, TestPeer } from '../fixtures/relay-peer.ts'

const ORG = 7
const END = 1
const MAX_BUFFERED = 4 << 20
const say = (line: string) => process.stdout.write(`${line}\n`)
const isDirect = (url: string) => !url.startsWith('ws:')
const portOf = (url: string) => Number(new URL(url).port)
/** Several connections are being made at once, but not more than the relay's waiting room holds. */
const AT_ONCE = 64

async function join(url: string, number: number): Promise<TestPeer> {
  const peer = new TestPeer(portOf(url))
  const answer = await peer.authenticate(keyOf(number, ORG))
  if (answer.type !== 'WELCOME') throw new Error(`the relay answered ${answer.type}`)
  return peer
}

async function idle(url: string, count: number): Promise<void> {
  let next = 0
  const joinSome = async () => {
    while (next < count) await join(url, next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, joinSome))
  say('up')
}

async function receive(url: string, number: number): Promise<void> {
  let [bytes, frames, started] = [0, 0, 0]
  const take = (data: Buffer) => {
    started ||= performance.now()
    const frame = decodeFrame(data, isDirect(url) ? 'peer' : 'relay')
    if (frame.type !== 'SEND' && frame.type !== 'DELIVER') return
    bytes += frame.payload.length
    frames += 1
    if (frame.payload.length === END) say(`${bytes} ${frames} ${performance.now() - started}`)
  }
  if (isDirect(url)) {
    const server = new WebSocketServer({ port: Number(url), host: '127.0.0.1', perMessageDeflate: false })
    server.on('connection', (socket) => socket.on('message', take)).on('listening', () => say('ready'))
    return
  }
  const { socket } = await join(url, number)
  socket.removeAllListeners('message').on('message', take)
  say('ready')
}

async function send(url: string, number: number, to: number, size: number, seconds: number): Promise<void> {
  const socket = await connect(url, number)
  const address = { type: 'SEND' as const, kid: keyOf(to, ORG).kid, conn: new Uint8Array(8) }
  const frame = encodeFrame({ ...address, payload: new Uint8Array(size) })
  for (const until = performance.now() + seconds * 1000; performance.now() < until; ) {
    for (let i = 0; i < 32; i++) socket.send(frame)
    while (socket.bufferedAmount > MAX_BUFFERED) await sleep(1)
    await new Promise(setImmediate)
  }
  socket.send(encodeFrame({ ...address, payload: new Uint8Array(END) }))
  while (socket.bufferedAmount > 0) await sleep(5)
  say('sent')
}

async function connect(url: string, number: number): Promise<WebSocket> {
  if (!isDirect(url)) return (await join(url, number)).socket
  const socket = new WebSocket(`ws://127.0.0.1:${url}`, { perMessageDeflate: false })
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))
  return socket
}

const [mode, url = '', ...numbers] = process.argv.slice(2)
const [first = 0, second = 0, third = 0, fourth = 0] = numbers.map(Number)
if (mode === 'idle') await idle(url, first)
else if (mode === 'receive') await receive(url, first)
else await send(url, first, second, third, fourth)
