// The relay as whoever runs it sees it: all peers dial this tap, and it writes down every frame that passes, in both directions, before it
// goes on to the real relay. It can also change what passes.
import type { AddressInfo } from 'node:net'
import WebSocket, { WebSocketServer } from 'ws'

export interface CapturedFrame {
  readonly from: 'peer' | 'relay'
  readonly bytes: Buffer
}

/** What goes on instead of a frame; none = it is lost. */
export type Meddle = (frame: CapturedFrame) => readonly Buffer[]

export interface Tap extends AsyncDisposable {
  /** What peers dial. */
  readonly url: string
  /** As it stands in the Host header of those who dial it: the relay must know this name as its own. */
  readonly host: string
  /** Port of the real relay. */
  target: number
  readonly captured: readonly CapturedFrame[]
  meddle: Meddle | undefined
}

const passOn: Meddle = ({ bytes }) => [bytes]

export async function openTap(): Promise<Tap> {
  const captured: CapturedFrame[] = []
  const server = new WebSocketServer({ host: 'localhost', port: 0, path: '/relay', perMessageDeflate: false })
  await new Promise<void>((resolve, reject) => server.once('listening', resolve).once('error', reject))
  const host = `localhost:${(server.address() as AddressInfo).port}`
  const tap: Tap = {
    url: `ws://${host}/relay`,
    host,
    target: 0,
    captured,
    meddle: undefined,
    async [Symbol.asyncDispose]() {
      for (const client of server.clients) client.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  const take = (from: CapturedFrame['from'], bytes: Buffer): readonly Buffer[] => {
    const frame = { from, bytes }
    captured.push(frame)
    return (tap.meddle ?? passOn)(frame)
  }
  server.on('connection', (peer) =>
    join(peer, new WebSocket(`ws://localhost:${tap.target}/relay`, { perMessageDeflate: false, headers: { host } }), take),
  )
  return tap
}

type Take = (from: CapturedFrame['from'], bytes: Buffer) => readonly Buffer[]

function join(peer: WebSocket, relay: WebSocket, take: Take): void {
  const early: Buffer[] = []
  peer.on('message', (data: Buffer) => {
    for (const bytes of take('peer', data)) relay.readyState === WebSocket.OPEN ? relay.send(bytes) : early.push(bytes)
  })
  relay.on('message', (data: Buffer) => {
    for (const bytes of take('relay', data)) peer.send(bytes)
  })
  relay.on('open', () => {
    for (const bytes of early.splice(0)) relay.send(bytes)
  })
  for (const [side, other] of [
    [peer, relay],
    [relay, peer],
  ] as const) {
    side.on('ping', (data) => other.readyState === WebSocket.OPEN && other.ping(data))
    side.on('error', () => {}) // `close` follows
    side.on('close', () => other.terminate())
  }
}
