import { expect, test } from 'vitest'
import type { OpenUpstream, ServerCommand, Upstream } from './upstream.ts'

/** A server that obeys one word per line, so that every transport can be driven through the same cases. */
export interface ConformanceServer {
  echo: ServerCommand
  /** Dies as soon as it reads a line. */
  dying: ServerCommand
  /** Cannot be started or reached at all. */
  missing: ServerCommand
}

interface Opened {
  upstream: Upstream
  next(): Promise<string>
  closed: Promise<string>
  timesClosed(): number
}

function open(opener: OpenUpstream, server: ServerCommand): Opened {
  const queue: string[] = []
  const waiting: ((message: string) => void)[] = []
  const closed = Promise.withResolvers<string>()
  let timesClosed = 0
  const upstream = opener(server, {
    onMessage(message) {
      const text = message.toString()
      const taker = waiting.shift()
      if (taker) taker(text)
      else queue.push(text)
    },
    onClosed(reason) {
      timesClosed += 1
      closed.resolve(reason)
    },
  })
  const next = () => new Promise<string>((resolve) => (queue.length > 0 ? resolve(queue.shift() as string) : waiting.push(resolve)))
  return { upstream, next, closed: closed.promise, timesClosed: () => timesClosed }
}

/** What every transport to an MCP server owes the gateway. */
export function upstreamConformance(name: string, opener: OpenUpstream, servers: ConformanceServer): void {
  test(`${name}: a message comes back as it was sent, whatever its characters`, async () => {
    const { upstream, next } = open(opener, servers.echo)
    const message = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'é\u2028 "\\ 漢', params: { 'a b': [null, 1.5] } })
    expect(upstream.send(message)).toBe(true)
    expect(await next()).toBe(message)
    await upstream.close()
  })
  test(`${name}: messages keep their order and their bounds`, async () => {
    const { upstream, next } = open(opener, servers.echo)
    const messages = Array.from({ length: 200 }, (_, i) => JSON.stringify({ i, pad: 'x'.repeat((i * 997) % 30_000) }))
    for (const message of messages) expect(upstream.send(message)).toBe(true)
    for (const message of messages) expect(await next()).toBe(message)
    await upstream.close()
  })
  test(`${name}: closing is reported once, can be repeated, and nothing is sent afterwards`, async () => {
    const { upstream, closed, timesClosed } = open(opener, servers.echo)
    await Promise.all([upstream.close(), upstream.close()])
    await closed
    await upstream.close()
    expect(timesClosed()).toBe(1)
    expect(upstream.send('{}')).toBe(false)
  })
  test(`${name}: a server that dies is reported, and sending says no`, async () => {
    const { upstream, closed } = open(opener, servers.dying)
    upstream.send('{}')
    await closed
    expect(upstream.send('{}')).toBe(false)
    await upstream.close()
  })
  test(`${name}: a server that cannot be started is reported, not thrown`, async () => {
    const { upstream, closed } = open(opener, servers.missing)
    expect(await closed).toMatch(/could not be/)
    expect(upstream.send('{}')).toBe(false)
    await upstream.close()
  })
}
